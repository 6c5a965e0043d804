"""The index of some documents: what does not depend on a question, ready to be asked many.

A question costs its own analysis, the postings of its terms, and, where vectors are used, its
embedding and one pass over them: about 2 CPU milliseconds by words on a report of 500 pages.
`lcagent.retrieval.indexing` builds indexes and keeps them.

Ranking pages costs memory and time with each page. Of more documents than `MOST_RANKED`, those are
ranked that BM25 puts first when each document, with its name, is one unit.
"""

import asyncio
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from lcagent.documents import Chunk, Document, Page, Passage
from lcagent.retrieval.search import bm25
from lcagent.retrieval.search.analysis import Analyzer
from lcagent.retrieval.search.bm25 import Floats, Ints
from lcagent.retrieval.search.layout import running_lines
from lcagent.retrieval.search.query import Query, analyse, question_terms
from lcagent.retrieval.search.ranking import Ranking, candidates, index_terms, rank
from lcagent.retrieval.search.retriever import SearchResults, VectorUse
from lcagent.retrieval.search.terms import DocumentTerms
from lcagent.retrieval.search.vectors import ChunkVectors
from lcagent.selection import ALL_PAGES, PageSelection

MOST_RANKED = 24
"""Documents whose pages are ranked for one question."""

CANDIDATE_CHUNKS = 60
"""Chunks that words propose for comparison by meaning, where not all have vectors."""


class PageIndex:
    """The pages of at most `MOST_RANKED` documents, ready to be ranked."""

    def __init__(
        self,
        documents: Sequence[Document],
        chunks: Sequence[Chunk],
        terms: Sequence[DocumentTerms],
        vectors: ChunkVectors | None,
    ) -> None:
        self.documents = documents
        self.chunks = chunks
        self.lexical = index_terms(terms)
        self.vectors = vectors
        self._page_counts = [len(document.pages) for document in documents]
        self._page_ends = np.cumsum(self._page_counts)
        self._running: dict[str, frozenset[str]] = {}
        texts = [chunk.text for chunk in chunks]
        texts += [page.text for document in documents for page in document.pages]
        self._text_bytes = sum(map(sys.getsizeof, texts)) + _CHUNK_BYTES * len(chunks)

    @property
    def nbytes(self) -> int:
        """The memory it takes by now, about; vectors are added as they become known."""
        vectors = self.vectors.nbytes if self.vectors else 0
        return self._text_bytes + self.lexical.nbytes + vectors

    def rank(
        self, question: str, use: VectorUse, languages: Sequence[str]
    ) -> tuple[Query, Ranking]:
        """Rank all pages for a question.

        Args:
            languages: What the question may be in, that of most pages first.
        """
        query = analyse(question, languages, self.lexical)
        gains = [1.0 + query.share_in(_name(document)) for document in self.documents]
        ranking = rank(
            self.lexical,
            query.terms,
            self._cosines(query, use),
            np.repeat(gains, self._page_counts),
        )
        return query, ranking

    def passages(self, ranking: Ranking, selected: PageSelection) -> Iterator[Passage]:
        """Yield the best chunk of each selected page that matches at all, the best page first."""
        for number in ranking.order():
            if ranking.pages[number] <= 0:
                return
            document, page = self._page(number)
            best = ranking.best_chunk(number, self.lexical.chunk_page)
            if best is None or page.index + 1 not in selected:
                continue
            dense_ranks = ranking.dense_ranks
            yield Passage(
                span=self.chunks[best].span,
                text=self.chunks[best].text,
                document_name=document.name,
                page=page,
                score=float(ranking.pages[number]),
                lexical_rank=int(ranking.lexical_ranks[number]),
                dense_rank=None if dense_ranks is None else int(dense_ranks[number]),
            )

    def running(self, document_id: str) -> frozenset[str]:
        """Return the running lines of a document; looked for once."""
        if document_id not in self._running:
            (document,) = (known for known in self.documents if known.id == document_id)
            self._running[document_id] = running_lines(document)
        return self._running[document_id]

    def _cosines(self, query: Query, use: VectorUse) -> Floats | None:
        if self.vectors is None:
            return None
        return self.vectors.cosines(
            query.text, use, lambda: candidates(self.lexical, query.terms, CANDIDATE_CHUNKS)
        )

    def _page(self, number: int) -> tuple[Document, Page]:
        """Return a page by its number through all documents, and its document."""
        place = int(np.searchsorted(self._page_ends, number, side="right"))
        document = self.documents[place]
        return document, document.pages[
            number - (int(self._page_ends[place]) - len(document.pages))
        ]


