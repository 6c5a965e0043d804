"""Prefilling a long text into a memory, so that little is lost where that is interrupted.

What is in the cache so far is saved every two minutes beside the memory, under a name that no
memory has. The memory itself is written once, when all is read: an older one stays whole until
then.
"""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from lcagent.engine.adapters import AdaptedModel
from lcagent.engine.block_store import Allocator
from lcagent.engine.config import KVCacheConfig
from lcagent.engine.lookups.make_index import resolve_auto_lookup
from lcagent.engine.memories.manifest import partial_folder
from lcagent.engine.memories.memory_files import load_state, save_state
from lcagent.engine.model_runner import PrefillProgress, SequenceState, new_sequence_state
from lcagent.errors import LcagentError, ModelError, ModelUnavailable

SAVE_EVERY_S = 120.0


@dataclass(frozen=True, slots=True)
class MemoryText:
    """What a memory is made of, and where it goes."""

    tokens: list[int]
    title: str
    folder: Path


@dataclass(slots=True)
class ResumablePrefill:
    """A text on its way into a memory. Its methods block.

    Attributes:
        state: What is in the cache so far.
    """

    model: AdaptedModel
    text: MemoryText
    state: SequenceState

    @classmethod
    def begin(
        cls, model: AdaptedModel, config: KVCacheConfig, text: MemoryText
    ) -> "ResumablePrefill":
        """Go on with what was read of this very text before it was interrupted, or begin it."""
        resolved = resolve_auto_lookup(config, model.device, model.dtype)
        try:
            state = load_state(model, partial_folder(text.folder))
        except LcagentError:  # none, or of another model, or damaged
            state = new_sequence_state(model, config)
        if state.tokens != text.tokens or state.config.as_json() != resolved.as_json():
            state = new_sequence_state(model, config, text.tokens)
        # What is still to be read is kept where this call wants it, not where the first did.
        state.cache.move_growth_to(Allocator(config.place, model.device, config.folder))
        return cls(model, text, state)

    def save_partial(self) -> None:
        """Save what is in the cache, if anything is; StorageError where the disk is full."""
        if self.state.num_computed:
            folder = partial_folder(self.text.folder)
            save_state(self.model, self.state, folder, self.text.title)

    def finish(self) -> None:
        """Save the memory and drop what was saved on the way."""
        save_state(self.model, self.state, self.text.folder, self.text.title)
        shutil.rmtree(partial_folder(self.text.folder), ignore_errors=True)


async def run_resumable(
    work: ResumablePrefill, chunks: AsyncIterator[int], progress: PrefillProgress
) -> None:
    """Follow a prefill, and save its state every two minutes and at the end.

    If it is cancelled, what is in the cache is saved before the cancellation proceeds.

    Args:
        chunks: Yields after each chunk that was added to the state; nothing else changes it.

    Raises:
        StorageError: The disk is full or cannot be written; an older memory is as it was.
        ModelError: Memory ran out.
    """
    state, saved = work.state, time.monotonic()
    try:
        progress(state.num_computed, len(state.tokens))
        async for done in chunks:
            progress(done, len(state.tokens))
            if time.monotonic() - saved > SAVE_EVERY_S:
                await asyncio.to_thread(work.save_partial)
                saved = time.monotonic()
    except asyncio.CancelledError:
        await asyncio.to_thread(work.save_partial)
        raise
    except ModelUnavailable as error:  # the same again would fail, too
        done = state.num_computed
        raise ModelError(f"reading broke off after {done} tokens: {error}") from error
    await asyncio.to_thread(work.finish)
