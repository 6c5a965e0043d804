"""Runs: what was asked, when, and what came of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from lcagent.storage.database import Database
from lcagent.storage.tables import runs


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run as it was recorded; `result` is what `--json` printed."""

    id: str
    verb: str
    question: str
    strategy: str
    result: dict[str, Any]
    started_at: datetime


class RunStore:
    """The runs of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(
        self, run_id: str, *, verb: str, question: str, strategy: str, result: dict[str, Any]
    ) -> None:
        """Store a finished run."""
        with self._database.write() as connection:
            connection.execute(
                runs.insert().values(
                    id=run_id, verb=verb, question=question, strategy=strategy, result=result
                )
            )

    def listed(self, limit: int = 20) -> list[StoredRun]:
        """Return the newest runs, the newest first."""
        query = select(runs).order_by(runs.c.started_at.desc(), runs.c.id.desc()).limit(limit)
        with self._database.read() as connection:
            return [StoredRun(*row) for row in connection.execute(query)]

    def with_prefix(self, prefix: str) -> list[StoredRun]:
        """Return the runs whose id begins with `prefix`."""
        query = select(runs).where(runs.c.id.startswith(prefix, autoescape=True))
        with self._database.read() as connection:
            return [StoredRun(*row) for row in connection.execute(query)]
