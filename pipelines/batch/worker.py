"""A worker: one loop that claims items of a job, carries them out, and keeps its claims alive.

Any number of workers, on any machines that share the store, may be at one job. Claims are renewed
by a thread, because reading a file or counting tokens may hold the loop up for longer than a lease
lasts; a claim that was lost meanwhile ends the item here, since another worker is at it.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from lcagent import __version__
from lcagent.errors import BudgetExceeded, LcagentError, ModelNotUsable, StorageError
from lcagent.pipelines.batch.items import (
    ItemOptions,
    budget_of,
    carry_out,
    is_mended_by_another_attempt,
    is_of_the_server,
    plan_item,
)
from lcagent.pipelines.preparing import JobItem
from lcagent.pipelines.session import Session
from lcagent.results import Usage
from lcagent.storage.item_queue import ITEM_LEASE_S, ClaimedItem, Failure, ItemQueue
from lcagent.storage.job_store import JobStore, StoredJob
from lcagent.storage.leases import LeaseHeld, Owner

IN_FLIGHT = 16
ATTEMPTS = 3
_RENEWALS = 4
_POLL_S = 0.5
_HELD_ELSEWHERE_S = 20.0
_LONGEST_DELAY_S = 60.0
_STORAGE_TRIES = 6
_FAILURES_IN_A_ROW = 12
_LOST_TWICE = 2

ResultT = TypeVar("ResultT")


class Stop:
    """How a job is asked to stop: softly, so that running items end, or now."""

    def __init__(self) -> None:
        self._asked = asyncio.Event()
        self._now = asyncio.Event()

    @property
    def is_asked(self) -> bool:
        """Whether no more items are to begin."""
        return self._asked.is_set()

    def ask(self) -> None:
        """Begin no more items; asked a second time, stop now."""
        (self._now if self.is_asked else self._asked).set()

    def ask_softly(self) -> None:
        """Begin no more items."""
        self._asked.set()

    def now(self) -> None:
        """End what is running, too; it is begun again by whoever goes on."""
        self._asked.set()
        self._now.set()

    async def waited(self, *, is_now: bool = False) -> None:
        """Return once it is asked for."""
        await (self._now if is_now else self._asked).wait()


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """How a worker goes about it.

    Attributes:
        in_flight: Items at the same time.
        attempts: How many an item may have.
        item_max_usd: What one item may cost.
        base_url: Of the server, with what proves the user there and is not stored with the job.
        stops_at_unusable_models: All items ask the same model, so one that cannot be asked stops
            the job.
    """

    in_flight: int = IN_FLIGHT
    attempts: int = ATTEMPTS
    item_max_usd: float | None = None
    base_url: str | None = None
    stops_at_unusable_models: bool = True
    lease_s: float = ITEM_LEASE_S
    engine: str = "local"


@dataclass(slots=True)
class _Running:
    """An item that is being worked at."""

    item: ClaimedItem
    step: str = "begun"
    spent: Callable[[], Usage] = Usage
    is_lost: bool = False
    began: float = field(default_factory=time.monotonic)


class Worker:
    """Works at the items of one job until none is left, or it is stopped.

    Attributes:
        error: What stopped the whole job, if something did.
    """

    def __init__(
        self, session: Session, job: StoredJob, options: WorkerOptions, stop: Stop
    ) -> None:
        self.error: LcagentError | None = None
        self._session = session
        self._job = job
        self._options = options
        self._stop = stop
        database = session.services.database
        self._store = JobStore(database)
        owner = Owner.of_this_process()
        self._queue = ItemQueue(database, job.id, owner, lease_s=options.lease_s)
        self._running: dict[asyncio.Task[None], _Running] = {}
        self._failures_in_a_row = 0

    def steps(self) -> list[tuple[str, str]]:
        """Return what is running: each item's name, and how far it has come."""
        return [(each.item.input, each.step) for each in self._running.values()]

    async def run(self) -> None:
        """Work until no item is left, the job is stopped, or an error stops all of it."""
        await _patiently(self._queue.enter, self._options.engine, __version__)
        keeper = _LeaseKeeper(self._queue, self._options.lease_s / _RENEWALS, self._drop_lost)
        keeper.start()
        try:
            await self._work()
        finally:
            await self._end_running()
            keeper.stop()
            with suppress(StorageError):
                await asyncio.to_thread(self._queue.leave)

    async def _work(self) -> None:
        while not self._stop.is_asked:
            await self._check_time()
            is_full = len(self._running) >= self._options.in_flight or self._is_alone()
            claimed = [] if is_full or self._stop.is_asked else await self._claim()
            for item in claimed:
                self._start(item)
            if claimed:
                continue
            if self._running:
                await self._wait_for_change()
            elif not await self._is_more_to_come():
                return
        while self._running:
            await self._wait_for_change()

    async def _claim(self) -> list[ClaimedItem]:
        free = self._options.in_flight - len(self._running)
        return await _patiently(lambda: self._queue.claim(free, is_idle=not self._running))

    def _is_alone(self) -> bool:
        """Say whether an item is running that others must not be lost with."""
        return any(each.item.losses >= _LOST_TWICE for each in self._running.values())

    async def _is_more_to_come(self) -> bool:
        """Wait a little for items that come back; False if the job has nothing left to do."""
        await _patiently(self._queue.free_lost)
        if (await _patiently(self._store.load, self._job.id)).status != "running":
            return False
        wait_s = await _patiently(self._queue.wait_s)
        if wait_s is None and not await _patiently(self._queue.is_anybody_at_it):
            return False
        await self._pause(min(max(wait_s or _POLL_S, 0.0), _POLL_S))
        return True

    async def _wait_for_change(self) -> None:
        """Wait for an item to end, for an order to stop, or a moment."""
        is_stopping = self._stop.is_asked
        stop = asyncio.ensure_future(self._stop.waited(is_now=is_stopping))
        try:
            await asyncio.wait(
                {stop, *self._running}, timeout=_POLL_S, return_when=asyncio.FIRST_COMPLETED
            )
            if stop.done() and is_stopping:
                await self._end_running()
        finally:
            stop.cancel()
        for task in [task for task in self._running if task.done()]:
            self._running.pop(task)
            task.result()

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stop.waited(), seconds)

    async def _end_running(self) -> None:
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _check_time(self) -> None:
        left_s = await _patiently(self._store.time_left_s, self._job)
        if left_s is not None and left_s <= 0:
            most_s = self._job.limits["max_time_s"]
            self._give_up(BudgetExceeded(f"the time of the job is up (--max-time {most_s:g} s)"))

    def _start(self, item: ClaimedItem) -> None:
        running = _Running(item)
        task = asyncio.ensure_future(self._carry_out(running))
        self._running[task] = running

    async def _carry_out(self, running: _Running) -> None:
        """Carry out one item, and record how it ended; what stops all of the job is kept."""
        try:
            await self._attempt(running)
        except asyncio.CancelledError:
            if not running.is_lost:
                await asyncio.shield(self._release(running))
        except LeaseHeld:  # who was at its run before has not died, or not for long
            await self._release(running, delay_s=_HELD_ELSEWHERE_S)
        except StorageError as error:
            await self._release(running, delay_s=1.0)
            self._give_up(error)
        except Exception as error:  # noqa: BLE001 -- whatever ends an item, the others go on
            await self._fail(running, _first(error))
        else:
            self._failures_in_a_row = 0

    async def _attempt(self, running: _Running) -> None:
        item = running.item
        reserved = await self._reserve(item)
        if reserved is None:
            return
        budget = budget_of(item, *reserved)
        running.spent = budget.spent
        result = await carry_out(
            self._session,
            item,
            JobItem(item.run_id, self._job.id, budget),
            options=ItemOptions(self._options.item_max_usd, self._options.base_url),
            on_step=lambda step: setattr(running, "step", step),
        )
        seconds = time.monotonic() - running.began
        await _patiently(self._queue.finish, item, budget.spent(), seconds, result)

    async def _reserve(self, item: ClaimedItem) -> tuple[int | None, float | None] | None:
        """Reserve what an item may take, once there is room; None if there never will be."""
        limits = self._job.limits
        if limits.get("max_calls") is None and limits.get("max_usd") is None:
            return None, None
        plan = await plan_item(self._session, item.request)
        if plan is None:
            return None, None
        if limits.get("max_usd") is not None and plan.usd is None:
            raise ModelNotUsable(
                f"the price of {plan.model} is not known, so --max-usd cannot hold: add "
                "usd_per_million_prompt and usd_per_million_completion to models.toml"
            )
        usd, calls = plan.usd or 0.0, plan.calls
        while not self._stop.is_asked:
            reservation = await _patiently(self._queue.reserve, item, calls, usd)
            if reservation == "reserved":
                return (
                    calls if limits.get("max_calls") is not None else None,
                    usd if limits.get("max_usd") is not None else None,
                )
            if reservation == "too much":
                self._give_up(BudgetExceeded(_does_not_fit(limits, calls, usd)))
            else:
                await self._pause(_POLL_S)
        await self._release(_Running(item))
        return None  # it is queued again, for whoever goes on

    async def _release(self, running: _Running, *, delay_s: float = 0.0) -> None:
        with suppress(StorageError):  # its lease ends by itself then
            await asyncio.to_thread(
                lambda: self._queue.release(running.item, running.spent(), delay_s=delay_s)
            )

    async def _fail(self, running: _Running, error: BaseException) -> None:
        is_for_all = isinstance(error, ModelNotUsable) and self._options.stops_at_unusable_models
        if is_for_all and isinstance(error, LcagentError):
            await self._release(running)
            self._give_up(error)
            return
        item = running.item
        again = is_mended_by_another_attempt(error) or (
            isinstance(error, BudgetExceeded) and self._options.item_max_usd is None
        )
        why = Failure(
            error=str(error) or type(error).__name__,
            kind=type(error).__name__,
            step=running.step,
            attempts=self._options.attempts if again else 0,
            delay_s=min(_LONGEST_DELAY_S, 2.0 ** (item.attempts - item.losses) / 2),
        )
        seconds = time.monotonic() - running.began
        await _patiently(self._queue.fail, item, running.spent(), seconds, why)
        self._failures_in_a_row = self._failures_in_a_row + 1 if is_of_the_server(error) else 0
        most = max(_FAILURES_IN_A_ROW, 2 * self._options.in_flight)
        if self._failures_in_a_row >= most and isinstance(error, LcagentError):
            self._give_up(error)

    def _give_up(self, error: LcagentError) -> None:
        """Stop the whole job because of an error that its other items will meet, too."""
        self.error = self.error or error
        self._stop.ask_softly()

    def _drop_lost(self, held: set[int], asked_at: float) -> None:
        """End the items that another worker took, because their leases had ended."""
        for task, running in self._running.items():
            if running.item.position not in held and running.began < asked_at:
                running.is_lost = True
                task.cancel()


