"""What models were seen to do, by the model's name and its server."""

import hashlib
from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, insert, select

from lcagent.storage.database import Database
from lcagent.storage.tables import profiles


class ProfileStore:
    """The profiles of one database; the newest of a model replaces the one before."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def load(self, model: str, server: str) -> dict[str, Any] | None:
        """Return the profile of a model, or None."""
        query = select(profiles.c.profile).where(profiles.c.key == _key(model, server))
        with self._database.read() as connection:
            return connection.execute(query).scalar()

    def save(self, model: str, server: str, profile: Mapping[str, Any]) -> None:
        """Store the profile of a model."""
        key = _key(model, server)
        row = {"key": key, "model": model, "server": server, "profile": dict(profile)}
        with self._database.write() as connection:
            connection.execute(delete(profiles).where(profiles.c.key == key))
            connection.execute(insert(profiles).values(row))


def _key(model: str, server: str) -> str:
    return hashlib.sha256(f"{server}\n{model}".encode()).hexdigest()
