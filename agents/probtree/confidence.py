"""How sure a model is of what it replied, measured in one of three ways.

From log-probabilities: the mean over the tokens of the explanation (Cao et al.,
https://arxiv.org/abs/2311.13982, section 3.3, and the authors' code), found in the reply by the
place of their characters. Where a server tells none: how many of several samples agree with the
answer, and else what the model says itself.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Final, Literal, TypeAlias, get_args

import regex

from lcagent.agents.probtree.replies import Spans
from lcagent.models.base import TokenLogprob

Method: TypeAlias = Literal["logprobs", "samples", "stated"]
"""What a confidence was measured by, the most telling first."""

METHODS: Final[tuple[Method, ...]] = get_args(Method)

LEAST_STATED = 0.01
"""A model that says 0 % has an opinion on its answer, and no failure to answer."""


def lower(one: Method, other: Method) -> Method:
    """Return the one of two methods that is further down the ladder."""
    return one if METHODS.index(one) >= METHODS.index(other) else other


def mean_logprob(text: str, tokens: Sequence[TokenLogprob], spans: Spans) -> float | None:
    """Return the mean of the tokens that begin in `spans`, or None where there are none.

    A token begins with its first character that is no space: " So" belongs to what "So" belongs to.
    """
    borders = _in_bytes(text, spans)
    return _mean(
        token.logprob
        for token, start, end in _placed(text, tokens)
        if any(first <= _begin(token, start, end) < last for first, last in borders)
    )


def mean_logprob_over(
    text: str, tokens: Sequence[TokenLogprob], span: tuple[int, int]
) -> float | None:
    """Return the mean from the token that holds the first character of a span to that of its last.

    That is how a list of questions is scored, with its brackets.
    """
    ((first, last),) = _in_bytes(text, (span,))
    return _mean(
        token.logprob for token, start, end in _placed(text, tokens) if start < last and first < end
    )


def agreement(answer: str, samples: Sequence[str]) -> float:
    """Return the logarithm of the share of samples that give an answer, with Laplace's two more."""
    wanted = folded(answer)
    agreeing = sum(folded(sample) == wanted for sample in samples)
    return math.log((agreeing + 1) / (len(samples) + 2))


def stated(text: str) -> float | None:
    """Return the logarithm of the probability that a reply names, or None if it names none."""
    found = _NUMBER.search(text.translate(_DIGITS))
    if found is None:
        return None
    number = float(found["number"].replace(",", "."))
    is_percent = bool(found["percent"]) or number > 1
    share = number / 100 if is_percent else number
    return math.log(min(1.0, max(LEAST_STATED, share))) if share <= 1 else None


def folded(answer: str) -> str:
    """Return an answer as it is compared: without case, stops and articles."""
    words = regex.sub(r"[\p{P}\p{S}]", " ", answer.casefold()).split()
    kept = [word for word in words if word not in _ARTICLES]
    return " ".join(kept) or " ".join(words) or answer.strip()


def _placed(text: str, tokens: Sequence[TokenLogprob]) -> Iterator[tuple[TokenLogprob, int, int]]:
    """Yield the tokens of a text with the bytes they stand for, from and to.

    Hidden reasoning comes first where a server tells its tokens, too; it stands before byte 0.
    Where the tokens do not spell the text, nothing is yielded.
    """
    bare = text.lstrip()
    spelled = b"".join(_bytes(token) for token in tokens)
    before = spelled.rfind(bare.encode("utf-8", "replace"))
    start = _length(text) - _length(bare) - before
    for token in tokens if before >= 0 else ():
        end = start + len(_bytes(token))
        yield token, start, end
        start = end


def _bytes(token: TokenLogprob) -> bytes:
    return token.data or token.text.encode("utf-8", "replace")


def _begin(token: TokenLogprob, start: int, end: int) -> int:
    """Return where a token begins without its spaces; one of spaces alone, where it begins."""
    bare = _bytes(token).lstrip()
    return end - len(bare) if bare else start


def _in_bytes(text: str, spans: Spans) -> Spans:
    """Return spans of characters as spans of bytes."""
    return tuple((_length(text[:start]), _length(text[:end])) for start, end in spans)


def _length(text: str) -> int:
    return len(text.encode("utf-8", "replace"))


def _mean(logprobs: Iterator[float]) -> float | None:
    found = list(logprobs)
    return sum(found) / len(found) if found else None


_ARTICLES = frozenset(("a", "an", "the"))
_NUMBER = regex.compile(
    r"(?<![\w.,])(?<number>\d{1,3}(?:[.,]\d+)?)\s*(?<percent>%|percent|\u066a|\uff05)?"
)
_DIGITS = {0x660 + digit: str(digit) for digit in range(10)}
