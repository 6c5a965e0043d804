"""The one task that runs the model: replies and readings take turns on it.

Requests come from the event loop, the model runs in a thread. What they share changes hands
between two steps only, so that neither needs a lock.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from lcagent.engine.failures import failure_of
from lcagent.engine.generation.scheduling import Scheduler
from lcagent.engine.generation.sequences import Piece, Sequence
from lcagent.engine.reading import Reading, read_chunk
from lcagent.engine.server.errors import QueueFull
from lcagent.errors import LcagentError


@dataclass(slots=True)
class ReadingJob:
    """A text that is read into a memory; `done` is set when it is read as far as chunks go."""

    reading: Reading
    done: "asyncio.Future[None]"


@dataclass(slots=True)
class Worker:
    """Steps the scheduler as long as there is work."""

    scheduler: Scheduler
    most_waiting: int
    _new: list[Sequence] = field(default_factory=list[Sequence])
    _cancelled: list[Sequence] = field(default_factory=list[Sequence])
    _jobs: deque[ReadingJob] = field(default_factory=deque[ReadingJob])
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def waiting(self) -> int:
        """Replies that wait for a turn."""
        return len(self._new) + len(self.scheduler.waiting)

    @property
    def running(self) -> int:
        """Replies that are being made."""
        return len(self.scheduler.running)

    def submit(self, replies: tuple[Sequence, ...]) -> "asyncio.Queue[tuple[int, Piece]]":
        """Queue replies to one prompt; pieces arrive with the number of their reply.

        Raises:
            QueueFull: Too many are waiting.
        """
        self._check_room()
        loop = asyncio.get_running_loop()
        pieces: asyncio.Queue[tuple[int, Piece]] = asyncio.Queue()
        for number, reply in enumerate(replies):
            reply.on_piece = _sender(loop, pieces, number)
        self._new.append(replies[0])
        self._wake.set()
        return pieces

    async def read(self, reading: Reading) -> None:
        """Read a text, chunk by chunk, between steps of replies."""
        self._check_room()
        job = ReadingJob(reading, asyncio.get_running_loop().create_future())
        self._jobs.append(job)
        self._wake.set()
        try:
            await job.done
        finally:
            if job in self._jobs:
                self._jobs.remove(job)

    def cancel(self, replies: tuple[Sequence, ...]) -> None:
        """Let replies end before the next step."""
        self._cancelled += replies
        self._wake.set()

    async def run(self) -> None:
        """Work for ever."""
        while True:
            self._take_over()
            if not self.scheduler.has_work and not self._jobs:
                self._wake.clear()
                await self._wake.wait()
                continue
            job = self._jobs[0] if self._jobs else None
            error, is_read = await asyncio.to_thread(self._step, job)
            if job is not None and job in self._jobs:
                self._settle(job, error, is_read=is_read)

    def _take_over(self) -> None:
        for reply in self._cancelled:
            reply.cancel()
        for reply in self._new:
            self.scheduler.add(reply)
        self._cancelled, self._new = [], []

    def _step(self, job: ReadingJob | None) -> tuple[LcagentError | None, bool]:
        """Make one step of all replies, and read one chunk; return how the reading went."""
        if self.scheduler.has_work:
            self.scheduler.step()
        if job is None:
            return None, False
        try:
            return None, not read_chunk(self.scheduler.model, job.reading)
        except Exception as error:  # noqa: BLE001 - whatever it is, others must go on
            return failure_of(error), True

    def _settle(self, job: ReadingJob, error: LcagentError | None, *, is_read: bool) -> None:
        if job.done.done() or is_read:
            self._jobs.remove(job)
        if not job.done.done() and is_read:
            if error is None:
                job.done.set_result(None)
            else:
                job.done.set_exception(error)

    def _check_room(self) -> None:
        if self.waiting + len(self._jobs) >= self.most_waiting:
            raise QueueFull(
                f"{self.waiting} replies are waiting, which is the limit", retry_after_s=2.0
            )


def _sender(
    loop: asyncio.AbstractEventLoop, pieces: "asyncio.Queue[tuple[int, Piece]]", number: int
) -> Callable[[Piece], None]:
    def send(piece: Piece) -> None:
        loop.call_soon_threadsafe(pieces.put_nowait, (number, piece))

    return send
