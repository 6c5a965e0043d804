"""Runs: what was asked, which steps have ended, who is at it, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal, TypeAlias

from sqlalchemy import Executable, Text, cast, delete, func, insert, or_, select, update

from lcagent.storage import leases
from lcagent.storage.database import Database
from lcagent.storage.leases import LEASE_S, Lease, LeaseHeld, Owner
from lcagent.storage.tables import runs, steps

RunStatus: TypeAlias = Literal["running", "done", "failed", "stopped"]
"""`running`: begun and not ended (it runs now, or was killed); `done`; `failed`: ended by an error;
`stopped`: ended by a budget or by the user."""


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run as it was recorded.

    Attributes:
        result: What `--json` printed, once it is done.
        request: What it takes to run it again; None for runs that cannot be resumed.
        error: Why it did not end well.
    """

    id: str
    verb: str
    question: str
    strategy: str
    result: dict[str, Any] | None
    started_at: datetime
    status: RunStatus
    request: dict[str, Any] | None
    error: str | None


@dataclass(frozen=True, slots=True)
class StoredStep:
    """A step of a run that ended.

    Attributes:
        key: Which step of its method it is; a step that is done again replaces itself.
        detail: What it read and passed on, as its method describes it.
        calls: What each of its calls to a model cost.
    """

    key: str
    detail: dict[str, Any]
    calls: list[dict[str, Any]]


class RunStore:
    """The runs of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(
        self,
        run_id: str,
        *,
        verb: str,
        question: str,
        strategy: str,
        request: dict[str, Any] | None = None,
        job_id: str | None = None,
    ) -> None:
        """Store a new run, whose status is "running".

        Args:
            request: What it takes to run it again; None if it cannot be resumed.
            job_id: The batch job that it is an item of.
        """
        row = {"id": run_id, "verb": verb, "question": question, "job_id": job_id}
        with self._database.write() as connection:
            connection.execute(
                insert(runs).values(**row, strategy=strategy, status="running", request=request)
            )

    def update(self, run_id: str, **changes: Any) -> None:
        """Change columns of a run: its `status`, `strategy`, `result` or `error`."""
        with self._database.write() as connection:
            connection.execute(update(runs).where(runs.c.id == run_id).values(**changes))

    def claim(self, run_id: str, owner: Owner, lease_s: float = LEASE_S) -> None:
        """Make `owner` the only one at a run for `lease_s` seconds; see `leases.claim`.

        Raises:
            LeaseHeld: Another is at it; the message says who, and until when.
            LookupError: There is no such run.
        """
        with self._database.write() as connection:
            in_the_way = leases.claim(connection, runs, run_id, owner, lease_s)
        if in_the_way is not None:
            raise LeaseHeld(f"the run {run_id[:12]}", in_the_way)

    def renew(self, run_id: str, owner: Owner, lease_s: float = LEASE_S) -> bool:
        """Let the claim end `lease_s` seconds from now; False where it is another's by now."""
        with self._database.write() as connection:
            return leases.renew(connection, runs, run_id, owner, lease_s)

    def release(self, run_id: str, owner: Owner) -> None:
        """Let others at the run, if it is still the owner's."""
        with self._database.write() as connection:
            leases.release(connection, runs, run_id, owner)

    def lease(self, run_id: str) -> Lease | None:
        """Return who is at a run, or None; a lease that has ended is none."""
        with self._database.read() as connection:
            return leases.current(connection, runs, run_id)

    def listed(self, limit: int = 20) -> list[StoredRun]:
        """Return the newest runs, the newest first, without those of batch jobs."""
        own = select(*_columns()).where(runs.c.job_id.is_(None))
        newest = own.order_by(runs.c.started_at.desc(), runs.c.id.desc())
        return self._runs(newest.limit(limit))

    def load(self, run_id: str) -> StoredRun | None:
        """Return the run with this whole id, or None."""
        found = self._runs(select(*_columns()).where(runs.c.id == run_id))
        return found[0] if found else None

    def with_prefix(self, prefix: str) -> list[StoredRun]:
        """Return the runs whose id begins with `prefix`."""
        return self._runs(select(*_columns()).where(runs.c.id.startswith(prefix, autoescape=True)))

    def record_step(self, run_id: str, step: StoredStep) -> None:
        """Store a step that ended, in place of an earlier one with the same key."""
        place = (steps.c.run_id == run_id, steps.c.key == step.key)
        last = select(func.coalesce(func.max(steps.c.position), 0)).where(steps.c.run_id == run_id)
        with self._database.write() as connection:
            connection.execute(delete(steps).where(*place))
            position = connection.execute(last).scalar_one() + 1
            connection.execute(
                insert(steps).values(
                    run_id=run_id,
                    key=step.key,
                    position=position,
                    detail=step.detail,
                    calls=step.calls,
                )
            )

    def about(self, document_id: str) -> list[str]:
        """Return the ids of the runs whose task or result names a document."""
        named = (
            cast(column, Text).contains(document_id) for column in (runs.c.request, runs.c.result)
        )
        query = select(runs.c.id).where(or_(*named)).order_by(runs.c.id)
        with self._database.read() as connection:
            return list(connection.execute(query).scalars())

    def reply_keys(self, run_ids: Sequence[str]) -> set[str]:
        """Return the keys of the replies that runs were given, as far as they ended a step."""
        found: set[str] = set()
        with self._database.read() as connection:
            for run_id in run_ids:
                query = select(steps.c.calls).where(steps.c.run_id == run_id)
                for calls in connection.execute(query).scalars():
                    found.update(call["key"] for call in calls if call.get("key"))
        return found

    def remove(self, run_ids: Sequence[str]) -> None:
        """Delete runs with their steps."""
        with self._database.write() as connection:
            for run_id in run_ids:
                connection.execute(delete(runs).where(runs.c.id == run_id))

    def ids(self) -> list[str]:
        """Return the ids of all runs."""
        with self._database.read() as connection:
            return list(connection.execute(select(runs.c.id)).scalars())

    def steps(self, run_id: str) -> list[StoredStep]:
        """Return the steps of a run in the order in which they ended."""
        query = (
            select(steps.c.key, steps.c.detail, steps.c.calls)
            .where(steps.c.run_id == run_id)
            .order_by(steps.c.position)
        )
        with self._database.read() as connection:
            return [StoredStep(*row) for row in connection.execute(query)]

    def recent_latencies_s(self, model_calls: int = 50) -> list[float]:
        """Return how long the last calls to models took, of steps that made any."""
        query = (
            select(steps.c.calls)
            .join(runs, runs.c.id == steps.c.run_id)
            .order_by(runs.c.started_at.desc(), steps.c.position.desc())
            .limit(2 * model_calls)
        )
        with self._database.read() as connection:
            made = [call for calls in connection.execute(query).scalars() for call in calls]
        return [call["latency_s"] for call in made if not call["is_cached"]][:model_calls]

    def _runs(self, query: Executable) -> list[StoredRun]:
        with self._database.read() as connection:
            return [StoredRun(*row) for row in connection.execute(query)]


def _columns() -> Sequence[Any]:
    return [runs.c[field.name] for field in fields(StoredRun)]
