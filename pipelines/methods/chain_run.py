"""One run of Chain-of-Agents: its chunks, its paths, and the notes of each as they grow.

Every step is recorded when it ends, so that the notes at any place of a path can be made again
from the record, in a process that never saw them grow.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from lcagent.agents.chain.chain_of_agents import Chain
from lcagent.agents.chain.notes import LABEL_PREFIXES, Notes, NotesDelta
from lcagent.agents.chain.worker_chunks import WorkerChunk
from lcagent.models.limits import Metered
from lcagent.pipelines.methods.chain_options import ChainOptions, Order
from lcagent.pipelines.running.recording import Record
from lcagent.storage.run_store import StoredStep

FACTS_PER_CHUNK = 100
"""Labels kept for each chunk where workers do not know each other's notes."""

SEED = 20_240_602
"""Of shuffled orders; fixed, so that a run can be repeated."""


@dataclass(frozen=True, slots=True)
class Path:
    """One way through the chunks.

    Attributes:
        order: The indices of the chunks as they are read.
    """

    number: int
    order: tuple[int, ...]

    @property
    def label_prefix(self) -> str:
        """The letter of its facts' labels."""
        return LABEL_PREFIXES[self.number % len(LABEL_PREFIXES)]


@dataclass(slots=True)
class ChainRun:
    """The chunks of a run, and what is known after reading some of them.

    Attributes:
        likeness: Indices of chunks, those most like the question first.
    """

    chain: Chain
    chunks: Sequence[WorkerChunk]
    options: ChainOptions
    record: Record
    likeness: Sequence[int] = ()
    _known: dict[int, tuple[int, Notes]] = field(default_factory=dict[int, tuple[int, Notes]])

    @property
    def paths(self) -> list[Path]:
        """The ways through the chunks, one for each order."""
        orders = ("ltr",) if self.options.reads_at_once else self.options.orders
        return [Path(number, self._order(order, number)) for number, order in enumerate(orders)]

    @property
    def reads(self) -> int:
        """How many times a worker reads."""
        return len(self.paths) * len(self.chunks)

    def worker(self, path: Path) -> tuple[Chain, Metered]:
        """Return the chain as one step of a path uses it, and what counts its calls."""
        metered = Metered(self.chain.model)
        return replace(self.chain, model=metered, sample=path.number), metered

    def notes_before(self, path: Path, position: int) -> Notes:
        """Return what is known on a path before the worker at `position` reads."""
        if self.options.reads_at_once:
            return Notes(path.label_prefix, labels_given=position * FACTS_PER_CHUNK)
        done, notes = self._known.get(path.number, (0, Notes(path.label_prefix)))
        if done > position:
            done, notes = 0, Notes(path.label_prefix)
        for place in range(done, position):
            notes = notes.apply(self.change(_read(path, place)))
        self._known[path.number] = (position, notes)
        return notes

    def notes_after_reading(self, path: Path) -> Notes:
        """Return all that the workers of a path noted, and what was read again or chosen."""
        if self.options.reads_at_once:
            notes = self._joined(path)
        else:
            notes = self.notes_before(path, len(path.order))
        for step in self.record.steps(f"after/{path.number}/"):
            notes = notes.apply(self.change(step.key))
        return notes

    async def read(self, path: Path, position: int) -> WorkerChunk:
        """Let the worker at `position` of a path read, and return its chunk."""
        chunk = self.chunks[path.order[position]]
        chain, metered = self.worker(path)
        purpose = f"worker {position + 1} of {len(path.order)}"
        if self.options.baseline == "merge":
            change = NotesDelta(message=await chain.answer_alone(chunk, purpose))
        else:
            change = await chain.read(chunk, self.notes_before(path, position), purpose)
        await self.keep(_read(path, position), change, metered, chunk)
        return chunk

    async def keep(
        self, key: str, change: NotesDelta, metered: Metered, chunk: WorkerChunk | None = None
    ) -> None:
        """Record a step that ended."""
        pages = [] if chunk is None else [[p.document_id, p.page_index] for p in chunk.pages]
        detail: dict[str, Any] = {"pages": pages, "change": change.as_json()}
        if chunk is not None:
            detail["chunk"] = chunk.index
        await self.record.add(StoredStep(key, detail, metered.calls))

    def change(self, key: str) -> NotesDelta:
        """Return what a recorded step changed."""
        return NotesDelta.from_json(self.record[key].detail["change"])

    def changes(self, path: Path) -> list[tuple[WorkerChunk, NotesDelta]]:
        """Return what each worker of a path noted, with its chunk, in the order of reading."""
        return [
            (self.chunks[index], self.change(_read(path, position)))
            for position, index in enumerate(path.order)
        ]

    def reads_done(self) -> int:
        """Return how many workers have read so far."""
        return sum(1 for _ in self.record.steps("read/"))

    def _joined(self, path: Path) -> Notes:
        """Return the notes of workers who read at the same time."""
        changes = [change for _, change in self.changes(path)]
        notes = Notes(path.label_prefix, labels_given=len(changes) * FACTS_PER_CHUNK)
        for change in changes:
            notes = notes.apply(replace(change, message=None, open_questions=None, answer=None))
        messages = [change.message for change in changes if change.message]
        return replace(notes, message="\n".join(messages))

    def _order(self, order: Order, number: int) -> tuple[int, ...]:
        indices = list(range(len(self.chunks)))
        if order == "rtl":
            indices.reverse()
        elif order == "random":
            random.Random(SEED + number).shuffle(indices)  # noqa: S311 -- an order, no secret
        elif order == "similarity":
            indices = list(dict.fromkeys([*self.likeness, *indices]))
        return tuple(indices)


def _read(path: Path, position: int) -> str:
    return f"read/{path.number}/{position}"
