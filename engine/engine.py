"""One engine: a local model that replies to prompts, keeps memories, and is stepped in one place.

The rest of lcagent imports this module, `sizing` and `server.running`, and nothing else of the
engine. Importing it loads no torch: `find_files` refuses what cannot run, `open_checkpoint` reads
tokenizer and configuration, `load_engine` the weights.

    checkpoint = open_checkpoint(find_files("examples/recall-model"))
    engine = load_engine(checkpoint)
    prompt = checkpoint.tokenizer.encode(" KEY baksha")
    sequences = await engine.create_sequences(prompt, GenerationParams(max_tokens=8))
    async for chunk in engine.generate(sequences):
        print(chunk.text, end="")
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

from lcagent.engine.checkpoint.files import Checkpoint, CheckpointFiles, find_files
from lcagent.engine.config import EngineLimits, KVCacheConfig
from lcagent.engine.generation.params import (
    GenerationParams,
    SampledToken,
    SamplingParams,
    StreamChunk,
)
from lcagent.engine.memories.manifest import (
    MANIFEST,
    StoredMemory,
    check_files,
    checked_name,
    describe_memory,
    list_folder,
    read_manifest,
    remove_from_folder,
)
from lcagent.errors import MissingExtra, ModelUnavailable
from lcagent.local_options import LocalOptions

if TYPE_CHECKING:
    from lcagent.engine.checkpoint.chat_tokenizer import ChatTokenizer
    from lcagent.engine.engine_core import EngineCore
    from lcagent.engine.generation.sequences import Sequence
    from lcagent.engine.memories.memory_library import MemoryLibrary
    from lcagent.engine.model_runner import PrefillProgress, SequenceState, Throughput

__all__ = [
    "MANIFEST",
    "AsyncEngine",
    "Checkpoint",
    "CheckpointFiles",
    "EngineLimits",
    "GenerationParams",
    "KVCacheConfig",
    "SampledToken",
    "SamplingParams",
    "StoredMemory",
    "StreamChunk",
    "check_files",
    "checked_name",
    "describe_device",
    "describe_memory",
    "find_files",
    "list_folder",
    "load_engine",
    "open_checkpoint",
    "read_manifest",
    "remove_from_folder",
]

LEAST_CONTEXT_TOKENS = 8_192
"""What prompts need: a model that was trained for less has the engine's memory beyond that."""


def open_checkpoint(
    files: CheckpointFiles,
    options: LocalOptions | None = None,
    *,
    context_tokens: int | None = None,
    cache_config: KVCacheConfig | None = None,
) -> Checkpoint:
    """Return what is known of a model without its weights, and how it is to run.

    Args:
        context_tokens: Prompt and reply together; by default what the model was trained for, but
            not less than our prompts need.
        cache_config: How KV caches are laid out; by default as options and context want it.

    Raises:
        MissingExtra: What runs models is not installed.
        ModelNotUsable: Its tokenizer or configuration cannot be read, or the device is not here.
    """
    try:
        from lcagent.engine.loading import read_checkpoint  # noqa: PLC0415 -- imports torch
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("lcagent"):  # a mistake of ours
            raise
        raise MissingExtra("a model in this process", "local") from error
    context = context_tokens or max(files.dims.window_tokens, LEAST_CONTEXT_TOKENS)
    return read_checkpoint(
        files, options or LocalOptions(), context_tokens=context, cache_config=cache_config
    )


def load_engine(checkpoint: Checkpoint, limits: EngineLimits | None = None) -> "AsyncEngine":
    """Return an engine with its weights, which takes as long as reading them. Blocks.

    Raises:
        ModelNotUsable: They cannot be loaded, or do not fit.
    """
    from lcagent.engine.engine_core import EngineCore  # noqa: PLC0415 -- imports torch
    from lcagent.engine.loading import load_weights  # noqa: PLC0415

    core = EngineCore(
        load_weights(checkpoint),
        checkpoint.cache_config,
        checkpoint.context_tokens,
        limits=limits,
        memories=checkpoint.options.memories,
    )
    return AsyncEngine(core)


def describe_device(device: str) -> str:
    """Return what a device is called; RuntimeError or AssertionError where it is not here."""
    from lcagent.engine.loading import device_name  # noqa: PLC0415 -- imports torch

    return device_name(device)