class Shortlist:
    """Whole documents as units of BM25: which of many are worth ranking page by page."""

    def __init__(self, documents: Sequence[Document], terms: Sequence[DocumentTerms]) -> None:
        self._vocabulary: dict[str, int] = {}
        lengths = [len(document.terms) for document in terms]
        found = [
            self._frequencies(document, _name(owner))
            for owner, document in zip(documents, terms, strict=True)
        ]
        numbers = np.concatenate([numbers for numbers, _ in found])
        units = np.repeat(np.arange(len(found), dtype=np.int32), [len(n) for n, _ in found])
        order = np.argsort(numbers, kind="stable")
        frequencies = np.concatenate([frequencies for _, frequencies in found])
        postings = bm25.Postings(numbers[order], units[order], frequencies[order])
        self._index = bm25.build(postings, np.array(lengths), len(self._vocabulary))

    @property
    def nbytes(self) -> int:
        """The memory it takes, about."""
        return self._index.nbytes + sum(map(sys.getsizeof, self._vocabulary))

    def best(self, terms: Sequence[str], most: int = MOST_RANKED) -> tuple[int, ...]:
        """Return the positions of the documents that fit best, in their own order."""
        known = [self._vocabulary[term] for term in terms if term in self._vocabulary]
        best = np.argsort(-self._index.scores(known), kind="stable")[:most]
        return tuple(sorted(best.tolist()))

    def _frequencies(self, document: DocumentTerms, name: str) -> tuple[Ints, Ints]:
        """Return the terms of a document and how often each stands in it.

        A term of its name counts as if all of its words were that term. So a document that is
        named goes before any that speaks of it, and rare names go before common ones.
        """
        numbers = [self._number(term) for term in document.vocabulary]
        frequencies = np.bincount(document.terms, minlength=len(numbers)).tolist()
        counted = dict(zip(numbers, frequencies, strict=True))
        for term in Analyzer(document.language).indexed_terms(name):
            counted[self._number(term)] = len(document.terms)
        held = {number: frequency for number, frequency in counted.items() if frequency}
        return np.array(list(held), dtype=np.int32), np.array(list(held.values()), dtype=np.int32)

    def _number(self, term: str) -> int:
        return self._vocabulary.setdefault(term, len(self._vocabulary))


@dataclass(frozen=True, eq=False)
class Index:
    """Some documents, ready to be searched; a `Retriever`.

    Attributes:
        languages: Of the documents, that of most pages first.
        chunk_counts: How many chunks stand on the pages of each number, from 1, of any document.
        pages: The index of all pages; None where there are too many documents.
        shortlist: Which documents a question is about, where there are many.
        load_pages: Returns the index of the pages of the documents at some positions.
        unavailable: Why there are no vectors, or None.
    """

    documents: tuple[Document, ...]
    languages: tuple[str, ...]
    chunk_counts: tuple[int, ...]
    pages: PageIndex | None
    shortlist: Shortlist | None
    load_pages: Callable[[tuple[int, ...]], PageIndex]
    unavailable: str | None = None

    @property
    def nbytes(self) -> int:
        """The memory it takes, about; that of `load_pages` not counted."""
        return sum(part.nbytes for part in (self.pages, self.shortlist) if part is not None)

    async def search(
        self,
        query: str,
        *,
        top_k: int = 10,
        pages: PageSelection = ALL_PAGES,
        vectors: VectorUse = "stored",
    ) -> SearchResults:
        """Return the best passage of each of the `top_k` pages that fit `query` best."""
        return await asyncio.to_thread(self._search, query, top_k, pages, vectors)

    def _search(
        self, question: str, top_k: int, selected: PageSelection, use: VectorUse
    ) -> SearchResults:
        chosen = self._chosen(question)
        pages = self.pages or self.load_pages(chosen)
        query, ranking = pages.rank(question, use, self.languages)
        passages = tuple(islice(pages.passages(ranking, selected), top_k))
        chunks = sum(self.chunk_counts)
        counted = enumerate(self.chunk_counts, 1)
        return SearchResults(
            passages=passages,
            query=query,
            chunks=chunks,
            chunks_read=chunks
            if selected == ALL_PAGES
            else sum(count for number, count in counted if number in selected),
            running={
                found: pages.running(found)
                for found in {passage.span.document_id for passage in passages}
            },
            notes=tuple(self._notes(use, len(chosen))),
        )

    def _chosen(self, question: str) -> tuple[int, ...]:
        if self.shortlist is None:
            return tuple(range(len(self.documents)))
        return self.shortlist.best(list(dict.fromkeys(question_terms(question, self.languages))))

    def _notes(self, use: VectorUse, ranked: int) -> Iterator[str]:
        if use == "needed" and self.unavailable is not None:
            yield f"searched by words only: {self.unavailable}"
        if ranked < len(self.documents):
            yield (
                f"of {len(self.documents)} documents, the pages of the {ranked} that fit best "
                "were ranked"
            )


def _name(document: Document) -> str:
    return f"{document.name} {document.title or ''}"


_CHUNK_BYTES = 300
"""A chunk without its text."""
