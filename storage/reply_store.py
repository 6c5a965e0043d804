"""Replies of models that were paid for. Only successes are stored, so that no failure lasts."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from sqlalchemy import delete, insert, select

from lcagent.storage.database import AlreadyStored, Database
from lcagent.storage.tables import replies


class ReplyStore:
    """The replies of one database, by the key of the call."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def load(self, key: str) -> dict[str, Any] | None:
        """Return the reply to a call, or None."""
        query = select(replies.c.reply).where(replies.c.key == key)
        with self._database.read() as connection:
            return connection.execute(query).scalar()

    def save(self, key: str, model: str, reply: Mapping[str, Any]) -> None:
        """Store a reply; if another process stored one meanwhile, that one stays."""
        with suppress(AlreadyStored), self._database.write() as connection:
            connection.execute(insert(replies).values(key=key, model=model, reply=dict(reply)))

    def discard(self, *keys: str) -> None:
        """Delete the replies to calls."""
        with self._database.write() as connection:
            for key in keys:
                connection.execute(delete(replies).where(replies.c.key == key))

    def keys(self) -> set[str]:
        """Return the keys of all calls that have a reply."""
        with self._database.read() as connection:
            return set(connection.execute(select(replies.c.key)).scalars())
