"""Stretches of normalised text that quotes are looked for in: a page, or one page and the next.

Where a page goes over into the next, its running header, footer and page number are left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile
from typing import Literal, TypeAlias

import regex

from lcagent.documents import Page
from lcagent.retrieval.quotes.normalizing import LINE_END_HYPHENS, Normalized
from lcagent.retrieval.quotes.spelling import CountInDocuments
from lcagent.retrieval.search.analysis import detect_language

PageSpan: TypeAlias = tuple[int, int, int]
"""A page's index, and the first and the last but one offset in its text."""

_MAX_RUNNING_LINES = 3
_SAMPLE_CHARACTERS = 4_000


@dataclass(frozen=True)
class Part:
    """The characters `start` to `end` of a page's normalised text, and a blank that follows."""

    page_index: int
    page: Normalized
    start: int
    end: int
    glue: Literal["", " "] = ""


class Stretch:
    """Text joined from parts of pages, and the way back to them.

    Attributes:
        count: How often the documents have a word, in small letters.
    """

    def __init__(self, parts: Sequence[Part], count: CountInDocuments = lambda _: 0) -> None:
        self.parts = parts
        self.count = count
        self.starts: list[int] = []
        pieces: list[str] = []
        length = 0
        for part in parts:
            self.starts.append(length)
            pieces.append(part.page.text[part.start : part.end] + part.glue)
            length += len(pieces[-1])
        self.text = "".join(pieces)

    @cached_property
    def language(self) -> str:
        """The language of the text; English where it does not tell."""
        return detect_language(self.text[:_SAMPLE_CHARACTERS]) or "en"

    @cached_property
    def sources(self) -> dict[int, str]:
        """The texts of the pages, by index."""
        return {part.page_index: part.page.source for part in self.parts}

    @cached_property
    def lowered(self) -> str:
        """The text in lower case, character by character in the same place."""
        text = self.text.lower()
        if len(text) == len(self.text):
            return text
        return "".join(low if len(low := letter.lower()) == 1 else letter for letter in self.text)

    def page_spans(self, start: int, end: int) -> list[PageSpan]:
        """Return where the characters `start` to `end` stand in the texts of the pages."""
        spans: list[PageSpan] = []
        for part, shift in zip(self.parts, self.starts, strict=True):
            first = max(start - shift, 0) + part.start
            last = min(end - shift + part.start, part.end)
            if first < last:
                spans.append((part.page_index, *part.page.source_span(first, last)))
        return spans

    def is_seam(self, position: int) -> bool:
        """Tell whether something was left out before the character at `position`."""
        for part, shift in zip(self.parts, self.starts, strict=True):
            if shift <= position < shift + part.end - part.start:
                place = position - shift + part.start
                offsets = part.page.offsets
                return position == shift or bool(offsets[place] - offsets[place - 1] > 1)
        return False

    def source_between(self, end: int, start: int) -> str:
        """Return the original text between a piece that ends and one that starts."""
        before, after = self.page_spans(end - 1, end)[-1], self.page_spans(start, start + 1)[0]
        sources = self.sources
        if before[0] == after[0]:
            return sources[before[0]][before[2] : after[1]]
        return f"{sources[before[0]][before[2] :]}\n{sources[after[0]][: after[1]]}"


def whole_page(index: int, page: Normalized, count: CountInDocuments = lambda _: 0) -> Stretch:
    """Return the text of one page."""
    return Stretch([Part(index, page, 0, len(page.text))], count)


def over_page_break(
    pages: Sequence[Page],
    first: int,
    before: Normalized,
    after: Normalized,
    count: CountInDocuments = lambda _: 0,
) -> Stretch:
    """Return page `first` and the one after it, without the lines that run at head and foot.

    Args:
        before, after: The texts of the two pages.
    """
    start, end = _body(pages, first, before)
    next_start, next_end = _body(pages, first + 1, after)
    glue: Literal["", " "] = " "
    if (
        _SPLIT_WORD.search(before.text, start, end)
        and after.text[next_start:next_end][:1].islower()
    ):
        end, glue = end - 1, ""
    return Stretch(
        [Part(first, before, start, end, glue), Part(first + 1, after, next_start, next_end)],
        count,
    )


def _body(pages: Sequence[Page], index: int, text: Normalized) -> tuple[int, int]:
    start, end = 0, len(text.source)
    for _, line_end in _running_lines(pages, index, "head"):
        start = line_end
    for line_start, _ in _running_lines(pages, index, "foot"):
        end = line_start
    low, high = (int(place) for place in text.offsets.searchsorted([start, max(start, end)]))
    body = text.text[low:high]
    return high - len(body.lstrip()), low + len(body.rstrip())


_Edge: TypeAlias = Literal["head", "foot"]


def _running_lines(pages: Sequence[Page], index: int, edge: _Edge) -> list[tuple[int, int]]:
    """Return the lines that are no part of the page's own text, the outermost first."""
    text = pages[index].text
    neighbours = (n for n in range(index - 2, index + 3) if n != index and 0 <= n < len(pages))
    # Running heads alternate between left and right pages, hence two neighbours on each side.
    repeated = {
        _pattern(pages[n].text[start:end])
        for n in neighbours
        for start, end in _edge_lines(pages[n].text, edge)
    }

    def runs(line: tuple[int, int]) -> bool:
        words = text[slice(*line)]
        return _PAGE_NUMBER.fullmatch(words) is not None or _pattern(words) in repeated

    return list(takewhile(runs, _edge_lines(text, edge)))


def _edge_lines(text: str, edge: _Edge) -> list[tuple[int, int]]:
    shift = 0 if edge == "head" else max(len(text) - _EDGE, 0)
    lines = [line.span() for line in _LINE.finditer(text, shift, shift + _EDGE)]
    return lines[:_MAX_RUNNING_LINES] if edge == "head" else lines[: -_MAX_RUNNING_LINES - 1 : -1]


def _pattern(line: str) -> str:
    return _DIGITS.sub("0", line.strip().casefold())


_EDGE = 600  # characters in which three lines are looked for
_LINE = regex.compile(
    rf"[^\r\n{LINE_END_HYPHENS}]*[^\s{LINE_END_HYPHENS}][^\r\n{LINE_END_HYPHENS}]*"
)
_PAGE_NUMBER = regex.compile(r"\W*(?:\d{1,4}|[ivxlc]{1,7}|[A-Z]{1,2}-\d{1,3})\W*", regex.IGNORECASE)
_DIGITS = regex.compile(r"\d+")
_SPLIT_WORD = regex.compile(r"\p{L}-\Z")
