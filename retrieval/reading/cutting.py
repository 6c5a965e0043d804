"""Cutting long texts at the best border near the wanted length, and numbering their paragraphs."""

import itertools
import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections import Counter
from dataclasses import dataclass

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
