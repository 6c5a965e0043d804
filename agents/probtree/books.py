"""The open book: where passages come from, and a corpus of the caller's own."""

import asyncio
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from lcagent.agents.answering import LabelledPassage, make_source
from lcagent.documents import Document
from lcagent.retrieval.search.words import Analyzer

K1, B = 1.2, 0.75


@dataclass(frozen=True, slots=True)
class RetrievalQuery:
    """Something to look up, and how many passages of it."""

    query: str
    top_k: int


class PassageRetriever(Protocol):
    """What passages can be looked up in."""

    async def retrieve(self, queries: Sequence[RetrievalQuery]) -> list[LabelledPassage]:
        """Return the best passages for each of the queries, none twice, labelled S1, S2, ..."""
        ...


class Corpus:
    """Paragraphs of the caller's own, each a page of a document, found by their words.

    BM25 as Lucene counts it (https://doi.org/10.1561/1500000019) with k1 = 1.2 and b = 0.75, over
    the words of headings and text; of equals the first. For data sets that come with their own
    paragraphs, as those of the paper do; documents are better searched by lcagent's retriever.
    """

    def __init__(self, documents: Sequence[Document]) -> None:
        self._pages = [(one, page) for one in documents for page in one.pages if page.text.strip()]
        self._terms = Analyzer(documents[0].language if documents else None).terms
        self._counts = [
            Counter(self._terms(f"{page.section or ''}\n{page.text}")) for _, page in self._pages
        ]
        lengths = [counts.total() for counts in self._counts]
        average = sum(lengths) / max(1, len(lengths)) or 1.0
        self._norms = [K1 * (1 - B + B * length / average) for length in lengths]
        self._frequency = Counter(term for counts in self._counts for term in counts)

    async def retrieve(self, queries: Sequence[RetrievalQuery]) -> list[LabelledPassage]:
        """Return the best pages for each of the queries."""
        ranked = await asyncio.to_thread(lambda: [self.ranked(one.query) for one in queries])
        best = (pages[: one.top_k] for one, pages in zip(queries, ranked, strict=True))
        chosen = dict.fromkeys(page for pages in best for page in pages)
        return [
            make_source(number, *self._pages[page], self._pages[page][1].text)
            for number, page in enumerate(chosen, 1)
        ]

    def ranked(self, query: str) -> list[int]:
        """Return the numbers of the pages that share words with a query, the best first."""
        words = set(self._terms(query))
        scores = [self._score(words, place) for place in range(len(self._pages))]
        order = sorted(range(len(scores)), key=lambda place: -scores[place])
        return [place for place in order if scores[place] > 0]

    def _score(self, wanted: Iterable[str], place: int) -> float:
        counts, norm = self._counts[place], self._norms[place]
        return sum(
            self._idf(term) * counts[term] / (counts[term] + norm)
            for term in wanted
            if counts[term]
        )

    def _idf(self, term: str) -> float:
        frequency = self._frequency[term]
        return math.log(1 + (len(self._pages) - frequency + 0.5) / (frequency + 0.5))
