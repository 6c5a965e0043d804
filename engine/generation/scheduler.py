"""Many replies at once: prompts are prefilled chunk by chunk between steps of decoding.

Yu et al., Orca, https://www.usenix.org/conference/osdi22/presentation/yu: replies join and leave
the batch at every step. A step prefills at most one chunk of one prompt, so that a long prompt
delays the others by a chunk at a time (Agrawal et al., Sarathi, https://arxiv.org/abs/2308.16369).
Texts that are read into memories take part by a chunk a step, too.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from torch import Tensor

from lcagent.engine.adapters import AdaptedModel
from lcagent.engine.failures import as_lcagent_error
from lcagent.engine.generation.sequences import Sequence
from lcagent.engine.model_runner import SequenceState, decode, prefill_chunk, prefill_last
from lcagent.errors import LcagentError


@dataclass(slots=True, eq=False)
class PrefillJob:
    """A text to be prefilled as far as full chunks go, without a reply.

    Attributes:
        is_done: All chunks are in the cache, or `error` says why not.
    """

    state: SequenceState
    is_done: bool = False
    error: LcagentError | None = None


@dataclass(slots=True)
class Scheduler:
    """Runs replies in a batch of fixed width. Not thread-safe: one caller at a time.

    Attributes:
        width: Replies that are made at the same time; the rest waits.
        jobs: Texts to be prefilled, in order.
    """

    model: AdaptedModel
    width: int = 1
    waiting: deque[Sequence] = field(default_factory=deque[Sequence])
    running: list[Sequence] = field(default_factory=list[Sequence])
    jobs: deque[PrefillJob] = field(default_factory=deque[PrefillJob])

    @property
    def has_work(self) -> bool:
        """Some reply has not ended."""
        return bool(self.waiting or self.running)

    def add(self, sequence: Sequence) -> None:
        """Queue a reply."""
        self.waiting.append(sequence)

    def step(self) -> None:
        """Prefill a chunk of one prompt, decode a token of each other reply, advance one job."""
        self.drop_ended()
        while self.waiting and len(self.running) < self.width:
            self.running.append(self.waiting.popleft())
        unread = [sequence for sequence in self.running if not sequence.is_prefilled]
        if unread:
            self._prefill(unread)
        # What was just prefilled decodes at once: its first token came with the prompt.
        ready = [each for each in self.running if each.is_prefilled and each.finish is None]
        if ready:
            self._guarded(self._decode_all, ready)
        if self.jobs:
            self._run_job(self.jobs[0])
        self.drop_ended()

    def run(self) -> None:
        """Work until all replies have ended."""
        while self.has_work:
            self.step()

    def fail_all(self, error: LcagentError) -> None:
        """End everything by an error: nobody may wait for what never comes."""
        for sequence in (*self.running, *self.waiting):
            for each in (sequence, *sequence.siblings):
                each.fail(error)
        for job in self.jobs:
            job.is_done, job.error = True, error
        self.jobs.clear()
        self.drop_ended()

    def drop_ended(self) -> None:
        """Give the places of replies that have ended to others."""
        self.running = [each for each in self.running if each.finish is None]
        if any(each.finish is not None for each in self.waiting):
            self.waiting = deque(each for each in self.waiting if each.finish is None)

    def _prefill(self, unread: list[Sequence]) -> None:
        """Go on with the first prompt, and let the next step take another's turn."""
        sequence = unread[0]
        # At the end of the batch it is the last of the unread ones at the next step.
        self.running.remove(sequence)
        self.running.append(sequence)
        self._guarded(self._prefill_some, [sequence])

    def _prefill_some(self, sequences: list[Sequence]) -> None:
        (sequence,) = sequences
        state = sequence.state
        assert state is not None
        if prefill_chunk(self.model, state):
            if sequence.on_prefilled is not None:
                sequence.on_prefilled(state)
            return
        logits = prefill_last(self.model, state)
        # Siblings go to the front: their prompt is read, and each holds a window already.
        for sibling in sequence.siblings:
            sibling.state = state.fork()
            self.waiting.appendleft(sibling)
        for each in (*sequence.siblings, sequence):
            self._take(each, logits)

    def _decode_all(self, ready: list[Sequence]) -> None:
        states = [each.state for each in ready if each.state is not None]
        tokens = [each.tokens[-1].token for each in ready]
        logits = decode(self.model, states, tokens, self.width)
        for sequence, row in zip(ready, logits, strict=True):
            self._take(sequence, row)

    def _run_job(self, job: PrefillJob) -> None:
        try:
            job.is_done = not prefill_chunk(self.model, job.state)
        except Exception as error:  # noqa: BLE001 - whatever it is, others must go on
            job.is_done, job.error = True, as_lcagent_error(error)
        if job.is_done:
            self.jobs.popleft()

    def _take(self, sequence: Sequence, logits: Tensor) -> None:
        """Choose a token; a reply whose choice fails ends alone."""
        try:
            sequence.take(logits)
        except Exception as error:  # noqa: BLE001 - whatever it is, others must go on
            sequence.fail(as_lcagent_error(error))

    def _guarded(self, work: Callable[[list[Sequence]], None], sequences: list[Sequence]) -> None:
        """Let an error end these replies and no others."""
        try:
            work(sequences)
        except Exception as error:  # noqa: BLE001 - whatever it is, others must go on
            for sequence in sequences:
                for each in (sequence, *sequence.siblings):
                    each.fail(as_lcagent_error(error))
