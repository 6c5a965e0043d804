"""What the lines of a page are, in any language: headings, table rows, running heads.

A table has few words for a search to hold on to, so its rows are told apart from prose, and the
headings above it are indexed beside it. A line that stands at the edge of many pages (a running
head, a footer), or an entry of a table of contents with its dots, says nothing about its page:
it is furniture.
"""

import re
from collections import Counter
from dataclasses import dataclass

from lcagent.documents import Document

EDGE_LINES = 3
HEADING_WORDS = 14
ROW_NUMERALS = 2
ROW_SHARE = 0.2
TABLE_ROWS = 3
RUNNING_SHARE = 0.1

_NUMERAL = re.compile(r"[^\w\s]*\d[\d.,]*[^\w\s,]*[%x]?")
_DIGITS = re.compile(r"\d+")
_CONTENTS_ENTRY = re.compile(r"(?:[.·…‥_] ?){4,}\s*[\divxlcIVXLC-]*\s*$")
_CLOSED = ".;,:。；，：؛،"
_UNSPACED = re.compile("[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]")


@dataclass(frozen=True, slots=True)
class LaidOutLine:
    """A line of a page: the characters `start` to `end` of its text, and what it is."""

    start: int
    end: int
    is_heading: bool
    is_row: bool
    is_furniture: bool


def laid_out(document: Document) -> list[list[LaidOutLine]]:
    """Return the lines of each page that are not blank."""
    running = running_lines(document)
    return [_laid_out(page.text, running) for page in document.pages]


def _laid_out(text: str, running: frozenset[str]) -> list[LaidOutLine]:
    spans = [(start, end, text[start:end]) for start, end in _lines(text)]
    rows = [is_table_row(line) for _, _, line in spans]
    has_table = sum(rows) >= TABLE_ROWS
    return [
        LaidOutLine(
            start,
            end,
            is_heading=is_heading(line),
            is_row=is_row and has_table,
            is_furniture=is_furniture(line, running),
        )
        for (start, end, line), is_row in zip(spans, rows, strict=True)
    ]


def running_lines(document: Document) -> frozenset[str]:
    """Return the keys (see `line_key`) of the lines that recur at the edges of many pages."""
    if not document.pages or document.pages[0].number is None:
        return frozenset()
    # A set for each page: a line counts once a page, however often a form repeats it.
    counts: Counter[str] = Counter()
    for page in document.pages:
        lines = [line for line in page.text.split("\n") if not line.isspace() and line]
        counts.update({line_key(line) for line in (*lines[:EDGE_LINES], *lines[-EDGE_LINES:])})
    least = max(EDGE_LINES, RUNNING_SHARE * len(document.pages))
    return frozenset(key for key, count in counts.items() if count >= least)


def is_furniture(line: str, running: frozenset[str]) -> bool:
    """Say whether a line is a running line, or an entry of a table of contents."""
    return line_key(line) in running or _CONTENTS_ENTRY.search(line) is not None


def line_key(line: str) -> str:
    """Return a line without its numbers, so that "Page 3" and "Page 4" are the same."""
    return _DIGITS.sub("#", line.strip())


def body_spans(text: str, running: frozenset[str]) -> list[tuple[int, int]]:
    """Return the parts of a page between its furniture."""
    spans: list[tuple[int, int]] = []
    start = 0
    for line_start, line_end in _lines(text):
        if is_furniture(text[line_start:line_end], running):
            spans.append((start, line_start))
            start = line_end
    return [(a, b) for a, b in [*spans, (start, len(text))] if text[a:b].strip()]


def is_table_row(line: str) -> bool:
    """Say whether a line has two numbers or more, and not just in passing."""
    if not _DIGITS.search(line):
        return False
    words = line.split()
    numerals = sum(map(_is_numeral, words))
    return numerals >= ROW_NUMERALS and numerals >= ROW_SHARE * len(words)


def is_heading(line: str) -> bool:
    """Say whether a line is short, unpunctuated, without figures, and in title case if it can."""
    words = line.split()
    if not 0 < len(words) <= HEADING_WORDS or line.rstrip()[-1] in _CLOSED:
        return False
    if is_table_row(line):
        return False
    if _UNSPACED.search(line):
        return len(line) <= 2 * HEADING_WORDS
    letters = [word for word in words if word[0].isalpha()]
    content = [word for word in letters if len(word) > 3] or letters
    return bool(content) and sum(not word[0].islower() for word in content) >= 0.7 * len(content)


def _is_numeral(word: str) -> bool:
    """Say whether a word is a figure as tables hold it; "31," is a date or an index entry."""
    return _NUMERAL.fullmatch(word) is not None and not word.endswith(",")


def _lines(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in re.finditer(r"[^\n]*\S[^\n]*", text)]
