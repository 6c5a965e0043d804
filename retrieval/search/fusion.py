"""Putting scores of different kinds together.

Weighted sums of scores that are scaled within a question, not ranks: a score tells how sure a
search is of its first page, a rank does not. On annual reports plain reciprocal rank fusion lost
against the better of its parts (benchmarks/retrieval.py).
"""

import numpy as np

from lcagent.retrieval.search.lexical import Floats


def by_maximum(scores: Floats) -> Floats:
    """Scale so that the best is 1; 0 stays 0. For scores whose zero means "no match"."""
    top = scores.max(initial=0.0)
    return scores / top if top > 0 else scores


def by_range(scores: Floats) -> Floats:
    """Scale so that the best is 1 and the worst 0. For cosines, whose zero means nothing."""
    if not len(scores):
        return scores
    low, high = scores.min(), scores.max()
    return (scores - low) / (high - low) if high > low else np.zeros_like(scores)


def ranks(scores: Floats) -> list[int]:
    """Return the rank of each score, the best being 1."""
    order = np.argsort(-scores, kind="stable")
    placed = np.empty(len(scores), dtype=np.int64)
    placed[order] = np.arange(1, len(scores) + 1)
    return placed.tolist()
