"""Choosing the next token: temperature, top-p, top-k, min-p, penalties, seed, log-probabilities.

Order: penalties, temperature, top-k, min-p, top-p. Log-probabilities are the model's own, before
all of these, as most servers report them.
"""

from collections import Counter
from dataclasses import dataclass, field

import torch
from torch import Tensor

from lcagent.errors import UsageError

MOST_TOP_LOGPROBS = 20
LEAST_REPETITION_PENALTY = 0.01
LEAST_TEMPERATURE = 1e-6
"""Below it the likeliest token is all but certain; division by less than it would overflow."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How tokens are chosen.

    Attributes:
        temperature: 0 always takes the likeliest token; ties go to the lowest id.
        top_k: Only so many likeliest tokens; 0 for all.
        min_p: Only tokens at least this likely, relative to the likeliest
            (Nguyen et al., https://arxiv.org/abs/2407.01082).
        repetition_penalty: Divides the logits of tokens of prompt and reply, where positive
            (Keskar et al., CTRL, https://arxiv.org/abs/1909.05858); 1 for none.
        presence_penalty, frequency_penalty: Taken off the logits of tokens of the reply, once and
            as often as they occur.
        top_logprobs: How many alternatives are told with each token; None for no
            log-probabilities at all.
    """

    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0
    seed: int | None = None
    repetition_penalty: float = 1.0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    top_logprobs: int | None = None

    def __post_init__(self) -> None:
        """Refuse values without a meaning."""
        checks = {
            "temperature": 0 <= self.temperature <= 100,
            "top_p": 0 < self.top_p <= 1,
            "top_k": self.top_k >= 0,
            "min_p": 0 <= self.min_p <= 1,
            "repetition_penalty": LEAST_REPETITION_PENALTY <= self.repetition_penalty <= 100,
            "presence_penalty": -100 <= self.presence_penalty <= 100,
            "frequency_penalty": -100 <= self.frequency_penalty <= 100,
            "top_logprobs": 0 <= (self.top_logprobs or 0) <= MOST_TOP_LOGPROBS,
        }
        for name, is_possible in checks.items():
            if not is_possible:
                raise UsageError(f"{name} is {getattr(self, name)}, which has no meaning")


@dataclass(frozen=True, slots=True)
class Choice:
    """A chosen token; `top` has (token, log-probability) of the likeliest, best first."""

    token: int
    logprob: float | None = None
    top: tuple[tuple[int, float], ...] = ()


@dataclass(slots=True)
class Sampler:
    """Chooses the tokens of one reply."""

    sampling: Sampling
    prompt: frozenset[int]
    _counts: Counter[int] = field(default_factory=Counter[int])
    _generator: torch.Generator = field(default_factory=torch.Generator)

    def __post_init__(self) -> None:
        """Seed the draws."""
        if self.sampling.seed is None:
            self._generator.seed()
        else:
            self._generator.manual_seed(self.sampling.seed % (1 << 63))

    def choose(self, logits: Tensor) -> Choice:
        """Choose by logits (vocabulary,), float32."""
        scores = self._penalised(logits.cpu())
        token = int(scores.argmax()) if self.sampling.temperature == 0 else self._draw(scores)
        self._counts[token] += 1
        return self._with_logprobs(token, logits)

    def _penalised(self, logits: Tensor) -> Tensor:
        how = self.sampling
        scores = logits.clone()
        if how.repetition_penalty != 1:
            seen = torch.tensor(sorted(self.prompt | set(self._counts)), dtype=torch.int64)
            found = scores[seen]
            weaker = torch.where(found > 0, found / how.repetition_penalty, found)
            scores[seen] = torch.where(found > 0, weaker, found * how.repetition_penalty)
        if self._counts and (how.presence_penalty or how.frequency_penalty):
            tokens = torch.tensor(list(self._counts))
            times = torch.tensor(list(self._counts.values()), dtype=scores.dtype)
            scores[tokens] -= how.presence_penalty + how.frequency_penalty * times
        return scores

    def _draw(self, scores: Tensor) -> int:
        how = self.sampling
        spread = (scores - scores.max()) / max(how.temperature, LEAST_TEMPERATURE)
        likely, tokens = spread.softmax(-1).sort(descending=True, stable=True)
        keep = torch.ones_like(likely, dtype=torch.bool)
        if how.top_k:
            keep[how.top_k :] = False
        keep &= likely >= how.min_p * likely[0]
        keep &= likely.cumsum(-1) - likely < how.top_p  # the token that reaches top_p stays
        keep[0] = True  # however small top_p is
        drawn = torch.multinomial(likely * keep, 1, generator=self._generator)
        return int(tokens[drawn])

    def _with_logprobs(self, token: int, logits: Tensor) -> Choice:
        count = self.sampling.top_logprobs
        if count is None:
            return Choice(token)
        logprobs = logits.cpu().log_softmax(-1)
        best = logprobs.topk(min(count, len(logprobs)))
        top = zip(best.indices.tolist(), best.values.tolist(), strict=True)
        return Choice(token, float(logprobs[token]), tuple(top))
