"""Chapters: the headings of a plain text, which has no marks for them.

Lines that name a chapter count; where there are none, numbered lines or lines in capitals do, if
they stand as far apart as chapters. A table of contents names the same chapters as the text
behind it, and is not taken for them.
"""

from collections.abc import Sequence
from itertools import pairwise

from lcagent.retrieval.reading.heading_lines import (
    PART,
    capital_lines,
    counted_lines,
    named_lines,
)
from lcagent.retrieval.reading.parts import Heading

_FEWEST = 3
_LEAST_LENGTH = 800
_ENTRY_LENGTH = 200


def find_headings(text: str) -> tuple[Heading, ...]:
    """Return the headings of the chapters, in the order of the text."""
    named = sorted(named_lines(text), key=lambda found: found[0].start)
    chapters = _without_contents(text, named)
    if any(heading.level >= PART for heading in chapters):
        return tuple(chapters)
    for found in (counted_lines(text), capital_lines(text)):
        if len(found) >= _FEWEST and len(text) / len(found) >= _LEAST_LENGTH:
            return tuple(sorted({*chapters, *found}, key=lambda heading: heading.start))
    return tuple(chapters)


def _without_contents(text: str, named: Sequence[tuple[Heading, str]]) -> list[Heading]:
    """Drop the headings up to where the first one comes again, if no text stands between them."""
    headings = [heading for heading, _ in named]
    keys = [key for _, key in named]
    first = 0
    while keys[first : first + 1] and keys[first] in keys[first + 1 :]:
        again = keys.index(keys[first], first + 1)
        if again - first < _FEWEST or not _is_list(text, headings[first:again]):
            break
        first = again
    return headings[first:]


def _is_list(text: str, headings: Sequence[Heading]) -> bool:
    """Tell whether these headings follow each other with hardly any text between them."""
    between = (text[heading.end : after.start] for heading, after in pairwise(headings))
    return all(len("".join(gap.split())) < _ENTRY_LENGTH for gap in between)
