"""How good an answer is, as a program can tell: words it must contain, F1, abstention, intervals.

Normalising and F1 are those of SQuAD's evaluation (Rajpurkar et al., SQuAD: 100,000+ Questions,
https://arxiv.org/abs/1606.05250, section 6.1), with two departures: digits of a number are joined
("48,216" is "48216") while "1.5" stays one number, and number words up to twelve are digits.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

SAMPLES = 10_000
SEED = 20_261_130

_ARTICLES = frozenset(("a", "an", "the"))
_NUMBER_WORDS = {
    word: str(number)
    for number, word in enumerate(
        (
            *("zero", "one", "two", "three", "four", "five", "six"),
            *("seven", "eight", "nine", "ten", "eleven", "twelve"),
        )
    )
}
_MARK = re.compile(r"\[(?:S?\d+[^\]]*|[^\]]*\b(?:no proof|not confirmed))\]")
# A plain blank joins nothing: it stands between the cells of a table, too.
_JOINED_DIGITS = re.compile(r"(?<=\d)[,'’\u00a0\u202f](?=\d{3}(?!\d))")
_WORD = re.compile(r"\d+(?:\.\d+)?|\w+")

_REFUSAL = re.compile(
    r"not_in_document|not in the document"
    r"|(?:does|do|did|is|are|was|were|has|have|could|can|will)(?:n't|n’t| not)"
    r" (?:\w+ ){0,3}?(?:mention|say\b|said\b|specif|provide|state|contain|include|give|found\b"
    r"|find\b|answer|tell|describe|available|known|enough)"
    r"|no (?:information|mention|answer)|\b(?:cannot|unable to|can't|can’t) "
    r"|^(?:i'm sorry|i am sorry|sorry)\b"
)

Golds = Sequence[Sequence[str]]
"""Ways to say the right answer; of each way, all parts must be there."""


def words_of(text: str) -> list[str]:
    """Return the words of a text as they are compared: without marks, case, accents' forms."""
    joined = _JOINED_DIGITS.sub("", _MARK.sub(" ", text))
    found = _WORD.findall(unicodedata.normalize("NFKC", joined).lower())
    return [_NUMBER_WORDS.get(word, word) for word in found if word not in _ARTICLES]


def contains(text: str, wanted: str) -> bool:
    """Say whether a text has the words of another in a row."""
    words, run = words_of(text), words_of(wanted)
    return bool(run) and any(
        words[start : start + len(run)] == run for start in range(len(words) - len(run) + 1)
    )


def has_gold(text: str, golds: Golds) -> bool:
    """Say whether a text has all parts of one of the ways to say the right answer."""
    return any(bool(way) and all(contains(text, part) for part in way) for way in golds)


def f1(answer: str, golds: Golds) -> float:
    """Return the best F1 of an answer's words against a way to say the right one."""
    return max((_f1(words_of(answer), words_of(" ".join(way))) for way in golds), default=0.0)


def _f1(answer: Sequence[str], gold: Sequence[str]) -> float:
    common = sum((Counter(answer) & Counter(gold)).values())
    return 2 * common / (len(answer) + len(gold)) if common else 0.0


def is_refusal(text: str) -> bool:
    """Say whether an English text says that it has no answer, or says nothing."""
    return not text.strip() or _REFUSAL.search(text.lower().strip()) is not None


def years_in(text: str) -> set[str]:
    """Return the numbers of four digits that may be years."""
    return set(re.findall(r"\b(?:1[5-9]|20)\d\d\b", text))


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean with its 95 % interval."""

    mean: float
    low: float
    high: float
    n: int


def mean_of(values: Sequence[float]) -> Estimate:
    """Return the mean of one value for each question, by bootstrap over the questions.

    Raises:
        ValueError: There are none.
    """
    if not values:
        raise ValueError("no values to take a mean of")
    drawn = np.random.default_rng(SEED).integers(0, len(values), (SAMPLES, len(values)))
    low, high = np.percentile(np.asarray(values, float)[drawn].mean(axis=1), (2.5, 97.5))
    return Estimate(float(np.mean(values)), float(low), float(high), len(values))


def paired_difference(ours: Sequence[float], theirs: Sequence[float]) -> Estimate:
    """Return by how much ours is more, question by question.

    Raises:
        ValueError: They are not of the same questions, or of none.
    """
    return mean_of([one - other for one, other in zip(ours, theirs, strict=True)])
