"""Marks: how a model says what a statement rests on, `[S2 "words of the passage"]` or `[F3, F7]`.

The letter and number name a source that the model was shown. Models vary the form, so a colon or
a comma before the quote, several entries in one pair of brackets, and the quotation marks of any
language are read, too.
"""

# ruff: noqa: RUF001 - the quotation marks of many languages look like those of ours

from collections.abc import Iterator
from dataclasses import dataclass, field

import regex

from lcagent.retrieval.sentences import sentences

LONGEST_MARK = 4_000
"""Characters; what opens like a mark and is not closed by then is text."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One source that a statement is said to rest on; `quote` is empty where none was given."""

    source: str
    quote: str = ""


@dataclass(frozen=True, slots=True)
class MarkedClaim:
    """A statement, and the marks that follow it."""

    text: str
    marks: tuple[Mark, ...]


@dataclass(slots=True)
class MarkNumbers:
    """Numbers different marks from 1, in the order in which they appear."""

    _numbers: dict[Mark, int] = field(default_factory=dict[Mark, int])

    def __call__(self, mark: Mark) -> int:
        """Return the number of a mark."""
        return self._numbers.setdefault(mark, len(self._numbers) + 1)

    def marks(self) -> list[Mark]:
        """Return the marks in the order of their numbers."""
        return list(self._numbers)


def claims_of(text: str) -> list[MarkedClaim]:
    """Return the statements of a text: its sentences, and the parts of one that have marks."""
    found: list[MarkedClaim] = []
    end = 0
    for match in _RUN.finditer(text):
        *before, last = _sentences(text[end : match.start()]) or [""]
        found.extend(MarkedClaim(sentence, ()) for sentence in before)
        marks = tuple(marks_in(match["marks"]))
        if last:
            found.append(MarkedClaim(last + match["stop"], marks))
        elif found:
            found[-1] = MarkedClaim(found[-1].text, (*found[-1].marks, *marks))
        end = match.end()
    found.extend(MarkedClaim(sentence, ()) for sentence in _sentences(text[end:]))
    return found


def marks_in(text: str) -> Iterator[Mark]:
    """Yield the marks of a text in order."""
    for bracket in _MARK.finditer(text):
        for entry in _ENTRY.finditer(bracket.group()):
            yield Mark(entry["source"], (entry["quote"] or "").strip())


def mark_spans(text: str) -> list[tuple[int, int]]:
    """Return where the marks of a text stand."""
    return [match.span() for match in _MARK.finditer(text)]


def without_marks(text: str) -> str:
    """Return a text as it reads without its marks."""
    return _SPACE_BEFORE_STOP.sub(r"\1", _MARK.sub("", text)).strip()


def numbered(text: str, numbers: MarkNumbers) -> str:
    """Return a text with a number in the place of each mark: `[1, 2]`."""

    def number(match: regex.Match[str]) -> str:
        found = dict.fromkeys(numbers(mark) for mark in marks_in(match.group()))
        return f"[{', '.join(map(str, found))}]"

    return _MARK.sub(number, text)


@dataclass(slots=True)
class MarkStream:
    """Numbers the marks of a text that arrives in pieces.

    What may turn out to be a mark is held back until it is complete.
    """

    numbers: MarkNumbers = field(default_factory=MarkNumbers)
    _held: str = ""

    def feed(self, piece: str) -> str:
        """Return what can be shown now."""
        text = self._held + piece
        start = _first_open(text)
        self._held = text[start:]
        return numbered(text[:start], self.numbers)

    def close(self) -> str:
        """Return what is left at the end."""
        held, self._held = self._held, ""
        return numbered(held, self.numbers)


def _first_open(text: str) -> int:
    """Return where a mark begins that is not complete yet, or the length of the text."""
    for match in _OPENING.finditer(text, max(0, len(text) - LONGEST_MARK), partial=True):
        if not _MARK.match(text, match.start()):
            return match.start()
    return len(text)


def _sentences(text: str) -> list[str]:
    return [
        stripped
        for start, end in sentences(text)
        if regex.search(r"[\p{L}\p{N}]", stripped := text[start:end].strip())
    ]


_OPENING = regex.compile(r"\[(?=\p{Lu}\d)|\[\p{Lu}?$")
_SOURCE = r"\p{Lu}\d{1,6}"
_QUOTE = (
    r"[\"“”„«‹「『](?<quote>(?:(?![\"”“»›」』]\s*(?:[\];]|,\s*\p{Lu}\d)).)+)"
    r"[\"”“»›」』](?=\s*(?:[\];]|,\s*\p{Lu}\d))"
)
_ENTRY = regex.compile(rf"(?<source>{_SOURCE})(?!\w)\s*(?:[:,]?\s*{_QUOTE})?", regex.DOTALL)
_BARE_QUOTE = _QUOTE.replace("?<quote>", "?:")
_BARE_ENTRY = rf"{_SOURCE}(?!\w)\s*(?:[:,]?\s*{_BARE_QUOTE})?"
_BRACKET = rf"\[\s*{_BARE_ENTRY}\s*(?:[;,]\s*{_BARE_ENTRY}\s*)*\]"
_MARK = regex.compile(_BRACKET, regex.DOTALL)
_RUN = regex.compile(
    rf"\s*(?<marks>{_BRACKET}(?:\s*{_BRACKET})*)(?<stop>[.!?,;:。！？]?)", regex.DOTALL
)
_SPACE_BEFORE_STOP = regex.compile(r"[ \t]+([.!?,;:。！？]|$)")
