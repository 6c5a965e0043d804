"""The composition root: builds from the settings what the verbs work with, once."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self, cast, get_args

from lcagent.errors import UsageError
from lcagent.retrieval.embedding.choose import Choice, choose_embedder
from lcagent.retrieval.library import Collection, Library, ReadingProgress
from lcagent.retrieval.reading.isolation import Limits
from lcagent.retrieval.search.retriever import Retriever, VectorUse
from lcagent.retrieval.sources import resolve
from lcagent.settings import Settings, load_settings
from lcagent.storage.database import Database, open_database
from lcagent.storage.documents import DocumentStore
from lcagent.storage.runs import RunStore
from lcagent.storage.search import SearchStore


@dataclass(frozen=True)
class Runtime:
    """An open store and what reads, searches and records in it.

    Use it as a context manager, for one question or for many.
    """

    settings: Settings
    database: Database

    @classmethod
    def open(cls, settings: Settings | None = None) -> Self:
        """Open the store that the settings name.

        Raises:
            StorageError: It cannot be read or written.
        """
        settings = settings or load_settings()
        return cls(settings, open_database(settings.store_url))

    def __enter__(self) -> Self:
        """Return the runtime."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the store."""
        self.database.close()

    @cached_property
    def documents(self) -> DocumentStore:
        """The documents in the store."""
        return DocumentStore(self.database)

    @cached_property
    def runs(self) -> RunStore:
        """The runs in the store."""
        return RunStore(self.database)

    @cached_property
    def library(self) -> Library:
        """Reads documents."""
        limits = Limits(memory_bytes=self.settings.reading_memory_mb * 1_000_000)
        return Library(self.documents, limits, self.settings.concurrency, self.settings.reader)

    @cached_property
    def retriever(self) -> Retriever:
        """Searches documents."""
        return Retriever(self.documents, SearchStore(self.database), self.choose_embedder)

    def choose_embedder(self) -> Choice:
        """Return what makes vectors, or why nothing does.

        Only an embedder that was asked for by name may be fetched from the network.
        """
        wanted = self.settings.embedder
        return choose_embedder(wanted, may_download=wanted != "auto")

    def vector_use(self, wanted: str | None, *, by_default: VectorUse) -> VectorUse:
        """Return how vectors are used: as asked for, else as set, else `by_default`.

        Raises:
            UsageError: There is no such use.
        """
        chosen = wanted or self.settings.vectors
        if chosen == "auto":
            return by_default
        if chosen not in get_args(VectorUse):
            known = ", ".join(("auto", *get_args(VectorUse)))
            raise UsageError(f"no use of vectors is called {chosen!r}; there are: {known}")
        return cast("VectorUse", chosen)

    async def collect(
        self,
        names: str | Path | Sequence[str | Path],
        *,
        password: str | None = None,
        ocr: bool | None = None,
        progress: ReadingProgress | None = None,
    ) -> Collection:
        """Read all documents that `names` mean: files, folders, globs, ids of stored ones."""
        listed = [names] if isinstance(names, str | Path) else list(names)
        sources = await asyncio.to_thread(resolve, listed, self.documents)
        return await self.library.collect(
            sources,
            password=password,
            ocr=self.settings.ocr if ocr is None else ocr,
            progress=progress,
        )
