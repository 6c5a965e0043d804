"""Carrying out a job in this process: a worker, the file of results, and how it all ends.

async for item in run_async(JobRequest(AskTask(("x",), "Who signed it?"), ("reports/",))):
    print(item.input, item.status)
"""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lcagent.errors import LcagentError, StorageError, UsageError
from lcagent.pipelines.batch.output import ResultsFile, write_failures
from lcagent.pipelines.batch.planning import JobRequest, plan_job
from lcagent.pipelines.batch.worker import Stop, Worker, WorkerOptions
from lcagent.pipelines.session import Session
from lcagent.settings import Settings, load_settings
from lcagent.storage.job_store import ItemStatus, JobStore, StoredItem, StoredJob
from lcagent.tasks import ModelTask

_APPEND_EVERY_S = 1.0
_SLACK_S = 10.0
_FEED_EVERY_S = 0.3
_ENDED: tuple[ItemStatus, ...] = ("done", "failed", "quarantined")


@dataclass(frozen=True, slots=True)
class JobLimits:
    """What a job may take, all of its workers together."""

    max_usd: float | None = None
    max_calls: int | None = None
    max_time_s: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Return those that are set."""
        given = {name: getattr(self, name) for name in self.__slots__}
        return {name: limit for name, limit in given.items() if limit is not None}


@dataclass(frozen=True, slots=True)
class JobOutcome:
    """How a job stands when this process leaves it.

    Attributes:
        error: What stopped it, if anything did.
        is_interrupted: It was asked to stop.
        failures: The file of failures.
    """

    job: StoredJob
    counts: Mapping[ItemStatus, int]
    error: LcagentError | None = None
    is_interrupted: bool = False
    failures: Path | None = None

    @property
    def failed(self) -> int:
        """How many items did not end well."""
        return self.counts["failed"] + self.counts["quarantined"]


@dataclass(frozen=True, slots=True)
class JobProgress:
    """How far a job has come.

    Attributes:
        steps: What is running in this process: each item's name, and how far it has come.
        per_minute: Items that ended, as seen by this process; None before any did.
    """

    job: StoredJob
    counts: Mapping[ItemStatus, int]
    steps: tuple[tuple[str, str], ...] = ()
    per_minute: float | None = None

    @property
    def total(self) -> int:
        """How many items there are."""
        return sum(self.counts.values()) - self.counts["superseded"]

    @property
    def left_s(self) -> float | None:
        """Seconds until the end, if it goes on like this."""
        if not self.per_minute:
            return None
        return 60 * (self.counts["queued"] + self.counts["running"]) / self.per_minute


class JobRun:
    """A job as this process carries it out.

    Attributes:
        stop: Asks it to stop.
    """

    def __init__(
        self,
        session: Session,
        job: StoredJob,
        options: WorkerOptions | None = None,
        *,
        limits: JobLimits | None = None,
        stop: Stop | None = None,
        is_helper: bool = False,
    ) -> None:
        """Prepare to work at a job.

        Args:
            limits: Those of the job from now on.
            is_helper: Somebody else began the job, writes its results and ends it; this process
                only works at its items.
        """
        self.stop = stop or Stop()
        self._session = session
        self._job = job
        self._options = options or WorkerOptions()
        self._limits = limits or JobLimits()
        self._is_helper = is_helper
        self._store = JobStore(session.services.database)
        self._output: ResultsFile | None = None
        self._worker: Worker | None = None
        self._began = time.monotonic()
        self._ended_before: int | None = None

    async def run(self) -> JobOutcome:
        """Work until nothing is left, a limit is reached, or it is asked to stop.

        Raises:
            UsageError: The file of results holds something else.
            StorageError: The store or the file cannot be written.
        """
        if not self._is_helper:
            await asyncio.to_thread(self._begin)
        self._job = await asyncio.to_thread(self._store.load, self._job.id)
        self._worker = Worker(self._session, self._job, self._options, self.stop)
        work = asyncio.ensure_future(self._worker.run())
        error: LcagentError | None = None
        try:
            error = await self._accompany(work)
        finally:
            if not work.done():
                self.stop.now()
                await asyncio.gather(work, return_exceptions=True)
            ending = asyncio.ensure_future(asyncio.to_thread(self._end, error))
            with suppress(asyncio.CancelledError):
                await asyncio.shield(ending)
        return await ending

    def progress(self) -> JobProgress:
        """Return how far the job has come. It blocks."""
        counts = self._store.counts(self._job.id)
        ended = sum(counts[status] for status in _ENDED)
        if self._ended_before is None:
            self._ended_before, self._began = ended, time.monotonic()
        minutes = (time.monotonic() - self._began) / 60
        done = ended - self._ended_before
        steps = () if self._worker is None else tuple(self._worker.steps())
        job = self._store.load(self._job.id)
        return JobProgress(job, counts, steps, done / minutes if done and minutes else None)

    def _begin(self) -> None:
        """Open the file of results, then let workers at the job."""
        if self._job.output is not None:
            self._output = ResultsFile(Path(self._job.output), self._job, self._store)
            self._output.open()
        self._store.requeue_cancelled(self._job.id)
        self._store.begin(self._job.id, self._limits.as_json())

    async def _accompany(self, work: "asyncio.Future[None]") -> LcagentError | None:
        """Append results while the worker is at it; return what stopped the whole job."""
        assert self._worker is not None
        while not work.done():
            await asyncio.wait({work}, timeout=_APPEND_EVERY_S)
            try:
                await asyncio.to_thread(self._append)
            except StorageError as error:
                self.stop.ask_softly()
                await asyncio.wait({work})
                return error
        await work
        return self._worker.error

    def _append(self, *, is_last: bool = False) -> None:
        if self._output is None:
            return
        if self._output.is_open or self._output.open():  # who wrote before may have gone
            self._output.append_new(is_last=is_last)

    def _end(self, error: LcagentError | None) -> JobOutcome:
        """Write what is missing, and record how the job ended."""
        failures: Path | None = None
        try:
            self._append(is_last=True)
            if self._output is not None and self._output.is_open:
                failures = write_failures(Path(self._job.output or ""), self._job, self._store)
        except LcagentError as storing:
            error = error or storing
        finally:
            if self._output is not None:
                self._output.close()
        counts = self._store.counts(self._job.id)
        is_done = not counts["queued"] and not counts["running"]
        is_interrupted = self.stop.is_asked and error is None and not is_done
        status = self._store.load(self._job.id).status
        if status == "running" and is_done:
            self._store.end(self._job.id, "done")
        elif status == "running" and not self._is_helper and (error or is_interrupted):
            self._store.end(self._job.id, "stopped", str(error or "interrupted"))
        job = self._store.load(self._job.id)
        if is_done and isinstance(error, StorageError) is False:
            error = None
        return JobOutcome(job, counts, error, is_interrupted, failures)


def find_job(store: JobStore, prefix: str | None = None) -> StoredJob:
    """Return the job whose id begins so, or the last one.

    Raises:
        UsageError: There is none, or more than one.
    """
    if prefix is None:
        last = store.listed(1)
        if not last:
            raise UsageError("there is no batch job yet: begin one with lcagent batch run")
        return last[0]
    found = store.with_prefix(prefix)
    if len(found) != 1:
        raise UsageError(f"{len(found) or 'no'} jobs have an id that begins with {prefix}")
    return found[0]


def batch_settings(in_flight: int, **changes: Any) -> Settings:
    """Return the settings of a batch: as many calls at once as items, unless they say otherwise."""
    settings = load_settings(**changes)
    if "model_concurrency" in settings.model_fields_set:
        return settings
    most = max(settings.model_concurrency, in_flight)
    return settings.model_copy(update={"model_concurrency": most})


async def run_async(
    request: JobRequest,
    *,
    options: WorkerOptions | None = None,
    limits: JobLimits | None = None,
    session: Session | None = None,
) -> AsyncGenerator[StoredItem, None]:
    """Carry out a job, and yield each of its items with its result when it has ended.

    Items that ended before, because the job goes on, are yielded, too. Who stops asking stops the
    job softly: items that are running end.

    Raises:
        UsageError: The task makes no sense, or a name means nothing.
        BudgetExceeded: A limit was reached; what was done is kept, and yielded before.
        LcagentError: Whatever else stopped the whole job.
    """
    options = options or WorkerOptions()
    if options.base_url is None and isinstance(request.work, ModelTask):
        options = replace(options, base_url=request.work.base_url)
    async with AsyncExitStack() as stack:
        if session is None:
            opened = Session.open(batch_settings(options.in_flight))
            session = await stack.enter_async_context(opened)
        planned = await plan_job(request, session.services)
        running = JobRun(session, planned.job, options, limits=limits)
        work = asyncio.ensure_future(running.run())
        try:
            async for item in _ended(JobStore(session.services.database), planned.job, work):
                yield item
            error = (await work).error
        finally:
            running.stop.ask_softly()
            await asyncio.wait({work})
        if error is not None:
            raise error


async def _ended(
    store: JobStore, job: StoredJob, work: "asyncio.Future[JobOutcome]"
) -> AsyncIterator[StoredItem]:
    """Yield items as they end, until the work at them has."""
    told: set[int] = set()
    since = 0.0
    is_last = False
    while not is_last:
        await asyncio.wait({work}, timeout=_FEED_EVERY_S)
        is_last = work.done()
        since = 0.0 if is_last else since
        ended, now = await asyncio.to_thread(store.ended_since, job.id, since, *_ENDED)
        since = max(0.0, now - _SLACK_S)
        for position in ended:
            if position not in told:
                told.add(position)
                for item in await asyncio.to_thread(_results, store, job, position):
                    yield item


def _results(store: JobStore, job: StoredJob, position: int) -> list[StoredItem]:
    return list(store.results(job.id, [position]))
