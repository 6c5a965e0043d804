"""What is wanted of a reply, and what comes of it: values that callers see, without torch."""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from lcagent.errors import UsageError

MOST_TOP_LOGPROBS = 20
LEAST_REPETITION_PENALTY = 0.01

FinishReason: TypeAlias = Literal["stop", "length", "cancelled", "error"]


@dataclass(frozen=True, slots=True)
class SamplingParams:
    """How tokens are chosen.

    Attributes:
        temperature: 0 always takes the likeliest token; ties go to the lowest id.
        top_p: Only the likeliest tokens that together reach it.
        top_k: Only so many likeliest tokens; 0 for all.
        min_p: Only tokens at least this likely, relative to the likeliest
            (Nguyen et al., https://arxiv.org/abs/2407.01082).
        seed: Of the draws; None for another at each reply.
        repetition_penalty: Divides the logits of tokens of prompt and reply, where positive
            (Keskar et al., CTRL, https://arxiv.org/abs/1909.05858); 1 for none.
        presence_penalty, frequency_penalty: Taken off the logits of tokens of the reply, once and
            as often as they occur.
        top_logprobs: Alternatives returned with each token; None for no log-probabilities
            at all.
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
class GenerationParams:
    """What is wanted of a reply.

    Attributes:
        max_tokens: Of the reply, at most.
        stop: Strings that end the reply, and are no part of it.
    """

    max_tokens: int
    sampling: SamplingParams = field(default_factory=SamplingParams)
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SampledToken:
    """A chosen token; `top` has (token, log-probability) of the likeliest, best first."""

    token: int
    logprob: float | None = None
    top: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True, slots=True)
class StreamChunk:
    """What one step added to a reply.

    Attributes:
        text: That is certain now; often none, as a character or a stop string may be unfinished.
        tokens: That were chosen in this step.
        finish: Why the reply ended, in its last chunk.
        index: Which of the replies to a prompt it belongs to.
    """

    text: str
    tokens: tuple[SampledToken, ...] = ()
    finish: FinishReason | None = None
    index: int = 0
