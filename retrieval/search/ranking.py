"""The ranking of pages for a question: words, tables, and meaning where there are vectors."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lcagent.retrieval.search.fusion import by_maximum, by_range, ranks
from lcagent.retrieval.search.lexical import Floats, LexicalIndex, page_maximum
from lcagent.retrieval.search.terms import Ints


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """The scores of all pages and chunks, higher is better.

    Attributes:
        lexical_ranks: The rank of each page by words alone, from 1.
        dense_ranks: The rank of each page by meaning alone, or None without vectors.
    """

    pages: Floats
    chunks: Floats
    lexical_ranks: list[int]
    dense_ranks: list[int] | None

    def best_chunk_of(self, chunk_page: Ints) -> dict[int, int]:
        """Return the best chunk of each page that has one."""
        order = np.argsort(self.chunks, kind="stable").tolist()
        return {int(chunk_page[chunk]): chunk for chunk in order}


def rank(
    index: LexicalIndex,
    terms: Sequence[str],
    cosines: Floats | None = None,
    page_gain: Floats | float = 1.0,
) -> Ranking:
    """Rank pages by the terms of a question, and by the cosine of it and each chunk.

    Both count alike; the whole is then multiplied by what tables gain (see `lexical`) and by
    `page_gain`, what is known about each page beside its text.
    """
    pages, chunks = index.scores(terms)
    prior = index.table_prior(terms) * page_gain
    page_scores, chunk_scores = by_maximum(pages), by_maximum(chunks)
    dense_ranks = None
    if cosines is not None and len(cosines):
        dense_pages = page_maximum(cosines, index.chunk_page, len(pages))
        dense_ranks = ranks(dense_pages)
        page_scores = page_scores + by_range(dense_pages)
        chunk_scores = chunk_scores + by_range(cosines)
    return Ranking(page_scores * prior, chunk_scores, ranks(pages * prior), dense_ranks)


def candidates(index: LexicalIndex, terms: Sequence[str], most: int) -> list[int]:
    """Return the chunks most worth a vector: the best one of each of the best pages, by words."""
    words = rank(index, terms)
    best = words.best_chunk_of(index.chunk_page)
    pages = np.argsort(-words.pages, kind="stable").tolist()
    return [best[page] for page in pages if page in best][:most]
