"""Parts: from a text and its headings to the pages of a format that has no pages.

Every reader of such a format marks headings and hidden text in one long text, a `MarkedText`,
and has it cut here: at headings first, then, where a section is too long, at the best border near
the wanted length. Pieces of a section are called by the paragraphs they hold.
"""

import itertools
import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lcagent.documents import HiddenText, OutlineEntry, Page, Problem
from lcagent.retrieval.reading.reader import Reading


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading: the characters `start` to `end` of the text; `level` counts from 1 downwards."""

    start: int
    end: int
    level: int
    title: str


@dataclass(frozen=True, slots=True)
class MarkedText:
    """A text, and what was found in it.

    Attributes:
        headings: In the order of the text.
        hidden: What is not in the text, each with the offset at which it was left out.
        empty_because: What to say of a text without any character.
    """

    text: str
    headings: tuple[Heading, ...] = ()
    hidden: tuple[tuple[int, HiddenText], ...] = ()
    empty_because: Problem = "blank"


def read_parts(
    marked: MarkedText, first_page: int = 0, title: str | None = None, language: str | None = None
) -> Reading:
    """Return the whole document as a `Reading` that begins with page `first_page`."""
    pages, outline = cut_into_pages(marked)
    return Reading(len(pages), tuple(pages[first_page:]), tuple(outline), title, language)


def cut_into_pages(
    marked: MarkedText,
    *,
    first_index: int = 0,
    above: Sequence[Heading] = (),
    always_cut: int = 3,
) -> tuple[list[Page], list[OutlineEntry]]:
    """Cut a text into pages, the first of them number `first_index` of the document.

    Args:
        above: The headings that the text stands under, outermost first.
        always_cut: The deepest level of heading that always begins a page; deeper ones do so
            only where a section would be longer than `LONGEST`.
    """
    pages: list[Page] = []
    starts: list[int] = []
    for section in _sections(marked, above, always_cut):
        for start, end, name in _pieces(marked.text, section):
            index = first_index + len(pages)
            is_last = end == len(marked.text)
            hidden = _hidden_between(marked, start, end + 1 if is_last else end)
            problem = None if marked.text[start:end].strip() else marked.empty_because
            pages.append(
                Page(index, marked.text[start:end], section=name, hidden=hidden, problem=problem)
            )
            starts.append(start)
    return pages, list(_outline(marked, above, starts, first_index))


@dataclass(frozen=True, slots=True)
class _Section:
    """The characters `start` to `end`, the first of which, up to `body_start`, are headings."""

    start: int
    body_start: int
    end: int
    path: tuple[str, ...]


def _sections(marked: MarkedText, above: Sequence[Heading], always_cut: int) -> Iterator[_Section]:
    borders = list(_borders(marked, always_cut))
    stack = list(above)
    start = 0
    body_start = 0
    path = tuple(heading.title for heading in stack)
    for heading in borders:
        # A heading with nothing but headings before it goes on the same page as they.
        if marked.text[body_start : heading.start].strip():
            yield _Section(start, body_start, heading.start, path)
            start = heading.start
        body_start = heading.end
        stack = [*(outer for outer in stack if outer.level < heading.level), heading]
        path = tuple(outer.title for outer in stack)
    yield _Section(start, body_start, len(marked.text), path)


def _borders(marked: MarkedText, always_cut: int) -> Iterator[Heading]:
    """Yield the headings that begin a section: the deep ones only in sections that are long."""
    always = [heading.start for heading in marked.headings if heading.level <= always_cut]
    edges = [0, *always, len(marked.text)]
    for heading in marked.headings:
        at = bisect_right(edges, heading.start, hi=len(edges) - 1)
        is_long = edges[at] - edges[at - 1] > LONGEST
        if heading.level <= always_cut or is_long:
            yield heading


def _pieces(text: str, section: _Section) -> Iterator[tuple[int, int, str]]:
    """Yield start, end and name of each page of a section."""
    pieces = cut(text[section.start : section.end], section.body_start - section.start)
    place = " > ".join(section.path)
    for piece in pieces:
        name = f"{place}, {piece.paragraphs}" if place else piece.paragraphs
        is_whole = place and len(pieces) == 1
        yield section.start + piece.start, section.start + piece.end, place if is_whole else name


def _hidden_between(marked: MarkedText, start: int, end: int) -> tuple[HiddenText, ...]:
    first = bisect_left(marked.hidden, start, key=lambda found: found[0])
    last = bisect_left(marked.hidden, end, key=lambda found: found[0])
    return tuple(hidden for _, hidden in marked.hidden[first:last])


def _outline(
    marked: MarkedText, above: Sequence[Heading], starts: list[int], first_index: int
) -> Iterator[OutlineEntry]:
    levels = [heading.level for heading in above]
    for heading in marked.headings:
        levels = [*(level for level in levels if level < heading.level), heading.level]
        page = bisect_right(starts, heading.start) - 1
        yield OutlineEntry(heading.title, len(levels), first_index + page)


LONGEST = 6_000
"""Characters of the longest piece: about 1,500 tokens of English."""

_WANTED = 5_000

_BORDERS = tuple(
    re.compile(pattern)
    for pattern in (
        r"\n(?:[ \t\u3000]*\n)+",  # a blank line
        r"\n(?=[ \t]{2}|\u3000)",  # an indented line
        r"[.!?…。！？؟][\"'”’»)\]」』）]*\n",
        r"[.!?…؟][\"'”’»)\]]*\s+|[。！？][”’」』）]*\s*",
        r"\n",
        r"\s+",
    )
)
_PARAGRAPH_BORDERS = (*_BORDERS[:2], re.compile(r"\n+"))
_LONG_PARAGRAPH = 2_000


@dataclass(frozen=True, slots=True)
class Piece:
    """The characters `start` to `end` of a text; `paragraphs` says which ones, for people."""

    start: int
    end: int
    paragraphs: str


def cut(text: str, body_start: int = 0) -> list[Piece]:
    """Cut `text` into pieces of at most `LONGEST` characters that join back to it.

    Paragraphs are counted from 1 at `body_start`, behind the heading.
    """
    borders = [0]
    while len(text) - borders[-1] > LONGEST:
        borders.append(_next_border(text, borders[-1]))
    borders.append(len(text))
    spans = list(itertools.pairwise(borders))
    names = _name_paragraphs(text, spans, body_start)
    return [Piece(start, end, name) for (start, end), name in zip(spans, names, strict=True)]


def _next_border(text: str, start: int) -> int:
    """Return where the piece from `start` ends, so that the pieces become about equally long."""
    rest = len(text) - start
    wanted = start + rest // -(-rest // _WANTED)
    lowest = start + (wanted - start) // 2
    for pattern in _BORDERS:
        ends = [match.end() for match in pattern.finditer(text, lowest, start + LONGEST)]
        if ends:
            return min(ends, key=lambda end: abs(end - wanted))
    while unicodedata.combining(text[wanted]) and wanted > lowest:
        wanted -= 1
    return wanted


def _name_paragraphs(text: str, spans: list[tuple[int, int]], body_start: int) -> list[str]:
    starts = _paragraph_starts(text, body_start)
    names: list[str] = []
    for start, end in spans:
        first = max(1, bisect_right(starts, start))
        last = max(first, bisect_left(starts, end))
        names.append(f"paragraph {first}" if first == last else f"paragraphs {first}-{last}")
    return _tell_apart(names)


def _paragraph_starts(text: str, body_start: int) -> list[int]:
    """Return where paragraphs begin, by blank lines, else by indented lines, else by lines."""
    first = body_start + len(text[body_start:]) - len(text[body_start:].lstrip("\n"))
    starts: list[int] = [first]
    for pattern in _PARAGRAPH_BORDERS:
        starts = [first, *(match.end() for match in pattern.finditer(text, first))]
        if len(text) <= _LONG_PARAGRAPH * len(starts):
            break
    return starts


def _tell_apart(names: list[str]) -> list[str]:
    """Number the pieces of one paragraph, which would otherwise have the same name."""
    counts = Counter(names)
    seen: Counter[str] = Counter()
    told: list[str] = []
    for name in names:
        seen[name] += 1
        told.append(f"{name} (part {seen[name]} of {counts[name]})" if counts[name] > 1 else name)
    return told
