"""Several replies at once for the callers of one event loop, without a server.

The model runs in a thread, one step at a time. Replies join and leave between two steps only, so
that what the thread and the loop share needs no lock.
"""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from lcagent.engine.generation.scheduling import Scheduler
from lcagent.engine.generation.sequences import Piece, Sequence
from lcagent.errors import ModelError


@dataclass(slots=True)
class Replying:
    """Makes replies as long as somebody waits for one.

    Attributes:
        turn: Held during a step; other loops that use the same model share it.
    """

    scheduler: Scheduler
    turn: threading.Lock
    _new: list[Sequence] = field(default_factory=list[Sequence])
    _left: list[Sequence] = field(default_factory=list[Sequence])
    _task: "asyncio.Task[None] | None" = None

    async def make(self, reply: Sequence, on_text: Callable[[str], None]) -> None:
        """Make a reply to its end, handing its text on as it comes.

        A caller that is cancelled frees its place before the next step.

        Raises:
            ModelError: The reply failed.
        """
        loop = asyncio.get_running_loop()
        over: asyncio.Future[None] = loop.create_future()
        reply.on_piece = _teller(loop, over, on_text)
        self._new.append(reply)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work())
        try:
            await over
        finally:
            self._left.append(reply)
        if reply.error is not None:
            raise reply.error

    async def _work(self) -> None:
        self._take_over()
        while self.scheduler.has_work:
            try:
                await asyncio.to_thread(self._step)
            except Exception as error:  # noqa: BLE001 -- whoever waits is told; nothing may hang
                for reply in (*self.scheduler.running, *self.scheduler.waiting):
                    reply.fail(ModelError(f"the model failed: {error}"))
            self._take_over()

    def _step(self) -> None:
        with self.turn:
            self.scheduler.step()

    def _take_over(self) -> None:
        for reply in self._new:
            self.scheduler.add(reply)
        for reply in self._left:
            reply.cancel()
        self._new, self._left = [], []


def _teller(
    loop: asyncio.AbstractEventLoop, over: "asyncio.Future[None]", on_text: Callable[[str], None]
) -> Callable[[Piece], None]:
    def tell(piece: Piece) -> None:
        if over.done():
            return
        if piece.text:
            on_text(piece.text)
        if piece.finish is not None:
            over.set_result(None)

    def send(piece: Piece) -> None:
        if not loop.is_closed():  # a step may outlive the loop that asked for it
            loop.call_soon_threadsafe(tell, piece)

    return send
