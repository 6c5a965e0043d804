"""How a result reads as text and in a notebook: what all faces show the same way."""

import re
import textwrap
from collections.abc import Iterable, Sequence
from typing import Protocol

MARKS = {
    "exact": "✓",
    "fuzzy": "≈",
    "misattributed": "✗ on another page",
    "not_found": "✗ not found",
}
"""The sign of each status of a quote."""

_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_ACTIVE = re.compile(r"<|!(?=\[)|(?<=\])\(")
SHOWN_SECTION = 80


class Place(Protocol):
    """Something that stands in a document: a citation, or a hit of a search."""

    @property
    def document(self) -> str:
        """The document's name."""
        ...

    @property
    def page(self) -> int | None:
        """The physical page from 1; None in formats without pages."""
        ...

    @property
    def page_label(self) -> str | None:
        """The page number as printed."""
        ...

    @property
    def section(self) -> str | None:
        """The chapter or section."""
        ...


class Quoted(Place, Protocol):
    """A quote with what a program found of it."""

    @property
    def id(self) -> str:
        """The number by which the text refers to it."""
        ...

    @property
    def quote(self) -> str:
        """Its words."""
        ...

    @property
    def status(self) -> str:
        """Where it was found: one of `MARKS`."""
        ...


def place_in_words(source: Place) -> str:
    """Say where something stands: document, page with its printed number, section."""
    parts = [source.document]
    if source.page is not None:
        printed = source.page_label
        is_same = printed is None or printed == str(source.page)
        parts.append(f"p. {source.page}" + ("" if is_same else f" (printed {printed})"))
    if source.section:
        parts.append(textwrap.shorten(source.section, SHOWN_SECTION, placeholder="…"))
    return ", ".join(parts)


def printable(text: str) -> str:
    """Return a text without what controls a terminal, each such character as U+FFFD.

    A document may hold escape sequences that rewrite what stands on the screen.
    """
    return _CONTROLS.sub("\ufffd", text)


def plain(body: str, citations: Iterable[Quoted], notes: Sequence[str]) -> str:
    """Return a result as text: what it says, what it cites, what to know about it."""
    lines = [body, ""]
    for citation in citations:
        where = place_in_words(citation) or "no such source"
        lines.append(f"[{citation.id}] {MARKS[citation.status]} {where}")
        if citation.quote:
            lines.append(f"    “{' '.join(citation.quote.split())}”")
    lines.extend(f"note: {note}" for note in notes)
    return printable("\n".join(lines).strip())


def markdown(body: str, citations: Iterable[Quoted], notes: Sequence[str]) -> str:
    """Return a result as Markdown that is safe to render.

    A notebook turns Markdown into HTML. So no tag, link or picture may come out of a document or a
    reply: what would become one stays text.
    """
    lines = [inert(body), ""]
    for citation in citations:
        where = place_in_words(citation) or "no such source"
        quote = f": “{inert(' '.join(citation.quote.split()))}”" if citation.quote else ""
        lines.append(f"- **[{citation.id}]** {MARKS[citation.status]} {inert(where)}{quote}")
    lines.extend(f"\n*{inert(note)}*" for note in notes)
    return "\n".join(lines).strip()


def inert(text: str) -> str:
    """Escape what begins a tag, a picture, or the target of a link."""
    return _ACTIVE.sub(r"\\\g<0>", printable(text))
