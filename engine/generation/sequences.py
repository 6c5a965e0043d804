"""A reply in the making: its prompt, the tokens sampled so far, and why it ended."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from torch import Tensor

from lcagent.engine.generation.detokenizer import IncrementalDetokenizer
from lcagent.engine.generation.params import (
    FinishReason,
    GenerationParams,
    SampledToken,
    StreamChunk,
)
from lcagent.engine.generation.sampler import Sampler
from lcagent.engine.model_runner import SequenceState
from lcagent.errors import LcagentError

OnChunk: TypeAlias = Callable[[StreamChunk], None]
OnPrefilled: TypeAlias = Callable[[SequenceState], None]


@dataclass(slots=True, eq=False)
class Sequence:
    """A reply that is being made.

    Attributes:
        state: Prompt and reply, and their KV cache; None before a sibling has read the prompt, and
            once the reply ended.
        cached_tokens: Tokens of the prompt that were in the cache before.
        on_chunk: Is given what each step adds to the reply.
        on_prefilled: Is given the state after each chunk of the prompt.
        siblings: Replies to the same prompt, which begin when this one has read it.
    """

    params: GenerationParams
    eos_token_ids: frozenset[int]
    state: SequenceState | None
    detokenizer: IncrementalDetokenizer
    sampler: Sampler
    prompt_tokens: int
    index: int = 0
    cached_tokens: int = 0
    on_chunk: OnChunk | None = None
    on_prefilled: OnPrefilled | None = None
    siblings: "tuple[Sequence, ...]" = ()
    tokens: list[SampledToken] = field(default_factory=list[SampledToken])
    finish: FinishReason | None = None
    error: LcagentError | None = None

    @property
    def text(self) -> str:
        """What was written so far and is certain."""
        return self.detokenizer.text

    @property
    def is_prefilled(self) -> bool:
        """The prompt was read, and a first token was chosen."""
        return bool(self.tokens)

    def take(self, logits: Tensor) -> None:
        """Choose the next token by logits (vocabulary,), and end where an end is reached."""
        sampled = self.sampler.choose(logits)
        self.tokens.append(sampled)
        is_eos = sampled.token in self.eos_token_ids
        text = "" if is_eos else self.detokenizer.add(sampled.token)
        if is_eos or self.detokenizer.is_stopped:
            self.end("stop", text, sampled)
        elif len(self.tokens) >= self.params.max_tokens:
            self.end("length", text, sampled)
        else:
            self._tell(StreamChunk(text, (sampled,), index=self.index))

    def cancel(self) -> None:
        """End the reply, and those that wait for it to read their prompt."""
        for each in (self, *self.siblings):
            each.end("cancelled")

    def end(self, finish: FinishReason, text: str = "", *tokens: SampledToken) -> None:
        """End the reply and free its KV cache."""
        if self.finish is not None:
            return
        self.finish = finish
        self.state = None
        self._tell(StreamChunk(text + self.detokenizer.finish(), tokens, finish, self.index))

    def fail(self, error: LcagentError) -> None:
        """End the reply by an error; text that was held back may be the cause, and is dropped."""
        if self.finish is None:
            self.error, self.finish, self.state = error, "error", None
            self._tell(StreamChunk("", (), "error", self.index))

    def _tell(self, chunk: StreamChunk) -> None:
        if self.on_chunk is not None:
            self.on_chunk(chunk)
