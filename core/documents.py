"""Documents and the pieces of them that are searched, read and cited.

Every offset counts characters of `Page.text`, the stored text of one page. A format without
pages (EPUB, HTML, Markdown, DOCX, plain text) is cut into parts at its chapters or headings;
each part is a `Page` whose `number` is None, so that nobody can cite a page that is not there.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self, TypeAlias

Box: TypeAlias = tuple[float, float, float, float]
"""x0, y0, x1, y1 in PDF points, the origin at the top left of the page."""

Problem: TypeAlias = Literal["no text layer", "blank", "unreadable"]
"""Why a page has no text: an image only; nothing at all on it; the reader failed on it."""


@dataclass(frozen=True, slots=True)
class Line:
    """One printed line: the characters `start` to `end` of the page's text, and where they are."""

    start: int
    end: int
    box: Box


@dataclass(frozen=True, slots=True)
class HiddenText:
    """Text in the file that no reader of the page sees; it is not part of `Page.text`."""

    text: str
    reason: Literal["invisible", "background colour", "tiny", "off the page"]


@dataclass(frozen=True, slots=True)
class Page:
    """A page; for formats without pages, a part (chapter, section) of the document.

    Attributes:
        index: Position in the document, from 0.
        number: Physical page from 1, or None where the format has no pages.
        label: The page number as printed ("xii", "A-3"), where the file tells it.
        section: The chapter or section the page begins in, where the document tells it; never
            None where `number` is None, so that every page can be cited somehow.
        problem: Why `text` is empty, or None.
        is_ocr: The text was recognised from an image, so it may be wrong.
    """

    index: int
    text: str
    number: int | None = None
    label: str | None = None
    section: str | None = None
    lines: tuple[Line, ...] = ()
    hidden: tuple[HiddenText, ...] = ()
    problem: Problem | None = None
    is_ocr: bool = False

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> Self:
        """Make a page of what JSON keeps of its fields: tuples as lists, values as tuples."""
        lines = (
            Line(start, end, (x0, y0, x1, y1)) for start, end, (x0, y0, x1, y1) in fields["lines"]
        )
        hidden = (HiddenText(text, reason) for text, reason in fields["hidden"])
        made: dict[str, Any] = {**fields, "lines": tuple(lines), "hidden": tuple(hidden)}
        return cls(**made)


@dataclass(frozen=True, slots=True)
class OutlineEntry:
    """A bookmark, a chapter of the navigation, or a heading.

    Attributes:
        level: Depth from 1.
        page_index: The page on which it begins.
    """

    title: str
    level: int
    page_index: int


@dataclass(frozen=True, slots=True)
class Document:
    """A document that was read.

    Attributes:
        id: SHA-256 of the file's bytes, in hex: the same content is the same document.
        name: The file's name, for people.
        media_type: What the bytes are ("application/pdf"), whatever the name says.
        reader: Which reader made the pages, with its version ("pdf/1").
    """

    id: str
    name: str
    media_type: str
    reader: str
    pages: tuple[Page, ...]
    outline: tuple[OutlineEntry, ...] = ()
    title: str | None = None
    language: str | None = None


PAGE_END = sys.maxsize
"""The `end` of a span that reaches to the end of its page; slices and comparisons take it as is."""


@dataclass(frozen=True, slots=True)
class Span:
    """A place in a document: the characters `start` to `end` of the text of one page.

    What search finds, what a model is shown, what it quotes and what is cited are all spans, so
    that each can be compared with the others. `Span(document_id, page_index)` is a whole page.
    """

    document_id: str
    page_index: int
    start: int = 0
    end: int = PAGE_END

    @property
    def page(self) -> "Span":
        """The whole page that the span is on: the same for all spans of that page."""
        return Span(self.document_id, self.page_index)

    def contains_start_of(self, other: "Span") -> bool:
        """Say whether another span begins inside this one."""
        return self.page == other.page and self.start <= other.start < self.end


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a page as it is embedded and stored.

    Attributes:
        index: Position in the document, from 0; the chunks of a document join back to its text.
    """

    span: Span
    index: int
    text: str


@dataclass(frozen=True, slots=True)
class Passage:
    """A text that a search found, and how it was found.

    Attributes:
        page: The page that the span is on, for its number and the text round the passage.
        score: Higher is better; comparable within one search only.
        lexical_rank, dense_rank: The rank of the page by words and by meaning alone, from 1.
    """

    span: Span
    text: str
    document_name: str
    page: Page = field(repr=False)
    score: float
    lexical_rank: int | None = None
    dense_rank: int | None = None
