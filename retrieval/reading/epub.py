"""EPUB: the documents of the spine in order, each cut at the entries of the navigation.

https://www.w3.org/TR/epub-33/ ; navigation is read from EPUB 3's nav or else EPUB 2's NCX. A
section is called as the navigation calls it. A document that the navigation does not name
continues the chapter before it, unless it begins with a heading of its own.
"""

import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias
from xml.etree.ElementTree import Element

from selectolax.lexbor import LexborNode

from lcagent.documents import OutlineEntry, Page
from lcagent.errors import UnreadableDocument
from lcagent.retrieval.reading.archive import Archive, open_archive, resolve
from lcagent.retrieval.reading.html import Markup, parse, read_markup
from lcagent.retrieval.reading.parts import Heading, MarkedText, cut_into_pages
from lcagent.retrieval.reading.reader import Reading

_INSIDE = 100
"""Added to the levels of headings in the text, which lie below all those of the navigation."""


def read(path: Path, password: str | None = None, first_page: int = 0) -> Reading:  # noqa: ARG001
    """Read an EPUB; see `reader.Reader`."""
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


_Chapter: TypeAlias = "tuple[NavigationEntry, list[Heading]]"
"""An entry of the navigation, and the headings on the way to it, its own the last."""


class _Book:
    """The pages and the outline so far, and the headings under which the next document stands."""

    def __init__(self, package: "Package") -> None:
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


def _mark_chapters(markup: Markup, entries: "Sequence[NavigationEntry]") -> MarkedText:
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


_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_FONT_ALGORITHMS = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")


@dataclass(frozen=True, slots=True)
class NavigationEntry:
    """A chapter in the table of contents: its depth from 1, the member and the place in it."""

    title: str
    level: int
    member: str
    anchor: str | None


@dataclass(frozen=True, slots=True)
class Package:
    """What the package document says.

    Attributes:
        members: The archive members to read, in order; None where the reference leads nowhere.
    """

    title: str | None
    language: str | None
    members: tuple[str | None, ...]
    navigation: tuple[NavigationEntry, ...]


def read_package(archive: Archive) -> Package:
    """Read the package document and the navigation.

    Raises:
        UnreadableDocument: There is no package document, or the book is encrypted.
    """
    _refuse_encrypted(archive)
    name = _package_name(archive)
    root = archive.read_xml(name)
    if root is None:
        raise UnreadableDocument("the EPUB is damaged: its package document (.opf) is unreadable")
    folder = posixpath.dirname(name)
    items = {item.get("id", ""): item for item in root.iterfind(".//{*}manifest/{*}item")}
    members = (
        resolve(folder, items[entry.get("idref", "")].get("href", ""))
        if entry.get("idref") in items
        else None
        for entry in root.iterfind(".//{*}spine/{*}itemref")
    )
    return Package(
        title=_text(root, ".//{*}metadata//{*}title"),
        language=_text(root, ".//{*}metadata//{*}language"),
        members=tuple(members),
        navigation=tuple(_navigation(archive, folder, root, items)),
    )


def _refuse_encrypted(archive: Archive) -> None:
    if _ENCRYPTION not in archive.names:
        return
    root = archive.read_xml(_ENCRYPTION)
    methods = root.iterfind(".//{*}EncryptedData/{*}EncryptionMethod") if root is not None else ()
    if root is None or any(one.get("Algorithm") not in _FONT_ALGORITHMS for one in methods):
        raise UnreadableDocument(
            "the EPUB is protected (DRM), so that its text cannot be read: "
            "use an unprotected edition"
        )


def _package_name(archive: Archive) -> str:
    container = archive.read_xml(_CONTAINER)
    found = container.find(".//{*}rootfile") if container is not None else None
    name = resolve("", found.get("full-path", "")) if found is not None else None
    if name is not None and name in archive.names:
        return name
    candidates = sorted(name for name in archive.names if name.lower().endswith(".opf"))
    if not candidates:
        raise UnreadableDocument("the EPUB is damaged: it has no package document (.opf)")
    return candidates[0]


def _navigation(
    archive: Archive, folder: str, root: Element, items: dict[str, Element]
) -> Iterator[NavigationEntry]:
    for item in items.values():
        if "nav" in item.get("properties", "").split():
            name = resolve(folder, item.get("href", ""))
            entries = list(_from_nav(archive, name)) if name else []
            if entries:
                yield from entries
                return
    spine = root.find(".//{*}spine")
    ncx = items.get(spine.get("toc", "")) if spine is not None else None
    name = resolve(folder, ncx.get("href", "")) if ncx is not None else None
    if name:
        yield from _from_ncx(archive, name)


def _from_nav(archive: Archive, name: str) -> Iterator[NavigationEntry]:
    tree = parse(archive.read(name) or b"")
    navs = tree.css("nav")
    contents = [nav for nav in navs if "toc" in (nav.attributes.get("epub:type") or "").split()]
    for nav in (contents or navs)[:1]:
        for link in nav.css("li > a, li > span"):
            entry = _entry(
                posixpath.dirname(name),
                link.text(),
                _depth(link),
                link.attributes.get("href") or _first_link(link),
            )
            if entry:
                yield entry


def _depth(link: LexborNode) -> int:
    depth = 0
    node = link.parent
    while node is not None and node.tag != "nav":
        depth += node.tag in {"ol", "ul"}
        node = node.parent
    return depth


def _first_link(label: LexborNode) -> str:
    """Return where the first chapter under a label without a link of its own leads."""
    first = label.parent.css_first("ol a") if label.parent else None
    return (first.attributes.get("href") or "") if first else ""


def _from_ncx(archive: Archive, name: str) -> Iterator[NavigationEntry]:
    root = archive.read_xml(name)
    points = root.find(".//{*}navMap") if root is not None else None
    stack = [(point, 1) for point in reversed(() if points is None else points)]
    while stack:
        point, level = stack.pop()
        content = point.find("{*}content")
        title = _text(point, "{*}navLabel/{*}text") or ""
        source = content.get("src", "") if content is not None else ""
        if entry := _entry(posixpath.dirname(name), title, level, source):
            yield entry
        stack.extend((child, level + 1) for child in reversed(point.findall("{*}navPoint")))


def _entry(folder: str, title: str, level: int, reference: str) -> NavigationEntry | None:
    member = resolve(folder, reference) if reference.partition("#")[0] else None
    title = " ".join(title.split())
    if member is None or not title:
        return None
    return NavigationEntry(title, max(1, level), member, reference.partition("#")[2] or None)


def _text(root: Element, path: str) -> str | None:
    found = root.find(path)
    return " ".join("".join(found.itertext()).split()) or None if found is not None else None
