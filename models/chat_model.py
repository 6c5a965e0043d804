"""What the rest of lcagent knows about a model: messages go in, a reply comes out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

from lcagent.models.finishes import Finish

OnText: TypeAlias = Callable[[str], None]
"""Receives each piece of a reply as it arrives. Together the pieces are the text of the reply.

A reply that breaks off is asked for again, and starts over. Only a `RestartableText` can be told
so; any other function receives the text once the reply is complete.
"""


DEFAULT_WINDOW_TOKENS = 8_192
"""Of a model that nobody described: small, so that prompts fit."""


@runtime_checkable
class RestartableText(Protocol):
    """An `OnText` that can take back what it was given."""

    def __call__(self, piece: str) -> None:
        """Take the next piece."""
        ...

    def restart(self) -> None:
        """Discard all pieces so far: the reply broke off and starts over."""
        ...


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation."""

    role: Literal["system", "user", "assistant"]
    text: str


def prompt_text(messages: Sequence[Message]) -> str:
    """Return all that a model is told, as one text."""
    return "\n".join(message.text for message in messages)


@dataclass(frozen=True, slots=True)
class Request:
    """One call to a model.

    Attributes:
        max_tokens: Of the reply, hidden reasoning included.
        wants_logprobs: Ask for the log-probabilities of the reply's tokens; a model that has
            none replies without them.
        schema: JSON schema for the reply. A hint: a model without JSON mode does not see it, so
            the prompt must say what is wanted, and the reply is checked by whoever asked.
        sample: Which of several draws of the same prompt this is. It is not sent, but draws of
            different numbers are different calls to a cache.
        purpose: What the call is for ("worker 3 of 12"), for progress and messages; not sent.
    """

    messages: tuple[Message, ...]
    max_tokens: int = 1024
    temperature: float = 0.0
    stop: tuple[str, ...] = ()
    wants_logprobs: bool = False
    schema: dict[str, Any] | None = None
    sample: int = 0
    purpose: str = ""


@dataclass(frozen=True, slots=True)
class TokenLogprob:
    """A token of a reply and the natural logarithm of its probability.

    Attributes:
        data: The token's bytes: a character may be split over several tokens, and `text` then
            has replacement characters.
    """

    text: str
    logprob: float
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model replied, and what it cost.

    Attributes:
        finish: "stop" at its own end; any other is no whole reply: "length" where a limit cut it
            off, "filtered" where the server withheld the rest, "loop" where it was stopped because
            it repeated itself, "unknown" where the server ended it for a reason of its own.
        prompt_tokens, completion_tokens: As the server counted, or by our own count.
        is_estimate: The server told no usage; the counts are ours.
        usd: None where the price is not known.
        logprobs: Of all tokens of `text`, in order; None where the model gives none.
        is_cached: It was paid for before; this time it cost nothing.
        latency_s: From sending the request to the end of the reply, waiting for a turn excluded.
        key: What names the call in a cache; empty where there is none.
    """

    text: str
    finish: Finish = "stop"
    prompt_tokens: int = 0
    completion_tokens: int = 0
    is_estimate: bool = False
    usd: float | None = 0.0
    logprobs: tuple[TokenLogprob, ...] | None = None
    is_cached: bool = False
    latency_s: float = 0.0
    key: str = ""


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What is known about a model before it is called.

    Attributes:
        name: As the server knows it.
        window_tokens: Prompt and reply together.
        max_reply_tokens: The longest reply, or None where only the window limits it.
        usd_per_million_prompt, usd_per_million_completion: None where not known.
        tokenizer: "o200k_base", "cl100k_base", or "unknown" for a careful estimate.
        is_reasoning: It thinks before it replies, and is paid for it: replies need more room.
        is_known: It stands in the table, or the user described it; else these are defaults.
        fingerprint: Tells apart what one name may stand for; empty where a server decides that.
    """

    name: str
    window_tokens: int
    max_reply_tokens: int | None = None
    usd_per_million_prompt: float | None = None
    usd_per_million_completion: float | None = None
    tokenizer: str = "unknown"
    is_reasoning: bool = False
    is_known: bool = False
    fingerprint: str = ""

    def usd(self, prompt_tokens: int, completion_tokens: int) -> float | None:
        """Return what a call costs, or None where a price is not known."""
        if self.usd_per_million_prompt is None or self.usd_per_million_completion is None:
            return None
        prompt_usd = prompt_tokens * self.usd_per_million_prompt
        return (prompt_usd + completion_tokens * self.usd_per_million_completion) / 1_000_000


class ChatModel(Protocol):
    """Anything that completes a conversation: remote, local, scripted, or a wrapper of one."""

    @property
    def card(self) -> ModelCard:
        """What is known about the model."""
        ...

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Return the tokens of a prompt with its chat template, or a few more."""
        ...

    async def complete(self, request: Request, on_text: OnText | None = None) -> Reply:
        """Return the reply to a request, passing its text to `on_text` as it arrives.

        Raises:
            ContextTooLong: Prompt and reply do not fit into the window; nothing was paid for.
            ModelUnavailable: The server cannot answer now; a later try may work.
            ModelNotUsable: It will never answer: a wrong key, no such model.
            BudgetExceeded: A limit of the user's does not allow the call.
        """
        ...


class WrapperModel:
    """A model that wraps another; what it does not override is the inner model's."""

    model: ChatModel

    @property
    def card(self) -> ModelCard:
        """What is known about the model."""
        return self.model.card

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Count as the inner model does."""
        return self.model.count_tokens(messages)