class AsyncEngine:
    """A model that any number of coroutines, in any number of event loops, may use at once.

    It has no task of its own: whoever waits for a reply lets the next step begin, and all who wait
    share it. So nothing runs when nobody waits, and nothing has to be closed. The model runs in a
    thread of the engine; requests join and leave between two steps.

    Attributes:
        core: Model, tokenizer, scheduler, prefix cache and memory library.
    """

    def __init__(self, core: "EngineCore") -> None:
        self.core = core
        # OpenMP keeps a team of threads for every thread that computes, and making one takes up to
        # a CPU second: steps in a thread of the running loop would pay that for each loop.
        self._worker = ThreadPoolExecutor(1, "lcagent-engine")
        self._steps: dict[asyncio.AbstractEventLoop, asyncio.Task[None]] = {}

    @property
    def name(self) -> str:
        """The model's name."""
        return self.core.loaded.name

    @property
    def tokenizer(self) -> "ChatTokenizer":
        """The model's tokenizer and chat template."""
        return self.core.loaded.tokenizer

    @property
    def eos_token_ids(self) -> frozenset[int]:
        """Tokens by which the model ends a reply."""
        return self.core.loaded.eos_token_ids

    @property
    def context_tokens(self) -> int:
        """Prompt and reply together; longer ones are refused."""
        return self.core.context_tokens

    @property
    def library(self) -> "MemoryLibrary | None":
        """The stored memories, if it keeps any."""
        return self.core.library

    async def create_sequences(
        self,
        prompt: list[int],
        params: GenerationParams,
        *,
        n: int = 1,
        memory: "SequenceState | None" = None,
    ) -> "tuple[Sequence, ...]":
        """Return `n` replies to a prompt, to be made by `generate`.

        Args:
            prompt: Tokens. The longest beginning that an earlier prompt or a stored memory has in
                its cache is not computed again.
            memory: Another state that may be continued.

        Raises:
            UsageError: The prompt has no tokens, or a limit has no meaning.
            ContextTooLong: Prompt and reply do not fit into `context_tokens`.
        """
        create = self.core.create_sequences
        return await asyncio.to_thread(create, prompt, params, n=n, memory=memory)

    def generate(self, sequences: "tuple[Sequence, ...]") -> AsyncGenerator[StreamChunk, None]:
        """Queue replies to a prompt; return an iterator of what each step adds to them.

        Whoever stops iterating frees their places before the next step: close the iterator, as
        with `contextlib.aclosing`, so that this happens at once.

        Raises:
            ModelUnavailable: Too many are waiting.
            LcagentError: From the iterator: a reply failed, as where memory ran out.
        """
        chunks: deque[StreamChunk] = deque()
        for sequence in sequences:
            sequence.on_chunk = chunks.append
        self.core.submit(sequences[0])
        return self._chunks(sequences, chunks)

    def cancel(self, sequences: "tuple[Sequence, ...]") -> None:
        """End replies before the next step; a last chunk of each says so."""
        self.core.cancel(sequences)

    async def prefill(self, state: "SequenceState") -> AsyncGenerator[int, None]:
        """Read a text's full chunks, between the steps of replies; yield the tokens read so far.

        When the iterator is closed, nothing works on the state any more.

        Raises:
            ModelUnavailable: Too many are waiting, or memory ran out.
        """
        from lcagent.engine.generation.scheduler import PrefillJob  # noqa: PLC0415 -- imports torch

        job = PrefillJob(state)
        self.core.submit(job)
        try:
            while not job.is_done:
                before = state.num_computed
                await self._advance()
                if job.error is not None:
                    raise job.error
                if state.num_computed > before:
                    yield state.num_computed
        finally:
            await asyncio.to_thread(self.core.withdraw, job)

    async def memorize(
        self, tokens: list[int], title: str, folder: Path, progress: "PrefillProgress"
    ) -> None:
        """Read a text into a memory in a folder; an interrupted one is resumed.

        If this is cancelled, what was read is saved first.

        Raises:
            StorageError: The disk is full or cannot be written; an older memory is as it was.
            ModelError: There is not enough memory to read it.
        """
        from lcagent.engine.memories.resumable_prefill import (  # noqa: PLC0415 -- imports torch
            MemoryText,
            ResumablePrefill,
            run_resumable,
        )

        text, model = MemoryText(tokens, title, folder), self.core.loaded.model
        work = await asyncio.to_thread(ResumablePrefill.begin, model, self.core.config, text)
        async with aclosing(self.prefill(work.state)) as chunks:
            await run_resumable(work, chunks, progress)

    def fingerprint(self) -> str:
        """Return what stored memories name their model by. Blocks."""
        from lcagent.engine.memories.memory_files import model_fingerprint  # noqa: PLC0415

        return model_fingerprint(self.core.loaded.model)

    def open_memory(self, folder: Path, *, is_verified: bool = True) -> "SequenceState":
        """Open a stored memory. Blocks.

        Args:
            is_verified: Compare all checksums first.

        Raises:
            UsageError: There is none, or it was made by another model or version.
            StorageError: A file was cut short or altered.
        """
        from lcagent.engine.memories.memory_files import load_state  # noqa: PLC0415

        return load_state(self.core.loaded.model, folder, is_verified=is_verified)

    def measure_throughput(self) -> "Throughput":
        """Return how fast the model is here, by a run of a few seconds. Blocks.

        Raises:
            RuntimeError, MemoryError: There is not enough memory even for that.
        """
        from lcagent.engine.model_runner import measure_throughput  # noqa: PLC0415

        return measure_throughput(self.core.loaded, self.core.config)

    async def _chunks(
        self, sequences: "tuple[Sequence, ...]", chunks: deque[StreamChunk]
    ) -> AsyncGenerator[StreamChunk, None]:
        left = len(sequences)
        try:
            while left:
                while chunks:
                    chunk = chunks.popleft()
                    if chunk.finish == "error":
                        self.core.prefix_cache.clear()  # memory may be what was missing
                        raise sequences[chunk.index].error or ModelUnavailable("the reply failed")
                    left -= chunk.finish is not None
                    yield chunk
                if left:
                    await self._advance()
        finally:
            self.core.cancel(sequences)

    async def _advance(self) -> None:
        """Wait for a step of the model: the one that this loop has begun, or the next."""
        loop = asyncio.get_running_loop()
        step = self._steps.get(loop)
        if step is None or step.done():
            step = loop.create_task(self._step())
            self._steps[loop] = step
            step.add_done_callback(lambda done: self._forget(loop, done))
        # Shielded: who leaves must not take the step from the others.
        await asyncio.shield(step)

    async def _step(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._worker, self.core.step)

    def _forget(self, loop: asyncio.AbstractEventLoop, step: "asyncio.Task[None]") -> None:
        if self._steps.get(loop) is step:
            del self._steps[loop]
