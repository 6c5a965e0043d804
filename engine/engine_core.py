"""What all replies of a model share, and the one place where the model is stepped.

Everything blocks: `engine.AsyncEngine` calls it in threads. Requests come from any thread and any
event loop; what they share with the running step changes hands between two steps only.
"""

import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path

from lcagent.engine.config import EngineLimits, KVCacheConfig
from lcagent.engine.generation.detokenizer import IncrementalDetokenizer
from lcagent.engine.generation.params import GenerationParams
from lcagent.engine.generation.prefix_cache import PrefixCache
from lcagent.engine.generation.sampler import Sampler
from lcagent.engine.generation.scheduler import PrefillJob, Scheduler
from lcagent.engine.generation.sequences import Sequence
from lcagent.engine.loading import LoadedModel
from lcagent.engine.lookups.make_index import resolve_auto_lookup
from lcagent.engine.memories.memory_library import MemoryLibrary
from lcagent.engine.model_runner import SequenceState, new_sequence_state
from lcagent.errors import ContextTooLong, ModelError, ModelUnavailable, UsageError


class EngineCore:
    """A loaded model with its scheduler, prefix cache and memory library. Thread-safe.

    Attributes:
        context_tokens: Prompt and reply together; longer ones are refused.
        library: None where no memories are kept.
    """

    def __init__(
        self,
        loaded: LoadedModel,
        config: KVCacheConfig,
        context_tokens: int,
        *,
        limits: EngineLimits | None = None,
        memories: Path | None = None,
    ) -> None:
        self.loaded, self.context_tokens = loaded, context_tokens
        # As stored memories have it, with which it is compared.
        self.config = resolve_auto_lookup(config, loaded.model.device, loaded.model.dtype)
        self.limits = limits or EngineLimits()
        self.scheduler = Scheduler(loaded.model, self.limits.width)
        self.prefix_cache = PrefixCache(self.limits.cached_prefixes)
        self.library: MemoryLibrary | None = None
        if memories is not None:
            self.library = MemoryLibrary(loaded.model, memories, self.limits.open_memories)
        self._turn = threading.Lock()
        # Appended to and popped from by any thread, which deques allow without a lock.
        self._arrived: deque[Sequence | PrefillJob] = deque()
        self._left: deque[Sequence] = deque()

    @property
    def num_waiting(self) -> int:
        """Replies and texts that wait for a turn."""
        return len(self._arrived) + len(self.scheduler.waiting) + len(self.scheduler.jobs)

    @property
    def num_running(self) -> int:
        """Replies that are being made."""
        return len(self.scheduler.running)

    def create_sequences(
        self,
        prompt: list[int],
        params: GenerationParams,
        *,
        n: int = 1,
        memory: SequenceState | None = None,
    ) -> tuple[Sequence, ...]:
        """Return `n` replies to a prompt; the first reads it and takes the others along.

        What has most of the prompt's beginning in its cache is continued: the memory that is
        given, a stored one, or an earlier prompt.

        Raises:
            UsageError: The prompt has no tokens, or a limit has no meaning.
            ContextTooLong: Prompt and reply do not fit into `context_tokens`.
        """
        self._check(prompt, params)
        sequences = tuple(self._sequence(prompt, params, index) for index in range(n))
        first = sequences[0]
        first.state, first.cached_tokens = self._begin(prompt, memory)
        first.siblings = sequences[1:]
        checkpoints = self.prefix_cache.checkpoints(prompt, self.config.chunk_tokens)
        first.on_prefilled = partial(self._keep_prefix, checkpoints)
        return sequences

    def submit(self, work: Sequence | PrefillJob) -> None:
        """Queue the first of a prompt's replies, or a text to be prefilled.

        Raises:
            ModelUnavailable: Too many are waiting.
        """
        most, waiting = self.limits.max_waiting, self.num_waiting
        if most is not None and waiting >= most:
            raise ModelUnavailable(
                f"{waiting} replies are waiting, which is the limit", retry_after_s=2.0
            )
        self._arrived.append(work)

    def cancel(self, sequences: Iterable[Sequence]) -> None:
        """Let replies end before the next step, which frees their places and caches."""
        self._left.extend(sequences)
        self._settle()

    def withdraw(self, job: PrefillJob) -> None:
        """Take a text out; nothing works on it any more when this returns."""
        with self._turn:
            self._take_over()
            if job in self.scheduler.jobs:
                self.scheduler.jobs.remove(job)

    def step(self) -> None:
        """Run one step of the scheduler: the only place that runs the model for replies."""
        with self._turn:
            self._take_over()
            try:
                self.scheduler.step()
            except Exception as error:  # noqa: BLE001 -- whoever waits is told; nothing may hang
                self.scheduler.fail_all(ModelError(f"the model failed: {error}"))
        self._settle()

    def _settle(self) -> None:
        """Take over what came during a step, unless another step does so when it ends.

        Whoever fails to get the turn may rely on its holder: it comes by here after it gave the
        turn back, and sees what was appended before.
        """
        while self._left and self._turn.acquire(blocking=False):
            try:
                self._take_over()
            finally:
                self._turn.release()

    def _take_over(self) -> None:
        # What left may have just arrived: arrivals first, so that it is found and ended.
        while self._arrived:
            work = self._arrived.popleft()
            if isinstance(work, Sequence):
                self.scheduler.add(work)
            else:
                self.scheduler.jobs.append(work)
        while self._left:
            self._left.popleft().cancel()
        self.scheduler.drop_ended()

    def _sequence(self, prompt: list[int], params: GenerationParams, index: int) -> Sequence:
        sampling = params.sampling
        if sampling.seed is not None:
            sampling = replace(sampling, seed=sampling.seed + index)
        return Sequence(
            params=params,
            eos_token_ids=self.loaded.eos_token_ids,
            state=None,
            detokenizer=IncrementalDetokenizer(self.loaded.tokenizer.decode, params.stop),
            sampler=Sampler(sampling, frozenset(prompt)),
            prompt_tokens=len(prompt),
            index=index,
        )

    def _begin(self, prompt: list[int], memory: SequenceState | None) -> tuple[SequenceState, int]:
        """Return a state that has most of the prompt's beginning, and how much that is."""
        stored = self.library.find(prompt, self.config) if self.library is not None else None
        known = (memory, stored, self.prefix_cache.find(prompt))
        fitting = [state for state in known if state is not None and state.is_prefix_of(prompt)]
        best = max(fitting, key=lambda state: state.num_computed, default=None)
        if best is None:
            return new_sequence_state(self.loaded.model, self.config, prompt), 0
        state = best.fork()
        # What waited in it for a full chunk is part of the prompt, or is not wanted.
        state.tokens = list(prompt)
        return state, best.num_computed

    def _keep_prefix(self, checkpoints: frozenset[int], state: SequenceState) -> None:
        if state.num_computed in checkpoints:
            self.prefix_cache.keep(state)

    def _check(self, prompt: list[int], params: GenerationParams) -> None:
        vocabulary = int(self.loaded.model.config.vocab_size)
        if not prompt:
            raise UsageError("the prompt has no tokens; at least one is needed")
        if not 0 <= min(prompt) <= max(prompt) < vocabulary:
            raise UsageError(f"the prompt has tokens that the model's {vocabulary} do not include")
        if params.max_tokens < 1:
            raise UsageError(f"max_tokens is {params.max_tokens}, but at least 1 is needed")
        if any(not stop for stop in params.stop):
            raise UsageError("a stop string is empty")
        wanted = len(prompt) + params.max_tokens
        if wanted > self.context_tokens:
            raise ContextTooLong(
                f"a prompt of {len(prompt)} tokens and a reply of {params.max_tokens} make "
                f"{wanted}; the limit is {self.context_tokens}"
            )
