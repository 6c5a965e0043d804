"""Batch jobs: what was asked for, over which items, how far it came, and what came of it.

A job is known by what it does (`identity`), so that the same command again goes on with it. Its
items are rows, written before the first of them begins; how workers take them is in `item_queue`.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal, TypeAlias, get_args

from sqlalchemy import ColumnElement, Select, func, insert, select, update

from lcagent.storage.database import AlreadyStored, Database
from lcagent.storage.leases import DatabaseTime
from lcagent.storage.tables import items, jobs, runs, workers

JobStatus: TypeAlias = Literal["running", "done", "stopped", "cancelled"]
"""`running`: begun and not ended, or its runner was killed; `done`: nothing is left to do, though
items may have failed; `stopped`: by a limit, an error or the user; `cancelled`: by the user."""

ItemStatus: TypeAlias = Literal[
    "queued", "running", "done", "failed", "quarantined", "cancelled", "superseded"
]
"""`failed`: by an error that another attempt would not mend; `quarantined`: given up after several
attempts, or after it was lost with its worker several times; `superseded`: its file changed, or its
line of requests, and what is there now is an item of its own."""

_AT_ONCE = 500
"""Rows of one statement: SQLite takes a limited number of parameters."""


@dataclass(frozen=True, slots=True)
class StoredJob:
    """A job as it was recorded.

    Attributes:
        begun_at, finished_at: Seconds since 1970 by the database's clock.
        calls, tokens, usd: Of all its items so far, but for those that are running.
    """

    id: str
    verb: str
    title: str
    output: str | None
    status: JobStatus
    limits: dict[str, Any]
    created_at: datetime
    begun_at: float | None
    finished_at: float | None
    error: str | None
    calls: int
    tokens: int
    usd: float


@dataclass(frozen=True, slots=True)
class NewItem:
    """An item to be added to a job, unless the job has one with this key."""

    key: str
    input: str
    request: dict[str, Any]


@dataclass(frozen=True, slots=True)
class StoredItem:
    """An item as far as it came.

    Attributes:
        key: SHA-256 of the task and what it reads.
        attempts: How often it was claimed.
        result: What `--json` of its verb prints, once it is done.
    """

    position: int
    key: str
    input: str
    status: ItemStatus
    attempts: int
    run_id: str
    seconds: float
    error: str | None
    error_kind: str | None
    error_step: str | None
    result: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class StoredWorker:
    """A process that is, or was, at a job; `idle_s` is the time since it was last heard of."""

    id: str
    host: str
    pid: int
    engine: str
    in_flight: int
    idle_s: float


class JobStore:
    """The jobs of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(
        self, identity: str, *, verb: str, title: str, output: str | None, is_new: bool = False
    ) -> tuple[StoredJob, bool]:
        """Return the job of this identity, made now if there is none; and whether it was made.

        Args:
            is_new: Make another one even so.
        """
        with self._database.read() as connection:
            known = connection.execute(
                select(func.count()).select_from(jobs).where(jobs.c.identity == identity)
            ).scalar_one()
        generation = known if is_new or not known else known - 1
        job_id = hashlib.sha256(f"{identity}:{generation}".encode()).hexdigest()[:32]
        row = {"id": job_id, "identity": identity, "verb": verb, "title": title, "output": output}
        is_made = generation == known
        if is_made:
            try:
                with self._database.write() as connection:
                    connection.execute(insert(jobs).values(**row, limits={}))
            except AlreadyStored:  # by the same command, begun at the same time
                is_made = False
        return self.load(job_id), is_made

    def load(self, job_id: str) -> StoredJob:
        """Return a job by its whole id."""
        (found,) = self._jobs(_job_columns().where(jobs.c.id == job_id))
        return found

    def with_prefix(self, prefix: str) -> list[StoredJob]:
        """Return the jobs whose id begins with `prefix`."""
        return self._jobs(_job_columns().where(jobs.c.id.startswith(prefix, autoescape=True)))

    def listed(self, limit: int = 20) -> list[StoredJob]:
        """Return the newest jobs, the one that was begun last first."""
        begun = func.coalesce(jobs.c.begun_at, 0.0).desc()
        return self._jobs(_job_columns().order_by(begun, jobs.c.created_at.desc()).limit(limit))

    def add_items(self, job_id: str, new: Iterable[NewItem]) -> int:
        """Add those items that the job does not have yet, in their order; return their number.

        An item of the same name that is not done yet is superseded by the new one.
        """
        with self._database.write() as connection:
            if self._database.is_postgres:  # one at a time; SQLite has one writer anyway
                connection.execute(select(jobs.c.id).where(jobs.c.id == job_id).with_for_update())
            mine = items.c.job_id == job_id
            known = set(connection.execute(select(items.c.key).where(mine)).scalars())
            last = select(func.coalesce(func.max(items.c.position), 0)).where(mine)
            first: int = connection.execute(last).scalar_one() + 1
            position = first
            rows: list[dict[str, Any]] = []
            for item in new:
                if item.key not in known:
                    known.add(item.key)
                    rows.append(_row(job_id, position, item))
                    position += 1
            for start in range(0, len(rows), _AT_ONCE):
                some = rows[start : start + _AT_ONCE]
                same = items.c.input.in_([row["input"] for row in some])
                waiting = items.c.status.in_(("queued", "failed", "quarantined", "cancelled"))
                old = update(items).where(mine, same, waiting, items.c.position < first)
                connection.execute(old.values(status="superseded"))
                connection.execute(insert(items), some)
        return position - first

    def begin(self, job_id: str, limits: Mapping[str, Any]) -> None:
        """Let workers at a job, within these limits."""
        self._change(
            job_id,
            status="running",
            limits=dict(limits),
            begun_at=DatabaseTime(),
            finished_at=None,
            error=None,
        )

    def end(self, job_id: str, status: JobStatus, error: str | None = None) -> None:
        """Record how a job ended; no worker begins another item of it."""
        self._change(job_id, status=status, error=error, finished_at=DatabaseTime())

    def cancel(self, job_id: str) -> int:
        """Cancel what is queued and return its number; items that are running end."""
        self.end(job_id, "cancelled")
        return self._requeue(job_id, items.c.status == "queued", status="cancelled")

    def latest(self, identity: str) -> StoredJob | None:
        """Return the newest job of this identity, or None."""
        newest = _job_columns().where(jobs.c.identity == identity)
        found = self._jobs(newest.order_by(jobs.c.created_at.desc()).limit(1))
        return found[0] if found else None

    def replace_request(self, job_id: str, position: int, new: NewItem) -> None:
        """Let an item that failed stand for what its file holds now; see `retry`."""
        place = (items.c.job_id == job_id, items.c.position == position)
        row = _row(job_id, position, new)
        try:
            with self._database.write() as connection:
                connection.execute(update(items).where(*place).values(**row))
        except AlreadyStored:  # it is an item of its own already
            with self._database.write() as connection:
                connection.execute(update(items).where(*place).values(status="superseded"))

    def requests(self, job_id: str, *statuses: ItemStatus) -> list[tuple[int, NewItem]]:
        """Return the items of some statuses as they were added, with their positions."""
        query = (
            select(items.c.position, items.c.key, items.c.input, items.c.request)
            .where(items.c.job_id == job_id, items.c.status.in_(statuses))
            .order_by(items.c.position)
        )
        with self._database.read() as connection:
            return [(row[0], NewItem(*row[1:])) for row in connection.execute(query)]

    def retry(self, job_id: str) -> int:
        """Queue what failed, was given up or was cancelled, as if for the first time."""
        ended = items.c.status.in_(("failed", "quarantined", "cancelled"))
        return self._requeue(
            job_id,
            ended,
            status="queued",
            attempts=0,
            losses=0,
            not_before=0.0,
            error=None,
            error_kind=None,
            error_step=None,
            ended_at=None,
        )

    def requeue_cancelled(self, job_id: str) -> int:
        """Queue what was cancelled, because the job is begun again."""
        return self._requeue(job_id, items.c.status == "cancelled", status="queued")

    def counts(self, job_id: str) -> dict[ItemStatus, int]:
        """Return how many items there are of each status; of a status without any, 0."""
        query = (
            select(items.c.status, func.count())
            .where(items.c.job_id == job_id)
            .group_by(items.c.status)
        )
        with self._database.read() as connection:
            found = {row[0]: row[1] for row in connection.execute(query)}
        return {status: found.get(status, 0) for status in get_args(ItemStatus)}

    def ended_since(
        self, job_id: str, since: float, *statuses: ItemStatus
    ) -> tuple[list[int], float]:
        """Return the positions of items that ended since then, and the time now.

        Args:
            since: By the database's clock.
            statuses: How they ended; by default done.
        """
        query = select(items.c.position).where(
            items.c.job_id == job_id,
            items.c.status.in_(statuses or ("done",)),
            items.c.ended_at >= since,
        )
        with self._database.read() as connection:
            now = connection.execute(select(DatabaseTime())).scalar_one()
            return list(connection.execute(query.order_by(items.c.position)).scalars()), now

    def results(self, job_id: str, positions: Sequence[int]) -> Iterator[StoredItem]:
        """Yield items with their results, in order."""
        ordered = sorted(positions)
        for start in range(0, len(ordered), _AT_ONCE):
            some = items.c.position.in_(ordered[start : start + _AT_ONCE])
            yield from self._items(job_id, some, with_results=True)

    def with_status(self, job_id: str, *statuses: ItemStatus) -> list[StoredItem]:
        """Return the items of some statuses, without results."""
        return list(self._items(job_id, items.c.status.in_(statuses)))

    def workers(self, job_id: str) -> list[StoredWorker]:
        """Return the workers of a job that were not seen to end."""
        idle = (DatabaseTime() - workers.c.heartbeat_at).label("idle_s")
        names = (each.name for each in fields(StoredWorker) if each.name != "idle_s")
        columns: list[Any] = [workers.c[name] for name in names]
        query = select(*columns, idle).where(workers.c.job_id == job_id)
        with self._database.read() as connection:
            found: list[Any] = list(connection.execute(query.order_by(workers.c.id)))
        return [StoredWorker(*row) for row in found]

    def time_left_s(self, job: StoredJob) -> float | None:
        """Return the seconds that are left of what a job may take; None without a limit."""
        most_s = job.limits.get("max_time_s")
        if most_s is None or job.begun_at is None:
            return None
        with self._database.read() as connection:
            now: float = connection.execute(select(DatabaseTime())).scalar_one()
        return float(job.begun_at + most_s - now)

    def _requeue(self, job_id: str, which: ColumnElement[bool], **changes: Any) -> int:
        with self._database.write() as connection:
            done = connection.execute(
                update(items).where(items.c.job_id == job_id, which).values(**changes)
            )
            return int(done.rowcount)

    def _change(self, job_id: str, **changes: Any) -> None:
        with self._database.write() as connection:
            connection.execute(update(jobs).where(jobs.c.id == job_id).values(**changes))

    def _jobs(self, query: Select[Any]) -> list[StoredJob]:
        with self._database.read() as connection:
            return [StoredJob(*row) for row in connection.execute(query)]

    def _items(
        self, job_id: str, which: ColumnElement[bool], *, with_results: bool = False
    ) -> Iterator[StoredItem]:
        columns = [items.c[each.name] for each in fields(StoredItem) if each.name != "result"]
        query = select(*columns)
        if with_results:
            joined = items.outerjoin(runs, runs.c.id == items.c.run_id)
            query = select(*columns, items.c.result, runs.c.result).select_from(joined)
        query = query.where(items.c.job_id == job_id, which).order_by(items.c.position)
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        for row in rows:
            values: list[Any] = list(row)
            own = values[len(columns) :]
            values[len(columns) :] = [next((each for each in own if each is not None), None)]
            yield StoredItem(*values)


def _job_columns() -> Select[Any]:
    return select(*(jobs.c[each.name] for each in fields(StoredJob)))


def _row(job_id: str, position: int, item: NewItem) -> dict[str, Any]:
    run_id = hashlib.sha256(f"{job_id}:{item.key}".encode()).hexdigest()[:32]
    return {
        "job_id": job_id,
        "position": position,
        "key": item.key,
        "input": item.input,
        "request": item.request,
        "run_id": run_id,
    }
