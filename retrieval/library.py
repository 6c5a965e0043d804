"""The library: documents by their content, read once, then taken from the store or from memory."""

import asyncio
import hashlib
import stat
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock
from typing import TypeAlias

from lcagent.concurrency import PerLoop
from lcagent.documents import Document, Page
from lcagent.errors import UnreadableDocument, UsageError
from lcagent.retrieval.reading.reader import PDF, ReadingLimits, printable, reader_version
from lcagent.retrieval.sources import Source, StoredId
from lcagent.storage.document_store import DocumentStore, Revision

ReadingProgress: TypeAlias = Callable[[str, int, int], None]
"""Called with a document's name, the pages read so far, and their number."""

KEPT_PAGES = 5_000
"""Pages of the documents asked last that stay in memory, where no index keeps them anyway."""


@dataclass(frozen=True, slots=True)
class Unread:
    """A file that could not be read, and why."""

    name: str
    error: UnreadableDocument


@dataclass(frozen=True, slots=True)
class Collection:
    """Documents to search together, and the files that were asked for but could not be read."""

    documents: tuple[Document, ...]
    unread: tuple[Unread, ...] = ()


class KeptDocuments:
    """The documents asked last, as long as the store holds them unchanged.

    Loading 500 pages takes 15 CPU milliseconds, asking for their revision one.
    """

    def __init__(self) -> None:
        self._documents: OrderedDict[str, tuple[Revision, Document]] = OrderedDict()
        self._lock = Lock()

    def load(self, store: DocumentStore, document_id: str) -> Document | None:
        """Return a document of the store, or None if it is not there."""
        revision = store.revision(document_id)
        if revision is None:
            return None
        with self._lock:
            known, document = self._documents.get(document_id, (None, None))
        if known != revision:
            document = store.load(document_id)
        if document is not None:
            self._keep(revision, document)
        return document

    def _keep(self, revision: Revision, document: Document) -> None:
        with self._lock:
            self._documents[document.id] = (revision, document)
            self._documents.move_to_end(document.id)
            pages = sum(len(kept.pages) for _, kept in self._documents.values())
            while pages > KEPT_PAGES:
                _, (_, dropped) = self._documents.popitem(last=False)
                pages -= len(dropped.pages)


