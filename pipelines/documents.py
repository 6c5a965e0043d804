"""What `lcagent docs` does: read documents ahead of questions, list, remove and verify them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lcagent.concurrency import run_sync
from lcagent.documents import Document, Documents
from lcagent.errors import UsageError
from lcagent.pipelines.coverage import notes_on
from lcagent.pipelines.services import Services
from lcagent.pipelines.session import Session
from lcagent.retrieval.library import Collection, ReadingProgress, content_hash
from lcagent.retrieval.sources import StoredId, resolve
from lcagent.storage.document_store import StoredDocument


@dataclass(frozen=True, slots=True)
class Added:
    """Documents that were read, files that could not be, and what to know of them."""

    collection: Collection
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verified:
    """What a check of one stored document found; `problems` are faults of the store."""

    document: Document
    problems: tuple[str, ...]


async def add_documents_async(
    documents: Documents,
    *,
    vectors: bool = False,
    password: str | None = None,
    ocr: bool | None = None,
    progress: ReadingProgress | None = None,
) -> Added:
    """Read documents into the store, with `vectors` their vectors too.

    Raises:
        UsageError: A name means nothing, or none of the files can be read.
        MissingExtra: Vectors are asked for, and there is nothing to compute them with.
    """
    async with Session.open() as session:
        collection = await session.collect(documents, password=password, ocr=ocr, progress=progress)
        await session.services.indexer.prepare(
            collection.documents, vectors=vectors, progress=progress
        )
    unread = (f"not read: {unread.error}" for unread in collection.unread)
    return Added(collection, (*unread, *notes_on(collection.documents)))


def add_documents(
    documents: Documents,
    *,
    vectors: bool = False,
    password: str | None = None,
    ocr: bool | None = None,
    progress: ReadingProgress | None = None,
) -> Added:
    """Do as `add_documents_async` does, from synchronous code or a notebook."""
    return run_sync(
        add_documents_async(
            documents, vectors=vectors, password=password, ocr=ocr, progress=progress
        )
    )


def list_documents() -> list[StoredDocument]:
    """Return the documents in the store, the newest first."""
    with Session.open() as session:
        return session.services.documents.listed()


def verify_documents(names: Sequence[str | Path] = ()) -> list[Verified]:
    """Check stored documents, by default all: is what the store holds of them whole?

    Raises:
        UsageError: A name means no stored document.
    """
    with Session.open() as session:
        names = names or [stored.id for stored in session.services.documents.listed()]
        return [
            Verified(document, tuple(session.services.indexer.problems_of(document)))
            for document in _named(names, session.services)
        ]


def _named(names: Sequence[str | Path], services: Services) -> list[Document]:
    found: list[Document] = []
    for source in resolve(names, services.documents):
        key = source.document_id if isinstance(source, StoredId) else content_hash(source)
        document = services.documents.load(key)
        if document is None:
            raise UsageError(f"{source} is not in the store")
        found.append(document)
    return found
