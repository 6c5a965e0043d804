"""The items of a job as a queue: claimed with a lease, finished by who holds it, lost with it.

A claim is a lease of the database's clock (see `leases`). Whoever ends an item must still hold it:
`owner` and the number of the attempt are compared in the same statement, so a worker that stood
still past its lease, and whose item went to another, is refused. What an item may cost at most is
reserved in the job's budget before it begins, so that the limits hold for all workers together.

An item that was lost with its worker twice may be what ends workers, or may only have been there:
it is claimed alone, by a worker that is at nothing else, so that it takes no others with it.
"""

from dataclasses import dataclass, fields
from typing import Any, Literal, TypeAlias
from uuid import uuid4

from sqlalchemy import ColumnElement, Connection, case, delete, func, insert, select, update

from lcagent.results import Usage
from lcagent.storage.database import Database
from lcagent.storage.job_store import ItemStatus
from lcagent.storage.leases import DatabaseTime, Owner
from lcagent.storage.tables import items, jobs, workers

ITEM_LEASE_S = 120.0
"""How long a claim on an item lasts; reading or counting tokens may hold a worker up for long."""
LOSSES = 5
"""An item that was lost with its worker so often, the last three times alone, is given up. Fewer
would blame those that were there when somebody killed a runner again and again."""
_ALONE_AFTER = 2
_ROUNDING_USD = 1e-9

Reservation: TypeAlias = Literal["reserved", "wait", "too much"]


