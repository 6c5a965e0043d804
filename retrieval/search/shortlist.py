"""Choosing, in a large collection, the documents whose pages are worth ranking.

Ranking pages takes about 0.15 CPU seconds for a document of 500 pages. Of more documents than
`MOST`, those are ranked that BM25 puts first when each document, with its name, is one unit; all
others are looked at, term by term, but their pages are not ranked.
"""

from collections.abc import Sequence
from math import log

import numpy as np

from lcagent.retrieval.search.lexical import K1, B
from lcagent.retrieval.search.query import question_terms
from lcagent.retrieval.search.terms import DocumentTerms
from lcagent.retrieval.search.words import Analyzer

MOST = 24


def shortlist(
    question: str, documents: Sequence[DocumentTerms], names: Sequence[str], most: int = MOST
) -> list[int]:
    """Return the positions of the documents to rank, in their order; all of a few."""
    if len(documents) <= most:
        return list(range(len(documents)))
    wanted = list(dict.fromkeys(question_terms(question, documents)))
    counts = np.array(
        [_counts(*document, wanted) for document in zip(documents, names, strict=True)], dtype=float
    )
    lengths = np.array([len(document.terms) for document in documents], dtype=float)
    norms = K1 * (1 - B + B * lengths / max(1.0, lengths.mean()))
    having = (counts > 0).sum(axis=0)
    idf = np.array([log(1 + (len(documents) - n + 0.5) / (n + 0.5)) for n in having])
    scores = (idf * counts / (counts + norms[:, None])).sum(axis=1)
    best = np.argsort(-scores, kind="stable")[:most]
    return sorted(best.tolist())


def _counts(document: DocumentTerms, name: str, wanted: Sequence[str]) -> list[int]:
    """Return how often each term stands in a document; once in its name is as often as it can."""
    numbers = {term: number for number, term in enumerate(document.vocabulary)}
    in_name = set(Analyzer(document.language).indexed_terms(name))
    return [
        len(document.terms)
        if term in in_name
        else int((document.terms == numbers[term]).sum())
        if term in numbers
        else 0
        for term in wanted
    ]
