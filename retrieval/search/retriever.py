"""What a retriever is: agents and pipelines ask one for the passages that fit a question.

An `Index` of documents (`index.py`) is one, paragraphs of the caller's own are another
(`InMemoryCorpus`), and a retriever of LlamaIndex a third (`lcagent.retrieval.llama_index`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

import numpy as np

from lcagent.documents import Document, Passage, Span
from lcagent.retrieval.search import bm25
from lcagent.retrieval.search.analysis import Analyzer
from lcagent.retrieval.search.layout import running_lines
from lcagent.retrieval.search.query import Query
from lcagent.selection import ALL_PAGES, PageSelection

VectorUse: TypeAlias = Literal["none", "stored", "needed"]
"""Search by words only; by meaning too where all vectors are stored; or wherever it can be."""


@dataclass(frozen=True, slots=True, eq=False)
class SearchResults:
    """What a search found, best first.

    Attributes:
        chunks: How many chunks were there to be searched.
        chunks_read: How many of them are on the selected pages.
        running: The running lines of each document found, by its id (see `layout.running_lines`).
        notes: What the user should know about how it was searched.
    """

    passages: tuple[Passage, ...]
    query: Query
    chunks: int
    chunks_read: int
    running: Mapping[str, frozenset[str]]
    notes: tuple[str, ...] = ()


class Retriever(Protocol):
    """Finds passages of some documents."""

    async def search(
        self,
        query: str,
        *,
        top_k: int = 10,
        pages: PageSelection = ALL_PAGES,
        vectors: VectorUse = "stored",
    ) -> SearchResults:
        """Return the best passage of each of the `top_k` pages that fit `query` best.

        Args:
            pages: Only passages on these pages of each document.
            vectors: Whether to search by meaning, too; a retriever without vectors ignores it.
        """
        ...


class InMemoryCorpus:
    """Documents whose pages are found by their words; nothing is cut, stored or embedded.

    Plain BM25 over the words of headings and text; of equals the first. For data sets that come
    with their own paragraphs, as those of the ProbTree paper do. Long documents are better
    searched by an `Index`, which knows chunks, tables and meaning.
    """

    def __init__(self, documents: Sequence[Document]) -> None:
        self._documents = {document.id: document for document in documents}
        self._pages = [
            (document, page)
            for document in documents
            for page in document.pages
            if page.text.strip()
        ]
        self._analyzer = Analyzer(documents[0].language if documents else None)
        self._vocabulary: dict[str, int] = {}
        terms: list[int] = []
        lengths: list[int] = []
        for _, page in self._pages:
            words = self._analyzer.terms(f"{page.section or ''}\n{page.text}")
            terms += [self._vocabulary.setdefault(word, len(self._vocabulary)) for word in words]
            lengths.append(len(words))
        owners = np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)
        postings = bm25.count(np.array(terms, dtype=np.int32), owners, len(lengths))
        self._index = bm25.build(postings, np.array(lengths, dtype=int), len(self._vocabulary))

    async def search(
        self,
        query: str,
        *,
        top_k: int = 10,
        pages: PageSelection = ALL_PAGES,
        vectors: VectorUse = "stored",  # noqa: ARG002 -- there are none
    ) -> SearchResults:
        """Return the pages that share most with a query; none that share no word with it."""
        terms = dict.fromkeys(self._analyzer.terms(query))
        known = [self._vocabulary[term] for term in terms if term in self._vocabulary]
        scores = self._index.scores(known)
        order = np.argsort(-scores, kind="stable").tolist()
        found = [
            self._passage(number, float(scores[number]), rank)
            for rank, number in enumerate(order, 1)
            if scores[number] > 0 and self._pages[number][1].index + 1 in pages
        ]
        return self.results(query, found[:top_k], pages)

    def results(
        self,
        query: str,
        passages: Sequence[Passage],
        pages: PageSelection,
        notes: tuple[str, ...] = (),
    ) -> SearchResults:
        """Return passages of the corpus as results, with the query in the words of the corpus."""
        terms = tuple(dict.fromkeys(self._analyzer.terms(query)))
        absent = frozenset(terms) - self._vocabulary.keys()
        found = {passage.span.document_id for passage in passages}
        return SearchResults(
            passages=tuple(passages),
            query=Query(
                text=query,
                terms=terms,
                weights={term: self._weight(term) for term in terms},
                absent=absent,
                lacks_name=False,
                analyzer=self._analyzer,
            ),
            chunks=len(self._pages),
            chunks_read=sum(page.index + 1 in pages for _, page in self._pages),
            running={key: running_lines(self._documents[key]) for key in found},
            notes=notes,
        )

    def _weight(self, term: str) -> float:
        return self._index.term_weight(self._vocabulary.get(term))

    def _passage(self, number: int, score: float, rank: int) -> Passage:
        document, page = self._pages[number]
        return Passage(
            span=Span(document.id, page.index, 0, len(page.text)),
            text=page.text,
            document_name=document.name,
            page=page,
            score=score,
            lexical_rank=rank,
        )
