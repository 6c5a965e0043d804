"""One text as it is read: its tokens, how far they were read, and what is remembered of them.

A text is read in chunks that begin at multiples of `chunk_tokens`, and its last token alone (as
the paper does it). Tokens that do not fill a chunk wait. So results do not depend, to the last bit,
on how the text was handed over, nor on whether a part of it was read yesterday.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import torch
from torch import Tensor

from lcagent.engine.adapters import AdaptedModel
from lcagent.engine.config import MemoryConfig
from lcagent.engine.lookups.make import with_lookup_settled
from lcagent.engine.store.places import Allocator
from lcagent.engine.text_memory import TextMemory
from lcagent.errors import UsageError

Progress: TypeAlias = Callable[[int, int], None]
"""Called with the tokens read so far and the tokens in all."""


@dataclass(slots=True)
class Reading:
    """A text and its memory.

    Attributes:
        tokens: All tokens that were handed over.
        read: How many of them were read.
    """

    memory: TextMemory
    tokens: list[int] = field(default_factory=list[int])
    read: int = 0

    @property
    def config(self) -> MemoryConfig:
        """How the memory is laid out."""
        return self.memory.config

    def fork(self) -> "Reading":
        """Return a reading that goes on on its own: blocks are shared, the window is copied."""
        return Reading(self.memory.fork(), list(self.tokens), self.read)

    def next_chunk(self) -> int:
        """Return where the chunk that begins now ends, if it were full."""
        size = self.config.chunk_tokens
        return (self.read // size + 1) * size


def new_reading(model: AdaptedModel, config: MemoryConfig) -> Reading:
    """Return a reading of nothing yet, in which the lookup "auto" has become one."""
    settled = with_lookup_settled(config, model.device, model.dtype)
    return Reading(TextMemory(settled, Allocator(config.place, model.device, config.folder)))


def read_ahead(model: AdaptedModel, reading: Reading, progress: Progress | None = None) -> None:
    """Read all full chunks that more text follows, and report after each."""
    while read_chunk(model, reading):
        if progress is not None:
            progress(reading.read, len(reading.tokens))


def read_chunk(model: AdaptedModel, reading: Reading) -> bool:
    """Read one full chunk, if there is one and more text follows; return whether there was."""
    end = reading.next_chunk()
    if end >= len(reading.tokens):
        return False
    _read(model, reading, end, wants_logits=False)
    return True


def read_to_end(model: AdaptedModel, reading: Reading, progress: Progress | None = None) -> Tensor:
    """Read all tokens and return the logits of the next, (vocabulary,), float32.

    Raises:
        UsageError: There is no token to read.
    """
    if reading.read >= len(reading.tokens):
        raise UsageError("the prompt has no tokens; at least one is needed")
    read_ahead(model, reading, progress)
    return finish(model, reading)


def read_all(model: AdaptedModel, reading: Reading) -> None:
    """Read all tokens at once, where chunks do not matter: in texts as short as the window."""
    if reading.read < len(reading.tokens):
        _read(model, reading, len(reading.tokens), wants_logits=False)


def finish(model: AdaptedModel, reading: Reading) -> Tensor:
    """Read what is left after `read_ahead`: less than a chunk, and the last token alone."""
    last = len(reading.tokens) - 1
    if reading.read < last:
        _read(model, reading, last, wants_logits=False)
    logits = _read(model, reading, last + 1, wants_logits=True)
    assert logits is not None
    return logits


def decode(
    model: AdaptedModel, readings: Sequence[Reading], tokens: Sequence[int], width: int
) -> Tensor:
    """Read one more token of each text; return the logits of the next, (texts, vocabulary).

    The batch always has `width` rows: with another number of rows, matrix products round
    otherwise, and a text would depend on what else is decoded.
    """
    padded = [*tokens, *[0] * (width - len(tokens))]
    memories = [reading.memory for reading in readings]
    logits = model.read(torch.tensor(padded)[:, None], memories, wants_logits=True)
    assert logits is not None
    for reading, token in zip(readings, tokens, strict=True):
        reading.tokens.append(token)
        reading.read += 1
    return logits[: len(readings)]


def _read(model: AdaptedModel, reading: Reading, end: int, *, wants_logits: bool) -> Tensor | None:
    tokens = torch.tensor([reading.tokens[reading.read : end]])
    logits = model.read(tokens, [reading.memory], wants_logits=wants_logits)
    reading.read = end
    return None if logits is None else logits[0]
