"""Which files lcagent wrote: those it may replace, as long as nobody changed them.

Neither a path nor a text is stored, only the hash of both.
"""

import hashlib
from contextlib import suppress
from pathlib import Path

from sqlalchemy import insert, select

from lcagent.storage.database import AlreadyStored, Database
from lcagent.storage.tables import outputs


class OutputStore:
    """The files written by the runs of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def has_written(self, path: Path, content_hash: bytes) -> bool:
        """Say whether a run wrote content with this SHA-256 to the file."""
        query = select(outputs.c.key).where(outputs.c.key == _key(path, content_hash))
        with self._database.read() as connection:
            return connection.execute(query).scalar() is not None

    def record(self, path: Path, content_hash: bytes) -> None:
        """Store that a run writes content with this SHA-256 to the file."""
        if self.has_written(path, content_hash):
            return
        with suppress(AlreadyStored), self._database.write() as connection:
            connection.execute(insert(outputs).values(key=_key(path, content_hash)))


def _key(path: Path, content_hash: bytes) -> str:
    return hashlib.sha256(hashlib.sha256(bytes(path)).digest() + content_hash).hexdigest()
