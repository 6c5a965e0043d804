"""How a result reads as text and in a notebook: what all faces show the same way."""

import textwrap
from collections.abc import Iterable, Sequence
from typing import Protocol

from lcagent.visible_text import inert, printable

QUOTE = "quote"
"""The model of a result that no model wrote: `tasks.QUOTE`, which stands a layer above."""

MARKS = {
    "exact": "✓",
    "fuzzy": "≈",
    "misattributed": "✗ on another page",
    "not_found": "✗ not found",
}
"""The sign of each status of a quote."""

NOT_CONFIRMED = "? quoted, not confirmed"
"""The sign of a quote that was found and does not say what it is cited for."""

NEAR = "·"
"""The sign of a passage that is shown as near, and that nothing is cited for."""

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

    @property
    def found_by(self) -> str:
        """Who says that it belongs to the statement: "model" or "lcagent"."""
        ...


class Stated(Protocol):
    """A statement with the ids of what it is said to rest on."""

    @property
    def status(self) -> str:
        """Whether that says it: "supported", "quoted" or "unsupported"."""
        ...

    @property
    def citations(self) -> tuple[str, ...]:
        """The ids."""
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


def sign(citation: Quoted, claims: Iterable[Stated]) -> str:
    """Return the sign of a citation: no check mark where it does not say what it is cited for."""
    cited_for = [claim.status for claim in claims if citation.id in claim.citations]
    if citation.status not in ("exact", "fuzzy") or "supported" in cited_for:
        return MARKS[citation.status]
    if cited_for:
        return NOT_CONFIRMED
    return NEAR if citation.found_by == "lcagent" else MARKS[citation.status]


def unproved_in_words(claims: Sequence[Stated]) -> list[str]:
    """Say how many statements are not proved; a line for each kind."""
    found: list[str] = []
    for status, said in (
        ("unsupported", "no proof"),
        ("quoted", "a quote that does not say all of it"),
    ):
        number = sum(claim.status == status for claim in claims)
        if number:
            of = f"{number} of {len(claims)} statement{'s' * (len(claims) != 1)}"
            found.append(f"{of} {'has' if number == 1 else 'have'} {said}")
    return found


def source_in_words(citation: Quoted, model: str) -> str:
    """Say where a citation stands, and who found it where a model did not say so itself."""
    where = place_in_words(citation) or "no such source"
    is_ours = citation.found_by == "lcagent" and model != QUOTE
    return f"{where} (found by lcagent)" if is_ours else where


def plain(
    body: str,
    citations: Iterable[Quoted],
    notes: Sequence[str],
    claims: Sequence[Stated] = (),
    model: str = QUOTE,
) -> str:
    """Return a result as text: what it says, what it cites, what to know about it."""
    lines = [body, ""]
    for citation in citations:
        lines.append(f"[{citation.id}] {sign(citation, claims)} {source_in_words(citation, model)}")
        if citation.quote:
            lines.append(f"    “{' '.join(citation.quote.split())}”")
    lines.extend(f"note: {note}" for note in notes)
    return printable("\n".join(lines).strip())


def markdown(
    body: str,
    citations: Iterable[Quoted],
    notes: Sequence[str],
    claims: Sequence[Stated] = (),
    model: str = QUOTE,
) -> str:
    """Return a result as Markdown that is safe to render.

    A notebook turns Markdown into HTML. So no tag, link or picture may come out of a document or a
    reply: what would become one stays text.
    """
    lines = [inert(body), ""]
    for citation in citations:
        where = source_in_words(citation, model)
        quote = f": “{inert(' '.join(citation.quote.split()))}”" if citation.quote else ""
        lines.append(f"- **[{citation.id}]** {sign(citation, claims)} {inert(where)}{quote}")
    lines.extend(f"\n*{inert(note)}*" for note in notes)
    return "\n".join(lines).strip()