@dataclass(frozen=True, slots=True)
class ClaimedItem:
    """An item that its owner is to work at; `attempts` counts this one."""

    position: int
    key: str
    input: str
    request: dict[str, Any]
    attempts: int
    losses: int
    run_id: str


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an attempt failed.

    Attributes:
        kind: The class of the error.
        step: How far it had come, in words.
        attempts: How many attempts the item may have; 0 if another one would not mend it.
        delay_s: Until the next one.
    """

    error: str
    kind: str
    step: str
    attempts: int
    delay_s: float = 0.0


class ItemQueue:
    """The items of one job as one worker sees them. Threads may share it.

    Attributes:
        owner: The worker.
    """

    def __init__(
        self, database: Database, job_id: str, owner: Owner, *, lease_s: float = ITEM_LEASE_S
    ) -> None:
        self._database = database
        self._job_id = job_id
        self.owner = owner
        self._lease_s = lease_s
        self._worker_id = uuid4().hex

    def claim(self, most: int, *, is_idle: bool) -> list[ClaimedItem]:
        """Take up to `most` items that are queued, those tried least first.

        Args:
            is_idle: The worker is at no other item, so that it may take one that was lost twice.
        """
        sound = items.c.losses < _ALONE_AFTER
        with self._database.write() as connection:
            found = self._next(connection, most, sound)
            if not found and is_idle:
                found = self._next(connection, 1, items.c.losses >= _ALONE_AFTER)
            if not found:
                return []
            chosen = (items.c.job_id == self._job_id, items.c.position.in_(found))
            connection.execute(
                update(items)
                .where(*chosen)
                .values(
                    status="running",
                    attempts=items.c.attempts + 1,
                    claimed_by=str(self.owner),
                    lease_until=DatabaseTime() + self._lease_s,
                )
            )
            columns = [items.c[each.name] for each in fields(ClaimedItem)]
            query = select(*columns).where(*chosen).order_by(items.c.position)
            return [ClaimedItem(*row) for row in connection.execute(query)]

    def reserve(self, item: ClaimedItem, calls: int, usd: float) -> Reservation:
        """Reserve what an item may take at most in the limits of its job.

        Returns:
            "wait" where it would fit but for what others have reserved, and may give back.
        """
        with self._database.write() as connection:
            query = select(jobs.c.limits, jobs.c.calls, jobs.c.usd).where(jobs.c.id == self._job_id)
            if self._database.is_postgres:
                query = query.with_for_update()
            job = connection.execute(query).one()
            others = (
                items.c.job_id == self._job_id,
                items.c.status == "running",
                items.c.position != item.position,
            )
            reserved = connection.execute(
                select(
                    func.coalesce(func.sum(items.c.reserved_calls), 0),
                    func.coalesce(func.sum(items.c.reserved_usd), 0.0),
                ).where(*others)
            ).one()
            wanted = ((job.calls + calls, job.usd + usd), (reserved[0], reserved[1]))
            if not _fits(job.limits, *wanted[0]):
                return "too much" if not any(wanted[1]) else "wait"
            if not _fits(job.limits, job.calls + calls + reserved[0], job.usd + usd + reserved[1]):
                return "wait"
            self._end(connection, item, reserved_calls=calls, reserved_usd=usd)
            return "reserved"

    def finish(
        self, item: ClaimedItem, spent: Usage, seconds: float, result: dict[str, Any] | None = None
    ) -> bool:
        """Record that an item is done; False if it is another's by now, and nothing is recorded."""
        ended = {"status": "done", "error": None, "error_kind": None, "error_step": None}
        return self._settle(item, spent, seconds, **ended, result=result, ended_at=DatabaseTime())

    def fail(
        self,
        item: ClaimedItem,
        spent: Usage,
        seconds: float,
        why: Failure,
    ) -> ItemStatus | None:
        """Record that an attempt failed, and queue the item again if attempts are left.

        Returns:
            What became of the item; None if it is another's by now.
        """
        failures = item.attempts - item.losses
        status: ItemStatus = "queued" if failures < why.attempts else "quarantined"
        status = status if why.attempts else "failed"
        changed: dict[str, Any] = {"not_before": DatabaseTime() + why.delay_s}
        if status != "queued":
            changed["ended_at"] = DatabaseTime()
        told = {"error": why.error, "error_kind": why.kind, "error_step": why.step}
        is_mine = self._settle(item, spent, seconds, status=status, **told, **changed)
        return status if is_mine else None

    def release(
        self, item: ClaimedItem, spent: Usage | None = None, *, delay_s: float = 0.0
    ) -> bool:
        """Queue an item again as if it had not been claimed."""
        changed = {"attempts": item.attempts - 1, "not_before": DatabaseTime() + delay_s}
        return self._settle(item, spent or Usage(), 0.0, status="queued", **changed)

    def renew(self) -> set[int]:
        """Let the leases of this worker begin anew; return the positions that it still holds."""
        mine = (
            items.c.job_id == self._job_id,
            items.c.status == "running",
            items.c.claimed_by == str(self.owner),
        )
        with self._database.write() as connection:
            connection.execute(
                update(items).where(*mine).values(lease_until=DatabaseTime() + self._lease_s)
            )
            held = set(connection.execute(select(items.c.position).where(*mine)).scalars())
            connection.execute(
                update(workers)
                .where(workers.c.id == self._worker_id)
                .values(heartbeat_at=DatabaseTime(), in_flight=len(held))
            )
        return held

    def free_lost(self) -> int:
        """Queue the items whose lease has ended, or whose worker on this machine is dead."""
        running = (items.c.job_id == self._job_id, items.c.status == "running")
        with self._database.read() as connection:
            query = select(items.c.claimed_by).where(*running).distinct()
            owners = list(connection.execute(query).scalars())
        if not owners:
            return 0
        dead = [each for each in owners if each is None or Owner.parse(each).is_dead]
        lost = (items.c.lease_until <= DatabaseTime()) | items.c.claimed_by.in_(dead)
        is_last = items.c.losses + 1 >= LOSSES
        with self._database.write() as connection:
            freed = connection.execute(
                update(items)
                .where(*running, lost)
                .values(
                    status=case((is_last, "quarantined"), else_="queued"),
                    losses=items.c.losses + 1,
                    ended_at=case((is_last, DatabaseTime()), else_=None),
                    error=case((is_last, _LOST), else_=items.c.error),
                    error_kind=case((is_last, "WorkerLost"), else_=items.c.error_kind),
                    **_FREE,
                )
            )
            connection.execute(
                delete(workers).where(workers.c.job_id == self._job_id, workers.c.owner.in_(dead))
            )
        return freed.rowcount

    def wait_s(self) -> float | None:
        """Return the seconds until the next queued item may begin; None if none is queued."""
        query = select(func.min(items.c.not_before) - DatabaseTime()).where(
            items.c.job_id == self._job_id, items.c.status == "queued"
        )
        with self._database.read() as connection:
            return connection.execute(query).scalar()

    def is_anybody_at_it(self) -> bool:
        """Say whether an item is running, here or elsewhere."""
        query = select(items.c.position).where(
            items.c.job_id == self._job_id, items.c.status == "running"
        )
        with self._database.read() as connection:
            return connection.execute(query.limit(1)).first() is not None

    def enter(self, engine: str, version: str) -> None:
        """Record that this worker is at the job."""
        with self._database.write() as connection:
            connection.execute(
                insert(workers).values(
                    id=self._worker_id,
                    job_id=self._job_id,
                    owner=str(self.owner),
                    host=self.owner.host,
                    pid=self.owner.pid,
                    engine=engine,
                    version=version,
                    started_at=DatabaseTime(),
                    heartbeat_at=DatabaseTime(),
                    in_flight=0,
                )
            )

    def leave(self) -> None:
        """Record that this worker is at it no more."""
        with self._database.write() as connection:
            connection.execute(delete(workers).where(workers.c.id == self._worker_id))

    def _next(self, connection: Connection, most: int, which: ColumnElement[bool]) -> list[int]:
        is_begun = select(jobs.c.id).where(jobs.c.id == self._job_id, jobs.c.status == "running")
        query = (
            select(items.c.position)
            .where(
                items.c.job_id == self._job_id,
                items.c.status == "queued",
                items.c.not_before <= DatabaseTime(),
                is_begun.exists(),
                which,
            )
            .order_by(items.c.attempts, items.c.position)
            .limit(most)
        )
        if self._database.is_postgres:
            query = query.with_for_update(of=items, skip_locked=True)
        return list(connection.execute(query).scalars())

    def _settle(self, item: ClaimedItem, spent: Usage, seconds: float, **changes: Any) -> bool:
        """End a claim, and add what the attempt cost to the item and to the job."""
        cost = _cost(spent)
        added = {name: items.c[name] + value for name, value in cost.items()}
        with self._database.write() as connection:
            changes = {**changes, **_FREE, **added, "seconds": items.c.seconds + seconds}
            if not self._end(connection, item, **changes):
                return False
            if any(cost.values()):
                total = {name: jobs.c[name] + value for name, value in cost.items()}
                connection.execute(update(jobs).where(jobs.c.id == self._job_id).values(**total))
        return True

    def _end(self, connection: Connection, item: ClaimedItem, **changes: Any) -> bool:
        """Change an item if this worker holds it, by the same claim as then."""
        changed = connection.execute(
            update(items)
            .where(
                items.c.job_id == self._job_id,
                items.c.position == item.position,
                items.c.status == "running",
                items.c.claimed_by == str(self.owner),
                items.c.attempts == item.attempts,
            )
            .values(**changes)
        )
        return changed.rowcount == 1


_LOST = f"lost with its worker {LOSSES} times: it may be what ends workers"
_FREE: dict[str, Any] = {
    "claimed_by": None,
    "lease_until": None,
    "reserved_calls": 0,
    "reserved_usd": 0.0,
}


def _cost(spent: Usage) -> dict[str, float]:
    tokens = spent.prompt_tokens + spent.completion_tokens
    return {"calls": spent.calls, "tokens": tokens, "usd": spent.usd or 0.0}


def _fits(limits: dict[str, Any], calls: int, usd: float) -> bool:
    most_calls, most_usd = limits.get("max_calls"), limits.get("max_usd")
    if most_calls is not None and calls > most_calls:
        return False
    return most_usd is None or usd <= most_usd + _ROUNDING_USD
