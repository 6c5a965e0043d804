"""Choosing the next token: temperature, top-p, top-k, min-p, penalties, seed, log-probabilities.

Order: penalties, temperature, top-k, min-p, top-p. Log-probabilities are the model's own, before
all of these, as most servers report them.
"""

from collections import Counter
from dataclasses import dataclass, field

import torch
from torch import Tensor

from lcagent.engine.generation.params import SampledToken, SamplingParams

LEAST_TEMPERATURE = 1e-6
"""Below it the likeliest token is all but certain; division by less than it would overflow."""


@dataclass(slots=True)
class Sampler:
    """Chooses the tokens of one reply.

    Attributes:
        prompt: Tokens of the prompt, for the repetition penalty.
    """

    params: SamplingParams
    prompt: frozenset[int]
    _counts: Counter[int] = field(default_factory=Counter[int])
    _generator: torch.Generator = field(default_factory=torch.Generator)

    def __post_init__(self) -> None:
        """Seed the draws."""
        if self.params.seed is None:
            self._generator.seed()
        else:
            self._generator.manual_seed(self.params.seed % (1 << 63))

    def choose(self, logits: Tensor) -> SampledToken:
        """Choose by logits (vocabulary,), float32."""
        scores = self._penalised(logits.cpu())
        token = int(scores.argmax()) if self.params.temperature == 0 else self._draw(scores)
        self._counts[token] += 1
        return self._with_logprobs(token, logits)

    def _penalised(self, logits: Tensor) -> Tensor:
        params = self.params
        scores = logits.clone()
        if params.repetition_penalty != 1:
            seen = torch.tensor(sorted(self.prompt | set(self._counts)), dtype=torch.int64)
            found = scores[seen]
            # Dividing a negative logit would make its token likelier.
            weaker = torch.where(found > 0, found / params.repetition_penalty, found)
            scores[seen] = torch.where(found > 0, weaker, found * params.repetition_penalty)
        if self._counts and (params.presence_penalty or params.frequency_penalty):
            tokens = torch.tensor(list(self._counts))
            times = torch.tensor(list(self._counts.values()), dtype=scores.dtype)
            scores[tokens] -= params.presence_penalty + params.frequency_penalty * times
        return scores

    def _draw(self, scores: Tensor) -> int:
        params = self.params
        spread = (scores - scores.max()) / max(params.temperature, LEAST_TEMPERATURE)
        likely, tokens = spread.softmax(-1).sort(descending=True, stable=True)
        keep = torch.ones_like(likely, dtype=torch.bool)
        if params.top_k:
            keep[params.top_k :] = False
        keep &= likely >= params.min_p * likely[0]
        keep &= likely.cumsum(-1) - likely < params.top_p  # the token that reaches top_p stays
        keep[0] = True  # however small top_p is
        drawn = torch.multinomial(likely * keep, 1, generator=self._generator)
        return int(tokens[drawn])

    def _with_logprobs(self, token: int, logits: Tensor) -> SampledToken:
        count = self.params.top_logprobs
        if count is None:
            return SampledToken(token)
        logprobs = logits.cpu().log_softmax(-1)
        best = logprobs.topk(min(count, len(logprobs)))
        top = zip(best.indices.tolist(), best.values.tolist(), strict=True)
        return SampledToken(token, float(logprobs[token]), tuple(top))
