"""Many replies at once: prompts are read chunk by chunk between steps of decoding.

Yu et al., Orca, https://www.usenix.org/conference/osdi22/presentation/yu: replies join and leave
the batch at every step. A step reads at most one chunk of one prompt, so that a long prompt delays
the others by a chunk at a time (Agrawal et al., Sarathi, https://arxiv.org/abs/2308.16369).
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from torch import Tensor

from lcagent.engine.adapters import AdaptedModel
from lcagent.engine.failures import failure_of
from lcagent.engine.generation.sequences import Sequence
from lcagent.engine.reading import decode, finish, read_chunk


@dataclass(slots=True)
class Scheduler:
    """Runs replies in a batch of fixed width. Not thread-safe: one caller at a time.

    Attributes:
        width: Replies that are made at the same time; the rest waits.
    """

    model: AdaptedModel
    width: int = 1
    waiting: deque[Sequence] = field(default_factory=deque[Sequence])
    running: list[Sequence] = field(default_factory=list[Sequence])

    @property
    def has_work(self) -> bool:
        """Some reply has not ended."""
        return bool(self.waiting or self.running)

    def add(self, sequence: Sequence) -> None:
        """Queue a reply."""
        self.waiting.append(sequence)

    def step(self) -> None:
        """Read one chunk of one prompt, and decode one token of each reply whose prompt is read."""
        self._drop_ended()
        while self.waiting and len(self.running) < self.width:
            self.running.append(self.waiting.popleft())
        unread = [sequence for sequence in self.running if not sequence.is_prefilled]
        if unread:
            self._prefill(unread)
        ready = [each for each in self.running if each.is_prefilled and each.finish is None]
        if ready:
            self._decode(ready)
        self._drop_ended()

    def run(self) -> None:
        """Work until all replies have ended."""
        while self.has_work:
            self.step()

    def _prefill(self, unread: list[Sequence]) -> None:
        """Go on with the first prompt, and let the next step take another's turn."""
        sequence = unread[0]
        self.running.remove(sequence)
        self.running.append(sequence)
        self._guarded(self._read_some, [sequence])

    def _read_some(self, sequences: list[Sequence]) -> None:
        (sequence,) = sequences
        reading = sequence.reading
        assert reading is not None
        if read_chunk(self.model, reading):
            if sequence.on_progress is not None:
                sequence.on_progress(reading.read, len(reading.tokens))
            if sequence.on_reading is not None and reading.read in sequence.places:
                sequence.on_reading(reading)
        else:
            logits = finish(self.model, reading)
            for sibling in sequence.siblings:
                sibling.reading = reading.fork()
                self.waiting.appendleft(sibling)
            for each in (*sequence.siblings, sequence):
                self._take(each, logits)

    def _decode(self, ready: list[Sequence]) -> None:
        self._guarded(self._decode_all, ready)

    def _decode_all(self, ready: list[Sequence]) -> None:
        readings = [each.reading for each in ready if each.reading is not None]
        tokens = [each.choices[-1].token for each in ready]
        logits = decode(self.model, readings, tokens, self.width)
        for sequence, row in zip(ready, logits, strict=True):
            self._take(sequence, row)

    def _take(self, sequence: Sequence, logits: Tensor) -> None:
        """Choose a token; a reply whose choice fails ends alone."""
        try:
            sequence.take(logits)
        except Exception as error:  # noqa: BLE001 - whatever it is, others must go on
            sequence.fail(failure_of(error))

    def _guarded(self, work: Callable[[list[Sequence]], None], sequences: list[Sequence]) -> None:
        """Let an error end these replies and no others."""
        try:
            work(sequences)
        except Exception as error:  # noqa: BLE001 - whatever it is, others must go on
            for sequence in sequences:
                for each in (sequence, *sequence.siblings):
                    each.fail(failure_of(error))

    def _drop_ended(self) -> None:
        self.running = [each for each in self.running if each.finish is None]
        if any(each.finish is not None for each in self.waiting):
            self.waiting = deque(each for each in self.waiting if each.finish is None)
