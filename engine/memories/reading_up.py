"""Reading a long text into a memory, so that little is lost where that is interrupted.

What was read so far is saved now and then beside the memory, under a name that no memory has. The
memory itself is written once, when all is read: an older one stays whole until then.
"""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lcagent.engine.adapters import AdaptedModel
from lcagent.engine.config import MemoryConfig
from lcagent.engine.failures import failure_of
from lcagent.engine.lookups.make import with_lookup_settled
from lcagent.engine.memories.folder import load_reading, save_reading
from lcagent.engine.reading import Progress, Reading, new_reading, read_chunk
from lcagent.engine.store.places import Allocator
from lcagent.errors import LcagentError, ModelError

SAVE_EVERY_S = 120.0


@dataclass(frozen=True, slots=True)
class Text:
    """What a memory is made of, and where it goes."""

    tokens: list[int]
    title: str
    folder: Path

    @property
    def half(self) -> Path:
        """Where it is as long as it is not whole."""
        return self.folder.with_name(f".{self.folder.name}")


def read_up(
    model: AdaptedModel,
    config: MemoryConfig,
    text: Text,
    *,
    progress: Progress,
    is_stopped: Callable[[], bool],
) -> Reading | None:
    """Read a text and save it; return None if it was stopped, and what was read is saved. Blocks.

    Raises:
        StorageError: The disk is full or cannot be written; an older memory is as it was.
        ModelError: Memory ran out.
    """
    reading = _half_read(model, config, text)
    saved = time.monotonic()
    progress(reading.read, len(reading.tokens))
    try:
        while not is_stopped() and read_chunk(model, reading):
            progress(reading.read, len(reading.tokens))
            if time.monotonic() - saved > SAVE_EVERY_S:
                save_reading(model, reading, text.half, text.title)
                saved = time.monotonic()
    except (MemoryError, RuntimeError) as error:
        failure = failure_of(error)
        raise ModelError(f"reading broke off after {reading.read} tokens: {failure}") from error
    if is_stopped():
        if reading.read:
            save_reading(model, reading, text.half, text.title)
        return None
    save_reading(model, reading, text.folder, text.title)
    shutil.rmtree(text.half, ignore_errors=True)
    return reading


def _half_read(model: AdaptedModel, config: MemoryConfig, text: Text) -> Reading:
    """Return what was read of this very text before it was interrupted, or a new reading."""
    settled = with_lookup_settled(config, model.device, model.dtype)
    try:
        half = load_reading(model, text.half)
    except LcagentError:  # none, or of another model, or damaged
        half = new_reading(model, config)
    if half.tokens != text.tokens or half.config.as_json() != settled.as_json():
        half = new_reading(model, config)
        half.tokens = list(text.tokens)
    _go_on_in(half, Allocator(config.place, model.device, config.folder))
    return half


def _go_on_in(reading: Reading, allocator: Allocator) -> None:
    """Keep what is still to be read where this call wants it, not where the first did."""
    reading.memory.allocator = allocator
    for layer in reading.memory.layers.values():
        layer.store.allocator = allocator
