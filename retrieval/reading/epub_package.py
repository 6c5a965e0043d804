"""The package of an EPUB: what it is called, its documents in reading order, its navigation.

https://www.w3.org/TR/epub-33/ ; navigation is read from EPUB 3's nav or else EPUB 2's NCX.
"""

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from selectolax.lexbor import LexborNode

from lcagent.errors import UnreadableDocument
from lcagent.retrieval.reading.archive import Archive, resolve
from lcagent.retrieval.reading.html import parse

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
