"""EPUB: the documents of the spine in order, each cut at the entries of the navigation.

A section is called as the navigation calls it. A document that the navigation does not name
continues the chapter before it, unless it begins with a heading of its own.
"""

import posixpath
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from lcagent.documents import OutlineEntry, Page
from lcagent.errors import UnreadableDocument
from lcagent.retrieval.reading.archive import open_archive
from lcagent.retrieval.reading.base import Reading
from lcagent.retrieval.reading.epub_package import NavigationEntry, Package, read_package
from lcagent.retrieval.reading.html import parse
from lcagent.retrieval.reading.markup import Markup, read_markup
from lcagent.retrieval.reading.parts import Heading, MarkedText, cut_into_pages

_INSIDE = 100
"""Added to the levels of headings in the text, which lie below all those of the navigation."""


def read(path: Path, password: str | None = None, first_page: int = 0) -> Reading:  # noqa: ARG001
    """Read an EPUB; see `base.Reader`."""
    with open_archive(path) as archive:
        package = read_package(archive)
        if not package.members:
            raise UnreadableDocument("the EPUB is damaged: its list of documents (spine) is empty")
        book = _Book(package)
        for member in package.members:
            content = archive.read(member) if member else None
            if member is None or content is None:
                book.add_unreadable(member or "a document outside the book")
            else:
                book.add(member, read_markup(parse(content)))
    pages = tuple(book.pages[first_page:])
    return Reading(len(book.pages), pages, tuple(book.outline), package.title, package.language)


_Chapter: TypeAlias = tuple[NavigationEntry, list[Heading]]
"""An entry of the navigation, and the headings on the way to it, its own the last."""


class _Book:
    """The pages and the outline so far, and the headings under which the next document stands."""

    def __init__(self, package: Package) -> None:
        self.pages: list[Page] = []
        self.outline: list[OutlineEntry] = []
        self._has_navigation = bool(package.navigation)
        self._above: Sequence[Heading] = ()
        self._chapters: dict[str, list[_Chapter]] = {}
        stack: list[Heading] = []
        for entry in package.navigation:
            heading = Heading(0, 0, entry.level, entry.title)
            stack = _under(stack, heading)
            self._chapters.setdefault(entry.member, []).append((entry, stack))

    def add_unreadable(self, member: str) -> None:
        page = Page(len(self.pages), "", section=member, problem="unreadable")
        self.pages.append(page)

    def add(self, member: str, markup: Markup) -> None:
        """Add a document of the spine."""
        chapters = self._chapters.get(member, [])
        marked = _mark_chapters(markup, [entry for entry, _ in chapters])
        above = self._headings_above(member, marked, chapters)
        pages, outline = cut_into_pages(
            marked, first_index=len(self.pages), above=above, always_cut=_INSIDE
        )
        self.pages += pages
        self.outline += [
            entry
            for heading, entry in zip(marked.headings, outline, strict=True)
            if heading.level < _INSIDE or not self._has_navigation
        ]
        if chapters:
            self._above = chapters[-1][1]

    def _headings_above(
        self, member: str, marked: MarkedText, chapters: list[_Chapter]
    ) -> Sequence[Heading]:
        first = marked.headings[0] if marked.headings else None
        begins_with_heading = first is not None and not marked.text[: first.start].strip()
        if chapters and begins_with_heading:
            return chapters[0][1][:-1]
        is_new_chapter = not self._above or (first is not None and first.level <= _INSIDE + 2)
        if first is not None and begins_with_heading and is_new_chapter:
            return [first]
        return self._above or [Heading(0, 0, 1, posixpath.basename(member))]


def _under(stack: Sequence[Heading], heading: Heading) -> list[Heading]:
    return [*(above for above in stack if above.level < heading.level), heading]


def _mark_chapters(markup: Markup, entries: Sequence[NavigationEntry]) -> MarkedText:
    """Put the entries of the navigation among the headings, in place of those that are the same."""
    marked = markup.marked
    inside = [replace(heading, level=heading.level + _INSIDE) for heading in marked.headings]
    chapters: list[Heading] = []
    for entry in entries:
        start = min(markup.anchors.get(entry.anchor or "", 0), len(marked.text))
        same = next((one for one in inside if _is_same(marked.text, start, entry.title, one)), None)
        if same is not None:
            inside.remove(same)
        end = same.end if same else start
        chapters.append(Heading(start, end, entry.level, entry.title))
    return replace(marked, headings=tuple(sorted([*chapters, *inside], key=_place)))


def _place(heading: Heading) -> tuple[int, bool]:
    return heading.start, heading.level > _INSIDE


def _is_same(text: str, start: int, title: str, heading: Heading) -> bool:
    """Tell whether a heading of the text says, at the same place, what the navigation says."""
    if heading.start < start or text[start : heading.start].strip():
        return False
    ours, theirs = _letters(title), _letters(heading.title)
    return ours in theirs or theirs in ours


def _letters(title: str) -> str:
    return "".join(filter(str.isalnum, title)).casefold()
