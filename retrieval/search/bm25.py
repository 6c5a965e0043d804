"""BM25 over units of any size: pages, chunks, headings, whole documents.

The formula is that of Lucene (Robertson and Zaragoza, https://doi.org/10.1561/1500000019; the
variants are compared in Kamphuis et al., https://doi.org/10.1007/978-3-030-45442-5_4):

    idf(t) * tf / (tf + k1 * (1 - b + b * length / average length))

Everything in it but the choice of terms is known before a question is asked. As in BM25S
(https://arxiv.org/abs/2407.03618) each posting therefore holds its finished weight, and a question
costs one addition for each posting of its terms. The library of that name builds the same matrix
unit by unit in Python; here it is built at once from arrays of term numbers, in a tenth of the
time, and from frequencies that the caller may change (see `index.Shortlist`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]

K1, B = 1.2, 0.75


@dataclass(frozen=True, slots=True, eq=False)
class Postings:
    """How often each term stands in each unit that has it; sorted by term, then by unit."""

    terms: Ints
    units: Ints
    frequencies: Ints


@dataclass(frozen=True, slots=True, eq=False)
class BM25:
    """Some units, ready to be scored.

    Attributes:
        unit_count: Units with and without terms.
        idf: The inverse document frequency of each term, shape (vocabulary size,).
        starts: Where the postings of each term begin, shape (vocabulary size + 1,).
        units: The unit of each posting.
        weights: What its term adds to the score of that unit, float32.
    """

    unit_count: int
    idf: Floats
    starts: NDArray[np.int64]
    units: Ints
    weights: NDArray[np.float32]

    def scores(self, terms: Sequence[int]) -> Floats:
        """Return the score of every unit for terms given by number; a repeated term counts again.

        Shape (unit_count,). Units with none of the terms score 0.
        """
        scores = np.zeros(self.unit_count, dtype=np.float32)
        for term in terms:
            postings = slice(self.starts[term], self.starts[term + 1])
            scores[self.units[postings]] += self.weights[postings]  # a unit occurs once a term
        return scores.astype(np.float64)

    def term_weight(self, term: int | None) -> float:
        """Return how much a term tells: its idf, the highest there can be if it never occurs."""
        if term is None:
            return float(np.log(1 + (self.unit_count + 0.5) / 0.5))
        return float(self.idf[term])

    @property
    def nbytes(self) -> int:
        """The memory it takes."""
        return self.idf.nbytes + self.starts.nbytes + self.units.nbytes + self.weights.nbytes


def count(terms: Ints, units: Ints, unit_count: int) -> Postings:
    """Return the postings of a text given as the term and the unit of each of its words."""
    keys = terms.astype(np.int64) * max(1, unit_count) + units
    distinct, frequencies = np.unique(keys, return_counts=True)
    term, unit = np.divmod(distinct, max(1, unit_count))
    return Postings(term.astype(np.int32), unit.astype(np.int32), frequencies.astype(np.int32))


def build(postings: Postings, lengths: NDArray[np.integer], vocabulary_size: int) -> BM25:
    """Return the index of units with these postings.

    Args:
        lengths: The terms in each unit, shape (unit_count,). An empty unit counts for the average.
    """
    unit_count = len(lengths)
    holding = np.bincount(postings.terms, minlength=vocabulary_size)
    idf = np.log(1 + (unit_count - holding + 0.5) / (holding + 0.5))
    average = float(lengths.mean()) if unit_count and lengths.any() else 1.0
    norms = K1 * (1 - B + B * lengths / average)
    saturated = postings.frequencies / (postings.frequencies + norms[postings.units])
    return BM25(
        unit_count=unit_count,
        idf=idf,
        starts=np.concatenate([[0], np.cumsum(holding)]),
        units=postings.units,
        weights=(idf.astype(np.float32)[postings.terms] * saturated).astype(np.float32),
    )
