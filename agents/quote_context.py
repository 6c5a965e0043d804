"""What a quote cannot be read without: its sentence, its headings, the columns of its table."""

from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

import regex

from lcagent.agents.quantities import Quantity
from lcagent.agents.statements import Statement, read_statement
from lcagent.documents import Page, Span
from lcagent.results import FoundBy
from lcagent.retrieval.search.layout import is_heading, is_table_row
from lcagent.retrieval.sentences import sentences

MAX_HEADING_CHARACTERS = 90
HEADINGS_READ = 3
FEW_CELLS = 2
"""Numbers of a row, its label among them, that need no heads to tell what each of them is."""

COLUMN_HEAD_LINES = 25
"""So far above a table row its column heads may stand."""


NO_PAGE = Span("", -1)
"""Where a quote is attributed to whose source does not exist."""


@dataclass(frozen=True, slots=True)
class AttributedQuote:
    """A quote, and the page it is attributed to.

    Attributes:
        found_by: Who says that it is the place: the model by a mark, or lcagent by looking for it.
        score: How much of its claim lcagent found in it, 0 to 1.
    """

    text: str
    page: Span = NO_PAGE
    found_by: FoundBy = "model"
    score: float = 1.0


@dataclass(frozen=True, slots=True)
class QuoteInContext:
    """A quote, and what stands round it that it cannot be read without.

    Attributes:
        sentence: The sentences that it is a part of.
        before: The sentence before, which a pronoun may refer to.
        labels: The section and the heading it stands under.
        column_heads: Of a table row, the line that heads its columns.
        row: The table row that it is a part of; empty where it is none.
    """

    quote: str
    sentence: str = ""
    before: str = ""
    labels: str = ""
    column_heads: str = ""
    row: str = ""


def evidence_at(page: Page, start: int, end: int, language: str = "") -> QuoteInContext:
    """Return the characters `start` to `end` of a page as evidence."""
    text = page.text
    spans = sentence_spans(text, language)
    touched = [at for at, span in enumerate(spans) if span[0] < end and span[1] > start]
    first, last = (touched[0], touched[-1]) if touched else (0, -1)
    sentence = text[spans[first][0] : spans[last][1]] if touched else text[start:end]
    before = text[slice(*spans[first - 1])] if touched and first else ""
    line_start = text.rfind("\n", 0, start) + 1
    line_end = text.find("\n", end - 1)
    row = text[line_start : line_end if line_end >= 0 else len(text)]
    is_row = row.count("|") >= 2 or (is_table_row(row) and not _PROSE_END.search(row))
    heads = column_heads(text, line_start) if is_row else ""
    heading = _headings_above(text, line_start)
    title = _TABLE_TITLE.findall(text, max(0, line_start - 3_000), line_start) if is_row else []
    return QuoteInContext(
        text[start:end],
        sentence,
        before,
        " . ".join(filter(None, (page.section, heading, *title[-1:]))),
        heads,
        row if is_row else "",
    )


@lru_cache(maxsize=256)
def sentence_spans(text: str, language: str = "") -> tuple[tuple[int, int], ...]:
    """Return the sentences of a page; kept, because many claims are looked for there."""
    return tuple(sentences(text, language or None))


def column_heads(text: str, row_start: int) -> str:
    """Return the line that heads the columns of a row: with bars its first, else years."""
    above = [match.span() for match in _LINE.finditer(text, 0, row_start)][-COLUMN_HEAD_LINES:]
    head = ""
    for start, end in reversed(above):
        line = text[start:end]
        if line.count("|") >= 2:
            if not _RULE.fullmatch(line):
                head = line
        elif head:
            return head
        elif len(_YEAR.findall(line)) >= 2:
            return line
    return head


def _headings_above(text: str, line_start: int) -> str:
    """Return the nearest heading and those right above it: a table has a title and its heads."""
    found: list[str] = []
    for match in reversed(list(_LINE.finditer(text, max(0, line_start - 3_000), line_start))):
        line = match.group().strip("#*_ \t\r")
        if line and len(line) < MAX_HEADING_CHARACTERS and is_heading(line):
            found.append(line)
        elif found:
            break
    return " . ".join(found[:HEADINGS_READ])


def stands_under(
    wanted: Quantity, claim: Statement, question: Statement, place: QuoteInContext
) -> bool:
    """Say whether a number of a row stands in the column that claim or question name."""
    heads, row = place.column_heads, place.row
    if not heads:
        return len(read_statement(row, claim.language).cells) <= FEW_CELLS
    named = {value for said in (claim, question) for one in said.quantities for value in one.values}
    if "|" in row and "|" in heads:
        columns = [
            read_statement(cell, claim.language) for cell in heads.strip().strip("|").split("|")
        ]
        cells = [read_statement(cell, claim.language) for cell in row.strip().strip("|").split("|")]
        at = [
            place
            for place, cell in enumerate(cells)
            if any(found.values & wanted.values for found in cell.cells)
        ]
        meant = [
            place
            for place, column in enumerate(columns)
            if place
            and (
                any(found.values & named for found in column.cells)
                or any(claim.has(word) or question.has(word) for word in column.words)
            )
        ]
        return not at or not meant or bool(set(at) & set(meant)) or max(at) >= len(columns)
    years = [int(year) for year in _YEAR.findall(heads)]
    if len(years) < 2:
        # Heads of several words cannot be told apart: which column is meant is not known.
        return len(read_statement(row, claim.language).cells) <= FEW_CELLS
    places = [place for place, year in enumerate(years) if year in named]
    row_cells = read_statement(row, claim.language).cells
    if (
        not places
        or len(row_cells) < len(years)
        or any(wanted.values & {y} for y in map(Decimal, years))
    ):
        return True
    shift = len(row_cells) - len(years)
    at = [place - shift for place, found in enumerate(row_cells) if found.values & wanted.values]
    return not at or bool(set(at) & set(places))


_PROSE_END = regex.compile(r"[.!?;:,。]\s*$|\.\s+\p{Lu}\p{Ll}+\s")
_TABLE_TITLE = regex.compile(
    r"^[ \t*#_]*((?i:table|tabelle|tableau|tabla|tabella|таблица)\b[^\n]*|表[^\n]*)$",
    regex.MULTILINE,
)
_LINE = regex.compile(r"[^\n]*\S[^\n]*")
_RULE = regex.compile(r"[\s|:+-]+")
_YEAR = regex.compile(r"\b(?:1[5-9]|20)\d\d\b")
