"""What search computes once: the terms of documents, and the vectors of texts."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Table, delete, select
from sqlalchemy.dialects import sqlite

from lcagent.storage.database import AlreadyStored, Database
from lcagent.storage.tables import terms, vectors

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

_BATCH = 500


class SearchStore:
    """The terms and vectors of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def load_vectors(self, embedder: str, text_hashes: Sequence[str]) -> dict[str, bytes]:
        """Return the vectors that are stored, as float32 bytes, by the hash of their text."""
        found: dict[str, bytes] = {}
        with self._database.read() as connection:
            for first in range(0, len(text_hashes), _BATCH):
                query = select(vectors.c.text_hash, vectors.c.vector).where(
                    vectors.c.embedder == embedder,
                    vectors.c.text_hash.in_(text_hashes[first : first + _BATCH]),
                )
                rows = connection.execute(query)
                found.update((row.text_hash, row.vector) for row in rows)
        return found

    def save_vectors(self, embedder: str, computed: Mapping[str, bytes]) -> None:
        """Store vectors; one that is stored already stays as it is."""
        rows = [
            {"text_hash": text_hash, "embedder": embedder, "vector": vector}
            for text_hash, vector in computed.items()
        ]
        if not rows:
            return
        with self._database.write() as connection:
            connection.execute(_insert(connection, vectors).on_conflict_do_nothing(), rows)

    def discard_vectors(self, text_hashes: Sequence[str]) -> None:
        """Delete the vectors of texts, whoever made them."""
        with self._database.write() as connection:
            for first in range(0, len(text_hashes), _BATCH):
                some = text_hashes[first : first + _BATCH]
                connection.execute(delete(vectors).where(vectors.c.text_hash.in_(some)))

    def load_terms(self, document_id: str, version: str) -> bytes | None:
        """Return the stored terms of a document, or None."""
        query = select(terms.c.payload).where(
            terms.c.document_id == document_id, terms.c.version == version
        )
        with self._database.read() as connection:
            return connection.execute(query).scalar()

    def save_terms(self, document_id: str, version: str, payload: bytes) -> None:
        """Store the terms of a document in place of any older ones."""
        with suppress(AlreadyStored), self._database.write() as connection:
            connection.execute(delete(terms).where(terms.c.document_id == document_id))
            connection.execute(
                terms.insert().values(document_id=document_id, version=version, payload=payload)
            )


def _insert(connection: Connection, table: Table) -> "sqlite.Insert | postgresql.Insert":
    """Return an INSERT that knows ON CONFLICT; SQL has no standard form of it."""
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415 -- for who has it

    return postgresql.insert(table)
