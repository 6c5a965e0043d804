"""The decision of ProbTree: how sure each answer to a question is, and which one is taken.

Cao et al., "Probabilistic Tree-of-thought Reasoning for Answering Knowledge-intensive Complex
Questions", Findings of EMNLP 2023, https://arxiv.org/abs/2311.13982, section 3.3. The mean over
explanation, decomposition and children is that of the authors' code. Where one of the terms was
not measured in the way of the others it is left out of the mean, not replaced.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import regex

Kind: TypeAlias = Literal["closed_book", "open_book", "child_aggregating"]
"""From the model's own knowledge; from passages; from the answers to the questions below."""

FAILED = -100.0
"""The score of what is no answer: "Unknown", an error, an empty reply or one that was cut off."""

DECIMALS = 12
"""Scores that are equal to so many are equal: versions of Python add numbers in different ways."""

CLOSE = 0.01
"""Two scores that are no further apart may change places with the next build of a model."""


@dataclass(frozen=True, slots=True)
class Scored:
    """An answer and how sure it is: the logarithm of something like a probability."""

    kind: Kind
    answer: str
    score: float


def fused(explanation: float, decomposition: float | None, children: Sequence[float]) -> float:
    """Return the score of an answer that was put together from those of the children."""
    terms = [explanation, *children]
    if decomposition is not None:
        terms.append(decomposition)
    return sum(terms) / len(terms)


def judged(kind: Kind, answer: str, score: float) -> Scored:
    """Return an answer with its score, or with `FAILED` where it is none."""
    return Scored(kind, answer, FAILED if is_no_answer(answer) else score)


def surest_first(scores: Sequence[float]) -> list[int]:
    """Return the places of the scores, the highest first, equal ones in the order given.

    The first is the choice. In the authors' code, closed-book answers are given first, then those
    from passages, then those from below.
    """
    return sorted(range(len(scores)), key=lambda place: -round(scores[place], DECIMALS))


def is_close(candidates: Sequence[Scored]) -> bool:
    """Say whether the second surest answer is nearly as sure as the surest."""
    scores = sorted((one.score for one in candidates), reverse=True)
    return len(scores) > 1 and scores[1] > FAILED and scores[0] - scores[1] < CLOSE


def is_no_answer(answer: str) -> bool:
    """Say whether an answer says that there is none.

    Unlike in the authors' code, which looks for "Unknow" anywhere, the Tomb of the Unknown Soldier
    is an answer.
    """
    return not regex.search(r"[\p{L}\p{N}]", answer) or _NONE.search(answer) is not None


_NONE = regex.compile(
    r"^\W*(?i:unknow|unbekannt\W*$|inconnu\W*$|desconocid[oa]\W*$|NOT_IN_DOCUMENT)"
    r"|^\W*(?:未知|不知道|不详|不明|غير معروف|مجهول)\W*$"
    r"|\bUnknown\b(?!\s+\p{L})|\bERROR\b"
)
