"""Retrievers: what agents and pipelines ask for the passages that fit a question.

An `Index` of documents (`index.py`) is one, paragraphs of the caller's own are another
(`InMemoryCorpus`), and a retriever of LlamaIndex a third (`lcagent.retrieval.llama_index`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from lcagent.documents import Document, Passage, Span
from lcagent.retrieval.search import bm25
from lcagent.retrieval.search.analysis import Analyzer
from lcagent.retrieval.search.layout import running_lines
from lcagent.retrieval.search.query import Query
from lcagent.retrieval.search.vectors import VectorUse
from lcagent.selection import ALL_PAGES, PageSelection


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
    """Paragraphs of the caller's own, each a page of a document, found by their words.

    Plain BM25 over the words of headings and text; of equals the first. For data sets that come
    with their own paragraphs, as those of the ProbTree paper do, and for tests: nothing is stored.
    Documents are better searched by an `Index`.
    """

    def __init__(self, documents: Sequence[Document]) -> None:
        self._pages = [(owner, page) for owner in documents for page in owner.pages]
        self._pages = [(owner, page) for owner, page in self._pages if page.text.strip()]
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
        """Return the pages that share the most with a query; none that share no word with it."""
        terms = list(dict.fromkeys(self._analyzer.terms(query)))
        known = {term: self._vocabulary[term] for term in terms if term in self._vocabulary}
        scores = self._index.scores(list(known.values()))
        selected = [page.index + 1 in pages for _, page in self._pages]
        order = np.argsort(-scores, kind="stable").tolist()
        best = [number for number in order if scores[number] > 0 and selected[number]]
        passages = [
            self._passage(number, float(scores[number]), rank)
            for rank, number in enumerate(best[:top_k], 1)
        ]
        owners = {owner.id: owner for owner, _ in self._pages}
        absent = float(np.log(1 + (len(self._pages) + 0.5) / 0.5))
        return SearchResults(
            passages=tuple(passages),
            query=Query(
                text=query,
                terms=tuple(terms),
                weights={
                    term: float(self._index.idf[known[term]]) if term in known else absent
                    for term in terms
                },
                absent=frozenset(terms) - known.keys(),
                lacks_name=False,
                analyzer=self._analyzer,
            ),
            chunks=len(self._pages),
            chunks_read=sum(selected),
            running={
                found: running_lines(owners[found])
                for found in {passage.span.document_id for passage in passages}
            },
        )

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
