"""The retriever: what the rest of lcagent calls to search documents."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from threading import Event
from typing import Literal, TypeAlias

import numpy as np

from lcagent.documents import Chunk, Document, Passage
from lcagent.errors import MissingExtra
from lcagent.retrieval.embedding.choose import Choice
from lcagent.retrieval.embedding.wordpiece_estimate import WordPieceEstimate
from lcagent.retrieval.library import ReadingProgress
from lcagent.retrieval.search import lexical
from lcagent.retrieval.search.dense import ChunkVectors
from lcagent.retrieval.search.layout import running_lines
from lcagent.retrieval.search.lexical import Floats, LexicalIndex
from lcagent.retrieval.search.preparation import Preparation, Prepared
from lcagent.retrieval.search.query import Query, analyse
from lcagent.retrieval.search.ranking import Ranking, candidates, rank
from lcagent.retrieval.search.shortlist import shortlist
from lcagent.selection import ALL_PAGES, PageSelection
from lcagent.storage.document_store import DocumentStore
from lcagent.storage.search_store import SearchStore

VectorUse: TypeAlias = Literal["none", "stored", "needed"]
"""Search by words only; by meaning too where all vectors are stored; or wherever it can be."""

CANDIDATE_CHUNKS = 60
"""Chunks that words propose for comparison by meaning, where not all have vectors."""


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What a search found, best first.

    Attributes:
        chunks: How many chunks the documents have.
        chunks_read: How many of them are on the selected pages.
        running: The running lines of each document by its id (see `layout.running_lines`).
        notes: What the user should know about how it was searched.
    """

    passages: tuple[Passage, ...]
    query: Query
    chunks: int
    chunks_read: int
    running: Mapping[str, frozenset[str]]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class _Ranked:
    """The pages of the documents worth it, ranked for a question.

    Attributes:
        chunk_pages: The page index of every chunk of all documents.
        notes: What the user should know about how they were ranked.
    """

    prepared: list[Prepared]
    chunks: list[Chunk]
    index: LexicalIndex
    query: Query
    ranking: Ranking
    chunk_pages: list[int]
    notes: tuple[str, ...]


