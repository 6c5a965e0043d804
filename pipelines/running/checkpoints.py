"""Where the steps of a run are saved: a file of its own for each run, or PostgreSQL.

A run's checkpoints are needed until it ends, and are removed then; what is worth keeping is in the
record of the run. Only plain values are ever read back: no types, no pickle.
"""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from lcagent.errors import MissingExtra, UsageError

PAGES_IN_JOURNAL = 64
"""Of 4 KB each; SQLite's own 1,000 would be twice the size of a long run's checkpoints."""


@asynccontextmanager
async def checkpoints(
    folder: Path, run_id: str, postgres_url: str | None = None
) -> AsyncIterator[BaseCheckpointSaver[Any]]:
    """Yield where the steps of a run are saved, for this process alone.

    Raises:
        UsageError: Another process is at this run.
    """
    with _alone(folder, run_id):
        if postgres_url is None:
            async with _in_file(folder / f"{run_id}.db") as saver:
                yield saver
        else:
            async with _in_postgres(postgres_url) as saver:
                yield saver


async def forget(saver: BaseCheckpointSaver[Any], folder: Path, run_id: str) -> None:
    """Remove the checkpoints of a run that has ended."""
    await saver.adelete_thread(run_id)
    await asyncio.to_thread(_remove_files, folder, run_id)


def _remove_files(folder: Path, run_id: str) -> None:
    for path in folder.glob(f"{run_id}.*"):
        path.unlink(missing_ok=True)


@contextmanager
def _alone(folder: Path, run_id: str) -> Iterator[None]:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder / f"{run_id}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise UsageError(f"another process is at the run {run_id[:12]}") from error
    finally:
        os.close(descriptor)


@asynccontextmanager
async def _in_file(path: Path) -> AsyncIterator[BaseCheckpointSaver[Any]]:
    import aiosqlite  # noqa: PLC0415 -- only where steps are saved in a file
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver  # noqa: PLC0415

    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    async with aiosqlite.connect(path, timeout=30) as connection:
        await connection.execute("PRAGMA synchronous=NORMAL")
        await connection.execute(f"PRAGMA wal_autocheckpoint={PAGES_IN_JOURNAL}")
        yield AsyncSqliteSaver(connection, serde=_plain())


@asynccontextmanager
async def _in_postgres(url: str) -> AsyncIterator[BaseCheckpointSaver[Any]]:
    try:
        from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtra("a PostgreSQL store", "postgres") from error
    async with AsyncPostgresSaver.from_conn_string(url, serde=_plain()) as saver:
        await saver.setup()
        yield saver


def _plain() -> JsonPlusSerializer:
    return JsonPlusSerializer(pickle_fallback=False, allowed_msgpack_modules=None)
