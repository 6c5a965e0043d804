"""Building indexes through the store, and keeping those that were asked last.

Chunks, terms and vectors are stored, indexes are not (docs/decisions/0005): they are put together
in memory, in a tenth of a second for 500 pages, and stay there as long as they are among the last.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from threading import Event, Lock
from typing import TypeAlias

import numpy as np

from lcagent.documents import Chunk, Document
from lcagent.errors import MissingExtra
from lcagent.retrieval import chunking
from lcagent.retrieval.embedding.choose import EmbedderChoice
from lcagent.retrieval.embedding.embedder import Tokenizer
from lcagent.retrieval.embedding.wordpiece_estimate import WordPieceEstimate
from lcagent.retrieval.library import ReadingProgress
from lcagent.retrieval.search.index import MOST_RANKED, Index, PageIndex, Shortlist
from lcagent.retrieval.search.query import rank_languages
from lcagent.retrieval.search.retriever import SearchResults, VectorUse
from lcagent.retrieval.search.terms import TERMS_VERSION, DocumentTerms, extract_terms
from lcagent.retrieval.search.vectors import ChunkVectors, StoredVectors
from lcagent.selection import ALL_PAGES, PageSelection
from lcagent.storage.document_store import DocumentStore
from lcagent.storage.search_store import SearchStore

MAX_BYTES = 256_000_000
"""The memory that indexes are kept in, unless another limit is set."""


@dataclass(frozen=True)
class Preparation:
    """Chunks and terms of documents: from the store, or made and stored if their rules changed."""

    documents: DocumentStore
    search: SearchStore
    tokenizer: Tokenizer

    @cached_property
    def chunker(self) -> str:
        """The rule by which documents are cut."""
        return chunking.chunker_id(self.tokenizer)

    def chunks(self, document: Document) -> list[Chunk]:
        """Return the chunks of a document."""
        chunks = self.documents.load_chunks(self.chunker, document)
        if not chunks or chunks[-1].index + 1 != len(chunks):
            chunks = chunking.cut_chunks(document, self.tokenizer)
            self.documents.save_chunks(self.chunker, chunks)
        return chunks

    def terms(self, document: Document) -> DocumentTerms:
        """Return the terms of a document, without its chunks where they are stored."""
        version = f"{TERMS_VERSION}+{self.chunker}"
        packed = self.search.load_terms(document.id, version)
        if packed is not None:
            return DocumentTerms.from_bytes(packed)
        terms = extract_terms(document, self.chunks(document))
        self.search.save_terms(document.id, version, terms.to_bytes())
        return terms

    def problems_of(self, document: Document) -> Iterator[str]:
        """Yield what is wrong with what the store holds of a document."""
        if [page.index for page in document.pages] != list(range(len(document.pages))):
            yield "pages are missing"
        joined = [""] * len(document.pages)
        chunks = self.documents.load_chunks(self.chunker, document)
        for chunk in chunks:
            joined[chunk.span.page_index] += chunk.text
        if chunks and joined != [page.text for page in document.pages]:
            yield "its chunks do not join back to its text"


class Indexer:
    """Builds indexes through the store, and keeps those asked last.

    May be used from several event loops and threads: an index that is being built is waited for,
    not built twice.
    """

    def __init__(
        self,
        documents: DocumentStore,
        search: SearchStore,
        choose: Callable[[], EmbedderChoice],
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self._documents = documents
        self._search_store = search
        self._choose = choose
        self._cache = IndexCache(max_bytes)

    @property
    def built(self) -> int:
        """How many indexes were built so far."""
        return self._cache.built

    async def index(self, documents: Sequence[Document]) -> Index:
        """Return the index of some documents, built now unless it is kept."""
        return await asyncio.to_thread(self._index, tuple(documents))

    def over(self, documents: Sequence[Document]) -> "DocumentRetriever":
        """Return a retriever over some documents; their index is built when it is first asked."""
        return DocumentRetriever(self, tuple(documents))

    async def prepare(
        self,
        documents: Sequence[Document],
        *,
        vectors: bool = False,
        progress: ReadingProgress | None = None,
    ) -> None:
        """Do now what the first search would do: cut, analyse, and with `vectors` embed.

        Raises:
            MissingExtra: There is nothing to compute vectors with.
        """
        if vectors and self._vectors is None:
            raise MissingExtra(f"search by meaning ({self._chosen.reason})", "offline")
        stop = Event()
        try:
            await asyncio.to_thread(self._prepare, documents, vectors, progress, stop)
        finally:
            stop.set()  # after Ctrl-C the thread ends with its batch

    def problems_of(self, document: Document) -> Iterator[str]:
        """Yield what is wrong with what the store holds of a document."""
        return self.preparation.problems_of(document)

    @cached_property
    def preparation(self) -> Preparation:
        """Makes documents ready to be indexed."""
        tokenizer = self._chosen.embedder or WordPieceEstimate()
        return Preparation(self._documents, self._search_store, tokenizer)

    @cached_property
    def _chosen(self) -> EmbedderChoice:
        return self._choose()

    @cached_property
    def _vectors(self) -> StoredVectors | None:
        embedder = self._chosen.embedder
        return None if embedder is None else StoredVectors(self._search_store, embedder)

    def _prepare(
        self,
        documents: Sequence[Document],
        vectors: bool,
        progress: ReadingProgress | None,
        stop: Event,
    ) -> None:
        for document in documents:
            chunks = self.preparation.chunks(document)
            self.preparation.terms(document)
            if vectors and self._vectors is not None:
                self._vectors.compute(chunks, _named(document.name, progress), stop)

    def _index(self, documents: tuple[Document, ...]) -> Index:
        key = tuple(map(_fingerprint, documents))
        return self._cache.get(key, lambda: self._build(documents))

    def _build(self, documents: tuple[Document, ...]) -> Index:
        terms = [self.preparation.terms(document) for document in documents]
        pages = np.concatenate([document.chunk_page for document in terms])
        are_few = len(documents) <= MOST_RANKED
        return Index(
            documents=documents,
            languages=tuple(rank_languages(terms)),
            chunk_counts=tuple(np.bincount(pages).tolist()),
            pages=self._build_pages(documents, terms) if are_few else None,
            shortlist=None if are_few else Shortlist(documents, terms),
            load_pages=lambda chosen: self._pages(tuple(documents[place] for place in chosen)),
            unavailable=None if self._vectors else self._chosen.reason,
        )

    def _build_pages(
        self, documents: tuple[Document, ...], terms: Sequence[DocumentTerms]
    ) -> PageIndex:
        chunks = [chunk for document in documents for chunk in self.preparation.chunks(document)]
        vectors = None if self._vectors is None else ChunkVectors(chunks, self._vectors)
        return PageIndex(documents, chunks, terms, vectors)

    def _pages(self, documents: tuple[Document, ...]) -> PageIndex:
        """Return the pages of a shortlist: those of its own index, which is kept like any other."""
        pages = self._index(documents).pages
        assert pages is not None
        return pages


@dataclass(frozen=True, slots=True)
class DocumentRetriever:
    """Searches some documents by the index that is kept of them."""

    indexer: Indexer
    documents: tuple[Document, ...]

    async def search(
        self,
        query: str,
        *,
        top_k: int = 10,
        pages: PageSelection = ALL_PAGES,
        vectors: VectorUse = "stored",
    ) -> SearchResults:
        """Return the best passages (see `Index.search`)."""
        index = await self.indexer.index(self.documents)
        return await index.search(query, top_k=top_k, pages=pages, vectors=vectors)


Key: TypeAlias = tuple[tuple[object, ...], ...]


class IndexCache:
    """The indexes asked last, as many as fit a limit of memory."""

    def __init__(self, max_bytes: int) -> None:
        self.built = 0
        self._max_bytes = max_bytes
        self._kept: OrderedDict[Key, Index] = OrderedDict()
        self._building: dict[Key, Lock] = {}
        self._lock = Lock()

    def get(self, key: Key, build: Callable[[], Index]) -> Index:
        """Return the index of a key, built by the first who asks while others wait."""
        with self._lock:
            building = self._building.setdefault(key, Lock())
        with building:
            index = self._kept.get(key)
            if index is None:
                index = build()
                self.built += 1
        with self._lock:
            self._building.pop(key, None)
            self._kept[key] = index
            self._kept.move_to_end(key)
            self._drop_oldest()
        return index

    def _drop_oldest(self) -> None:
        """Keep to the limit; an index that exceeds it alone is not kept."""
        total = sum(index.nbytes for index in self._kept.values())
        while total > self._max_bytes:
            _, dropped = self._kept.popitem(last=False)
            total -= dropped.nbytes


def _fingerprint(document: Document) -> tuple[object, ...]:
    """Return what an index of a document depends on: it is made anew after OCR or a renaming."""
    recognised = sum(page.is_ocr for page in document.pages)
    return document.id, document.name, document.title, document.reader, recognised


def _named(name: str, progress: ReadingProgress | None) -> Callable[[int, int], None] | None:
    if progress is None:
        return None
    return lambda done, total: progress(f"{name} (vectors)", done, total)
