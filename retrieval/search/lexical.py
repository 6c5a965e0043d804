"""Lexical search over the pages of some documents: BM25 three times, and a liking for tables.

BM25 as Lucene counts it (Robertson and Zaragoza, https://doi.org/10.1561/1500000019), computed
by bm25s (https://arxiv.org/abs/2407.03618). Three indexes are added up: whole pages reward
words that are spread out, chunks those that stand together, and headings say what a bare table
is about.

Numbers live in tables, and a table has few words. The score of a page is therefore multiplied
by 1 + affinity x table share, the affinity of a question being measured in the documents
themselves: how much more often than the average word its words stand in table rows, at most 1.
Where there are no tables, nothing happens.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import bm25s
import numpy as np
from numpy.typing import NDArray

from lcagent.retrieval.search.terms import HEADING, ROW, DocumentTerms, Ints

Floats = NDArray[np.float64]

K1, B = 1.2, 0.75
TABLE_WEIGHT = 1.5
SMALL_PAGE = 30
"""A page with fewer terms counts as one with so many: two numbers are no table."""


@dataclass(frozen=True, slots=True, eq=False)
class LexicalIndex:
    """The pages of some documents, made ready for questions.

    Pages and chunks are numbered through all documents.

    Attributes:
        vocabulary: The number of each term.
        chunk_page: The page of each chunk.
        table_share: How much of each page stands in table rows, 0 to 1.
        idf: The inverse document frequency of each term, over pages.
        row_affinity: How much more often than the average term each stands in table rows.
    """

    vocabulary: dict[str, int]
    pages: bm25s.BM25
    chunks: bm25s.BM25
    headings: bm25s.BM25
    chunk_page: Ints
    table_share: Floats
    idf: Floats
    row_affinity: Floats

    def known(self, terms: Sequence[str]) -> list[int]:
        """Return the numbers of the terms that occur."""
        return [self.vocabulary[term] for term in terms if term in self.vocabulary]

    def page_scores(self, terms: Sequence[str]) -> Floats:
        """Return the plain BM25 scores of all pages."""
        return _scores(self.pages, self.known(terms))

    def scores(self, terms: Sequence[str]) -> tuple[Floats, Floats]:
        """Return the scores of all pages and of all chunks."""
        known = self.known(terms)
        chunks = _scores(self.chunks, known)
        pages = _scores(self.pages, known) + _scores(self.headings, known)
        return pages + page_maximum(chunks, self.chunk_page, len(pages)), chunks

    def table_prior(self, terms: Sequence[str]) -> Floats:
        """Return by how much each page gains for its tables, 1 to 2."""
        known = [self.vocabulary[term] for term in terms if _is_word(term, self.vocabulary)]
        weight = self.idf[known].sum()
        affinity = (self.idf[known] * self.row_affinity[known]).sum() / weight if weight else 0.0
        return 1.0 + TABLE_WEIGHT * min(1.0, float(affinity)) * self.table_share

    def term_weight(self, term: str) -> float:
        """Return how much a term tells: its idf, the highest there can be if it never occurs."""
        number = self.vocabulary.get(term)
        absent = float(np.log(1 + (len(self.table_share) + 0.5) / 0.5))
        return absent if number is None else float(self.idf[number])


def build(documents: Sequence[DocumentTerms]) -> LexicalIndex:
    """Return the index of some documents together."""
    vocabulary: dict[str, int] = {}
    merged = [_renumbered(document, vocabulary) for document in documents]
    terms = np.concatenate([document.terms for document in merged])
    page_of, chunk_of, kind_of, chunk_page = _owners(merged)
    page_count = sum(document.page_count for document in merged)
    size = len(vocabulary)
    return LexicalIndex(
        vocabulary=vocabulary,
        pages=_bm25(terms, page_of, page_count, size),
        chunks=_bm25(terms, chunk_of, len(chunk_page), size),
        headings=_bm25(terms[kind_of == HEADING], page_of[kind_of == HEADING], page_count, size),
        chunk_page=chunk_page,
        table_share=_table_share(page_of, kind_of == ROW, page_count),
        idf=_idf(terms, page_of, page_count, size),
        row_affinity=_row_affinity(terms, kind_of == ROW, size),
    )


def page_maximum(chunk_scores: Floats, chunk_page: Ints, page_count: int) -> Floats:
    """Return the best chunk score of each page, the lowest of all where it has no chunk."""
    best = np.full(page_count, chunk_scores.min() if len(chunk_scores) else 0.0)
    np.maximum.at(best, chunk_page, chunk_scores)
    return best


def _is_word(term: str, vocabulary: dict[str, int]) -> bool:
    return term in vocabulary and not term[0].isdigit()


def _scores(index: bm25s.BM25, known: list[int]) -> Floats:
    if not known:
        return np.zeros(int(index.scores["num_docs"]))
    return np.asarray(index.get_scores_from_ids(known), dtype=np.float64)


def _renumbered(document: DocumentTerms, vocabulary: dict[str, int]) -> DocumentTerms:
    """Return the document with its terms numbered by a common vocabulary, which grows."""
    numbers = [vocabulary.setdefault(term, len(vocabulary)) for term in document.vocabulary]
    terms = np.array(numbers, dtype=np.int32)[document.terms] if numbers else document.terms
    return DocumentTerms(
        [],
        terms,
        document.segment_ends,
        document.segment_chunk,
        document.segment_kind,
        document.chunk_page,
        document.page_count,
        document.language,
    )


def _owners(documents: Sequence[DocumentTerms]) -> tuple[Ints, Ints, Ints, Ints]:
    """Return for each term its page, chunk and kind of segment, and for each chunk its page."""
    pages: list[Ints] = []
    chunks: list[Ints] = []
    kinds: list[Ints] = []
    chunk_pages: list[Ints] = []
    first_page = first_chunk = 0
    for document in documents:
        lengths = np.diff(document.segment_ends, prepend=0)
        chunk = np.repeat(document.segment_chunk, lengths)
        pages.append(document.chunk_page[chunk] + first_page)
        chunks.append(chunk + first_chunk)
        kinds.append(np.repeat(document.segment_kind, lengths))
        chunk_pages.append(document.chunk_page + first_page)
        first_page += document.page_count
        first_chunk += len(document.chunk_page)
    joined = (np.concatenate(parts) for parts in (pages, chunks, kinds, chunk_pages))
    page_of, chunk_of, kind_of, chunk_page = joined
    return page_of, chunk_of, kind_of, chunk_page


def _bm25(terms: Ints, owners: Ints, owner_count: int, vocabulary_size: int) -> bm25s.BM25:
    """Return a BM25 index of units whose terms are `terms`, in the order of their owners."""
    ends = np.cumsum(np.bincount(owners, minlength=owner_count))
    units = [unit.tolist() for unit in np.split(terms, ends[:-1])] if owner_count else []
    index = bm25s.BM25(k1=K1, b=B, method="lucene")
    index.scores = _index_ids(index, units, vocabulary_size)
    index.nonoccurrence_array = None
    return index


def _index_ids(index: bm25s.BM25, units: list[list[int]], vocabulary_size: int) -> dict[str, Any]:
    if not any(units):
        return {
            "data": np.zeros(0, dtype=np.float32),
            "indices": np.zeros(0, dtype=np.int32),
            "indptr": np.zeros(vocabulary_size + 1, dtype=np.int64),
            "num_docs": len(units),
        }
    scores: dict[str, Any] = index.build_index_from_ids(
        list(range(vocabulary_size)), units, show_progress=False, leave_progress=False
    )
    return scores


def _idf(terms: Ints, page_of: Ints, page_count: int, size: int) -> Floats:
    """Return Lucene's inverse document frequency of each term over pages."""
    pairs = np.unique(terms.astype(np.int64) * max(1, page_count) + page_of)
    frequency = np.bincount(pairs // max(1, page_count), minlength=size)
    return np.asarray(np.log(1 + (page_count - frequency + 0.5) / (frequency + 0.5)))


def _table_share(page_of: Ints, in_row: NDArray[np.bool_], page_count: int) -> Floats:
    everything = np.bincount(page_of, minlength=page_count)
    rows = np.bincount(page_of[in_row], minlength=page_count)
    return rows / np.maximum(everything, SMALL_PAGE)


def _row_affinity(terms: Ints, in_row: NDArray[np.bool_], size: int) -> Floats:
    everywhere = np.bincount(terms, minlength=size)
    in_rows = np.bincount(terms[in_row], minlength=size)
    average = in_row.mean() if len(in_row) else 0.0
    return in_rows / np.maximum(everywhere, 1) / average if average else np.zeros(size)
