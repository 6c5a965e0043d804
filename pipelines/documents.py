"""What `lcagent docs` does: read documents ahead of questions, list, remove and verify them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Unpack

from lcagent.concurrency import run_sync
from lcagent.documents import Document
from lcagent.errors import UsageError
from lcagent.pipelines.coverage import notes_on
from lcagent.pipelines.options import ReadingOptions, collect, open_runtime
from lcagent.pipelines.runtime import Runtime
from lcagent.retrieval.library import Collection, content_hash
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
    names: str | Path | Sequence[str | Path],
    *,
    vectors: bool = False,
    **options: Unpack[ReadingOptions],
) -> Added:
    """Read documents into the store, with `vectors` their vectors too.

    Raises:
        UsageError: A name means nothing, or none of the files can be read.
        MissingExtra: Vectors are asked for, and there is nothing to compute them with.
    """
    async with open_runtime(options) as runtime:
        collection = await collect(names, options, runtime)
        await runtime.retriever.prepare(
            collection.documents, vectors=vectors, progress=options.get("progress")
        )
    unread = (f"not read: {unread.error}" for unread in collection.unread)
    return Added(collection, (*unread, *notes_on(collection.documents)))


def add_documents(
    names: str | Path | Sequence[str | Path],
    *,
    vectors: bool = False,
    **options: Unpack[ReadingOptions],
) -> Added:
    """Do as `add_documents_async` does, from synchronous code or a notebook."""
    return run_sync(add_documents_async(names, vectors=vectors, **options))


def list_documents() -> list[StoredDocument]:
    """Return the documents in the store, the newest first."""
    with Runtime.open() as runtime:
        return runtime.documents.listed()


def remove_documents(names: Sequence[str | Path]) -> list[Document]:
    """Remove documents from the store, named by id or by their file; return them.

    Raises:
        UsageError: A name means no stored document.
    """
    with Runtime.open() as runtime:
        removed = _named(names, runtime)
        for document in removed:
            runtime.documents.remove(document.id)
    return removed


def verify_documents(names: Sequence[str | Path] = ()) -> list[Verified]:
    """Check stored documents, by default all: is what the store holds of them whole?

    Raises:
        UsageError: A name means no stored document.
    """
    with Runtime.open() as runtime:
        names = names or [stored.id for stored in runtime.documents.listed()]
        return [
            Verified(document, tuple(runtime.retriever.problems_of(document)))
            for document in _named(names, runtime)
        ]


def _named(names: Sequence[str | Path], runtime: Runtime) -> list[Document]:
    found: list[Document] = []
    for source in resolve(names, runtime.documents):
        key = source.document_id if isinstance(source, StoredId) else content_hash(source)
        document = runtime.documents.load(key)
        if document is None:
            raise UsageError(f"{source} is not in the store")
        found.append(document)
    return found