class _LeaseKeeper(threading.Thread):
    """Renews the claims of a worker, whatever holds up its loop."""

    def __init__(
        self, queue: ItemQueue, every_s: float, on_held: Callable[[set[int], float], None]
    ) -> None:
        super().__init__(name="lcagent-leases", daemon=True)
        self._queue = queue
        self._every_s = every_s
        self._on_held = on_held
        self._loop = asyncio.get_running_loop()
        self._ended = threading.Event()

    def run(self) -> None:
        """Renew until stopped."""
        while not self._ended.wait(self._every_s):
            with suppress(StorageError, RuntimeError):  # away for a moment; or the loop has ended
                asked_at = time.monotonic()
                held = self._queue.renew()
                self._loop.call_soon_threadsafe(self._on_held, held, asked_at)
                self._queue.free_lost()

    def stop(self) -> None:
        """Renew no more."""
        self._ended.set()
        self.join()


async def _patiently(work: Callable[..., ResultT], *arguments: Any) -> ResultT:
    """Ask the database, and again if it is away for a moment."""
    for attempt in range(_STORAGE_TRIES):
        try:
            return await asyncio.to_thread(work, *arguments)
        except StorageError:
            if attempt == _STORAGE_TRIES - 1:
                raise
            await asyncio.sleep(2.0**attempt / 4)
    raise AssertionError("unreachable")


def _does_not_fit(limits: dict[str, Any], calls: int, usd: float) -> str:
    if limits.get("max_usd") is not None:
        return (
            f"the next item may cost ${usd:.4f}, which is more than is left of "
            f"${limits['max_usd']:g} (--max-usd): raise --max-usd to go on"
        )
    return (
        f"the next item may take {calls} calls, which is more than is left of "
        f"{limits['max_calls']} (--max-calls): raise --max-calls to go on"
    )


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
