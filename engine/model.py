"""A local model in this process: conversations in, replies out.

The face of the engine to the rest of lcagent. Everything blocks: async code calls it through
`asyncio.to_thread`. One reply is made at a time; `server` makes several at once.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lcagent.engine.config import MemoryConfig
from lcagent.engine.defaults import default_memory
from lcagent.engine.generation.requests import Prompt, start
from lcagent.engine.generation.sampling import Choice, Sampling
from lcagent.engine.generation.scheduling import Scheduler
from lcagent.engine.generation.sequences import Order, Piece
from lcagent.engine.generation.sequences import Sequence as Reply
from lcagent.engine.loading.opening import Opened, open_model
from lcagent.engine.loading.text import ChatMessage
from lcagent.engine.reading import Progress, Reading

CONTEXT_TOKENS = 1 << 20


@dataclass(frozen=True, slots=True)
class TokenLogprob:
    """A token and the natural logarithm of its probability; `data` are its bytes."""

    text: str
    logprob: float
    data: bytes
    top: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Completion:
    """A reply.

    Attributes:
        finish: "stop", "length", or "cancelled".
        reused_tokens: Tokens of the prompt that a memory had read before.
        logprobs: Of all tokens of the reply; None unless asked for.
    """

    text: str
    finish: str
    prompt_tokens: int
    completion_tokens: int
    reused_tokens: int = 0
    logprobs: tuple[TokenLogprob, ...] | None = None


@dataclass(slots=True)
class LocalModel:
    """A model, the layout of its memory, and how long a context it takes.

    Attributes:
        context_tokens: Prompt and reply together; longer ones are refused.
    """

    opened: Opened
    memory: MemoryConfig
    context_tokens: int = CONTEXT_TOKENS
    _turn: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def open(
        cls,
        source: str,
        *,
        memory: MemoryConfig | None = None,
        context_tokens: int = CONTEXT_TOKENS,
        device: str = "auto",
        dtype: str = "auto",
        lora: Path | None = None,
    ) -> "LocalModel":
        """Open a checkpoint folder or a hub id.

        Raises:
            ModelNotUsable: It cannot be loaded, with the reason in one line.
        """
        opened = open_model(source, device=device, dtype=dtype, lora=lora)
        return cls(opened, memory or default_memory(opened.model.config), context_tokens)

    @property
    def name(self) -> str:
        """The name of the folder."""
        return self.opened.name

    def count_tokens(self, messages: Sequence[ChatMessage]) -> int:
        """Return how many tokens a conversation has as the model reads it."""
        return len(self.opened.text.encode_chat(messages))

    def complete(  # noqa: PLR0913 - all that a reply may depend on
        self,
        messages: Sequence[ChatMessage],
        *,
        max_tokens: int,
        temperature: float = 0.0,
        stop: Sequence[str] = (),
        top_logprobs: int | None = None,
        seed: int | None = None,
        on_text: Callable[[str], None] | None = None,
        on_progress: Progress | None = None,
        is_cancelled: Callable[[], bool] | None = None,
        start_from: Reading | None = None,
    ) -> Completion:
        """Reply to a conversation.

        Args:
            top_logprobs: Alternatives to tell with each token, 0 for its own probability only.
            on_text: Is given each piece of the reply.
            on_progress: Is told how much of the prompt was read.
            is_cancelled: Is asked between steps.
            start_from: A reading that is continued if the prompt begins with its text.

        Raises:
            UsageError: A prompt or a parameter without a meaning.
            ContextTooLong: Prompt and reply do not fit into `context_tokens`.
            ModelUnavailable: Memory ran out.
        """
        sampling = Sampling(temperature=temperature, top_logprobs=top_logprobs, seed=seed)
        order = Order(max_tokens, sampling, tuple(stop), self.opened.ends)
        prompt = Prompt(self.opened.text.encode_chat(messages), start_from)
        (reply,) = start(self.opened, self.memory, prompt, order, self.context_tokens)
        reply.on_progress = on_progress
        if on_text is not None:
            reply.on_piece = _only_text(on_text)
        with self._turn:
            self._run(reply, is_cancelled)
        if reply.error is not None:
            raise reply.error
        return self._completion(reply)

    def _run(self, reply: Reply, is_cancelled: Callable[[], bool] | None) -> None:
        scheduler = Scheduler(self.opened.model)
        scheduler.add(reply)
        while scheduler.has_work:
            if is_cancelled is not None and is_cancelled():
                reply.cancel()
            scheduler.step()

    def _completion(self, reply: Reply) -> Completion:
        wants = reply.order.sampling.top_logprobs is not None
        return Completion(
            text=reply.writer.text,
            finish=reply.finish or "stop",
            prompt_tokens=reply.prompt_tokens,
            completion_tokens=len(reply.choices),
            reused_tokens=reply.reused_tokens,
            logprobs=tuple(map(self._logprob, reply.choices)) if wants else None,
        )

    def _logprob(self, choice: Choice) -> TokenLogprob:
        text = self.opened.text
        top = tuple((text.token_text(token), logprob) for token, logprob in choice.top)
        data = text.token_bytes(choice.token)
        return TokenLogprob(text.token_text(choice.token), choice.logprob or 0.0, data, top)


def _only_text(on_text: Callable[[str], None]) -> Callable[[Piece], None]:
    def tell(piece: Piece) -> None:
        if piece.text:
            on_text(piece.text)

    return tell