class Retriever:
    """Searches documents; what it computes for a document is stored and used again."""

    def __init__(
        self,
        documents: DocumentStore,
        search: SearchStore,
        choose: Callable[[], Choice],
    ) -> None:
        self._documents = documents
        self._search_store = search
        self._choose = choose

    async def search(
        self,
        query: str,
        documents: Sequence[Document],
        *,
        top_k: int = 10,
        pages: PageSelection = ALL_PAGES,
        vectors: VectorUse = "stored",
    ) -> Found:
        """Return the best passage of each of the `top_k` pages that fit `query` best."""
        ranked = await asyncio.to_thread(self._rank, query, documents, vectors)
        passages = tuple(islice(_passages(ranked, pages), top_k))
        found_in = {passage.span.document_id for passage in passages}
        return Found(
            passages=passages,
            query=ranked.query,
            chunks=len(ranked.chunk_pages),
            chunks_read=sum(index + 1 in pages for index in ranked.chunk_pages),
            running={one.id: running_lines(one) for one in documents if one.id in found_in},
            notes=(*self._notes(vectors), *ranked.notes),
        )

    async def prepare(
        self,
        documents: Sequence[Document],
        *,
        vectors: bool = False,
        progress: ReadingProgress | None = None,
    ) -> None:
        """Do now what a search would do first: cut, analyse, and with `vectors` embed.

        Raises:
            MissingExtra: There is nothing to compute vectors with.
        """
        if vectors and self.vectors is None:
            raise MissingExtra(f"search by meaning ({self._chosen.reason})", "offline")
        stop = Event()
        try:
            await asyncio.to_thread(self._prepare_all, documents, vectors, progress, stop)
        finally:
            stop.set()  # after Ctrl-C the thread ends with its batch

    def problems_of(self, document: Document) -> Iterator[str]:
        """Yield what is wrong with what the store holds of a document."""
        return self.preparation.problems_of(document)

    @cached_property
    def _chosen(self) -> Choice:
        return self._choose()

    @cached_property
    def vectors(self) -> ChunkVectors | None:
        """The vectors of chunks, or None where nothing can compute any."""
        embedder = self._chosen.embedder
        return None if embedder is None else ChunkVectors(self._search_store, embedder)

    @cached_property
    def preparation(self) -> Preparation:
        """Makes documents ready to be searched."""
        tokenizer = self._chosen.embedder or WordPieceEstimate()
        return Preparation(self._documents, self._search_store, tokenizer)

    def _prepare_all(
        self,
        documents: Sequence[Document],
        vectors: bool,
        progress: ReadingProgress | None,
        stop: Event,
    ) -> None:
        for document in documents:
            prepared = self.preparation.prepare(document)
            if vectors and self.vectors is not None:
                self.vectors.compute(prepared.chunks, _named(document.name, progress), stop)

    def _rank(self, question: str, documents: Sequence[Document], use: VectorUse) -> _Ranked:
        terms = [self.preparation.terms(document) for document in documents]
        chosen = shortlist(question, terms, [_name(document) for document in documents])
        prepared = [self.preparation.prepare(documents[number]) for number in chosen]
        chunks = [chunk for one in prepared for chunk in one.chunks]
        index = lexical.build([one.terms for one in prepared])
        query = analyse(question, terms, index)
        gain = _name_gain(query, prepared)
        ranking = rank(index, query.terms, self.cosines(query, index, chunks, use), gain)
        chunk_pages = [page for one in terms for page in one.chunk_page.tolist()]
        return _Ranked(
            prepared, chunks, index, query, ranking, chunk_pages, _shortlisted(chosen, documents)
        )

    def _notes(self, use: VectorUse) -> tuple[str, ...]:
        if use != "needed" or self.vectors is not None:
            return ()
        return (f"searched by words only: {self._chosen.reason}",)

    def cosines(
        self, query: Query, index: LexicalIndex, chunks: list[Chunk], use: VectorUse
    ) -> Floats | None:
        """Return the likeness of the question and each chunk, or None for words only.

        Where not all chunks have vectors, the most promising get theirs now and the rest count
        as the least alike of them.
        """
        if self.vectors is None or use == "none" or not chunks:
            return None
        if not self.vectors.missing(chunks):
            return self.vectors.similarities(query.text, chunks)
        if use == "stored":
            return None
        chosen = candidates(index, query.terms, CANDIDATE_CHUNKS)
        likely = [chunks[number] for number in chosen]
        self.vectors.compute(likely)
        found = self.vectors.similarities(query.text, likely)
        cosines = np.full(len(chunks), found.min() if len(found) else 0.0)
        cosines[chosen] = found
        return cosines


def _shortlisted(chosen: Sequence[int], documents: Sequence[Document]) -> tuple[str, ...]:
    if len(chosen) == len(documents):
        return ()
    return (
        f"of {len(documents)} documents, the pages of the {len(chosen)} that fit best were ranked",
    )


def _name_gain(query: Query, prepared: Sequence[Prepared]) -> Floats:
    """Return what pages gain when the question names their document, 1 to 2."""
    gains = [1.0 + query.share_in(_name(one.document)) for one in prepared]
    return np.repeat(gains, [len(one.document.pages) for one in prepared])


def _name(document: Document) -> str:
    return f"{document.name} {document.title or ''}"


def _passages(ranked: _Ranked, selected: PageSelection) -> Iterator[Passage]:
    """Yield the best passage of each selected page that matches at all, the best page first."""
    owners = [(one.document, page) for one in ranked.prepared for page in one.document.pages]
    ranking = ranked.ranking
    best = ranking.best_chunk_of(ranked.index.chunk_page)
    for number in np.argsort(-ranking.pages, kind="stable").tolist():
        document, page = owners[number]
        if ranking.pages[number] <= 0:
            return
        if number in best and page.index + 1 in selected:
            chunk = ranked.chunks[best[number]]
            yield Passage(
                span=chunk.span,
                text=chunk.text,
                document_name=document.name,
                page=page,
                score=float(ranking.pages[number]),
                lexical_rank=ranking.lexical_ranks[number],
                dense_rank=ranking.dense_ranks[number] if ranking.dense_ranks else None,
            )


def _named(name: str, progress: ReadingProgress | None) -> Callable[[int, int], None] | None:
    if progress is None:
        return None
    return lambda done, total: progress(f"{name} (vectors)", done, total)