@dataclass(frozen=True, slots=True)
class Library:
    """Reads documents through the store.

    Attributes:
        concurrency: How many files are read at the same time.
        other_reader: Class path of a LlamaIndex reader for files of kinds unknown to lcagent.
    """

    store: DocumentStore
    limits: ReadingLimits = field(default_factory=ReadingLimits)
    concurrency: int = 2
    other_reader: str | None = None
    _at_work: dict[str, asyncio.Lock] = field(default_factory=dict[str, asyncio.Lock])
    _kept: KeptDocuments = field(default_factory=KeptDocuments)
    _places: PerLoop[asyncio.Semaphore] = field(init=False)

    def __post_init__(self) -> None:
        """Make the places of the files that are read at the same time, by whatever tasks."""
        places = PerLoop(lambda: asyncio.Semaphore(self.concurrency))
        object.__setattr__(self, "_places", places)

    async def collect(
        self,
        sources: Sequence[Source],
        *,
        password: str | None = None,
        ocr: bool = False,
        progress: ReadingProgress | None = None,
    ) -> Collection:
        """Return all `sources` as documents, reading those that are not stored yet.

        Several files are a collection: one that cannot be read is left out of it and named.

        Raises:
            UnreadableDocument: None of the files can be read.
        """
        slots = asyncio.Semaphore(self.concurrency)

        async def one(source: Source) -> Document | Unread:
            async with slots:
                try:
                    return await self.document(
                        source, password=password, ocr=ocr, progress=progress
                    )
                except UnreadableDocument as error:
                    return Unread(str(source), error)

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(source)) for source in sources]
        results = [task.result() for task in tasks]
        found = [
            (source, item)
            for source, item in zip(sources, results, strict=True)
            if isinstance(item, Document)
        ]
        documents = {document.id: document for document in tell_apart(found)}
        unread = tuple(item for item in results if isinstance(item, Unread))
        if not documents and unread:
            raise _all_unread(unread)
        return Collection(tuple(documents.values()), unread)

    async def document(
        self,
        source: Source,
        *,
        password: str | None = None,
        ocr: bool = False,
        progress: ReadingProgress | None = None,
    ) -> Document:
        """Return one document, from the store where its content was read before.

        Args:
            ocr: Recognise the text of pages that are pictures and were not recognised before.

        Raises:
            UnreadableDocument: The file cannot be turned into text; the message begins with it.
        """
        if isinstance(source, StoredId):
            return await self._stored(source.document_id)
        document_id = await asyncio.to_thread(content_hash, source)
        async with self._alone_at(document_id):
            stored = await asyncio.to_thread(self._kept.load, self.store, document_id)
            if stored is None or stored.reader != reader_version(stored.media_type):
                stored = await self._read(source, document_id, password, progress)
            stored = replace(stored, name=printable(source.name))  # it may be stored as a copy's
            return await self._recognise(source, stored, password, progress) if ocr else stored

    @asynccontextmanager
    async def _alone_at(self, document_id: str) -> AsyncIterator[None]:
        """Let one task at a time read a document, so that questions asked at once read it once."""
        lock = self._at_work.setdefault(document_id, asyncio.Lock())
        async with lock:
            try:
                yield
            finally:
                if self._at_work.get(document_id) is lock:
                    del self._at_work[document_id]

    async def _stored(self, document_id: str) -> Document:
        stored = await asyncio.to_thread(self._kept.load, self.store, document_id)
        if stored is None:
            raise UsageError(f"no stored document with the id {document_id}")
        return stored

    async def _read(
        self,
        path: Path,
        document_id: str,
        password: str | None,
        progress: ReadingProgress | None,
    ) -> Document:
        from lcagent.retrieval.reading.isolation import read_document  # noqa: PLC0415 -- for new files

        def report(done: int, total: int) -> None:
            if progress is not None:
                progress(printable(path.name), done, total)

        try:
            async with self._places.get():
                document = await read_document(
                    path,
                    document_id,
                    password=password,
                    limits=self.limits,
                    other_reader=self.other_reader,
                    progress=report,
                )
        except UnreadableDocument as error:
            raise type(error)(f"{path}: {error}") from error
        await asyncio.to_thread(self.store.save, document)
        return document

    async def _recognise(
        self,
        path: Path,
        document: Document,
        password: str | None,
        progress: ReadingProgress | None,
    ) -> Document:
        """Read pictures as text; each page is stored at once, so that none is read twice."""
        from lcagent.retrieval.reading.isolation import recognise_pages  # noqa: PLC0415 -- as above

        wanted = [page.index for page in document.pages if needs_ocr(page)]
        pages = list(document.pages)
        if document.media_type != PDF or not wanted:
            return document
        done = 0
        async for page in recognise_pages(path, wanted, password=password):
            pages[page.index] = replace(page, section=pages[page.index].section)
            await asyncio.to_thread(self.store.update_page, document.id, pages[page.index])
            done += 1
            if progress is not None:
                progress(f"{document.name} (OCR)", done, len(wanted))
        return replace(document, pages=tuple(pages))


def tell_apart(found: Sequence[tuple[Source, Document]]) -> list[Document]:
    """Return documents, those of one name with as much of their folders as tells them apart.

    One that came from the store has no folder; of such, the beginning of the id is in the name.
    """
    ids: dict[str, set[str]] = {}
    for _, document in found:
        ids.setdefault(document.name, set()).add(document.id)
    return [
        document
        if len(ids[document.name]) == 1
        else replace(
            document,
            name=_full_name(
                source, document, [other for other, its in found if its.name == document.name]
            ),
        )
        for source, document in found
    ]


def _full_name(source: Source, document: Document, alike: Sequence[Source]) -> str:
    """Return a name for a document that none of those of the same name has."""
    paths = [other.absolute().parts for other in alike if isinstance(other, Path)]
    if isinstance(source, StoredId) or len(paths) < len(alike):
        return f"{document.name} ({document.id[:8]})"
    parts = source.absolute().parts
    for length in range(2, len(parts) + 1):
        if sum(other[-length:] == parts[-length:] for other in paths) == 1:
            return printable("/".join(parts[-length:]))
    return f"{document.name} ({document.id[:8]})"


def _all_unread(unread: Sequence[Unread]) -> UnreadableDocument:
    first = unread[0].error
    if len(unread) == 1:
        return first
    return UnreadableDocument(f"none of the {len(unread)} files can be read; the first: {first}")


def needs_ocr(page: Page) -> bool:
    """Say whether a page is a picture that was not looked at yet."""
    return page.problem == "no text layer" and not page.is_ocr


def content_hash(path: Path) -> str:
    """Return the SHA-256 of a file, in hex; it is the document's id.

    Raises:
        UnreadableDocument: The file cannot be opened, or is a pipe or a device, which may
            never end and can be read only once.
    """
    try:
        mode = path.stat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise UnreadableDocument(f"{path}: it is a pipe or a device: save it as a file first")
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UnreadableDocument(f"{path}: {error.strerror or error}") from error
