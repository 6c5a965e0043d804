"""DOCX: paragraphs, tables and notes in the order of the document, cut at its headings.

The parts of the package are read directly: python-docx shows neither notes nor tracked changes
nor hidden runs, and expands entities (ECMA-376, part 1, section 17). Tracked insertions are read,
deletions are not. A row of a table is a line, its cells joined by " | "; a note follows the
paragraph that calls it, as "[1] ...".
"""

import posixpath
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.etree.ElementTree import Element

from lcagent.documents import HiddenText
from lcagent.errors import UnreadableDocument
from lcagent.retrieval.reading.archive import Archive, open_archive, resolve
from lcagent.retrieval.reading.encoding import clean
from lcagent.retrieval.reading.html import Reason
from lcagent.retrieval.reading.parts import Heading, MarkedText, read_parts
from lcagent.retrieval.reading.reader import Reading


def read(path: Path, password: str | None = None, first_page: int = 0) -> Reading:  # noqa: ARG001
    """Read a DOCX file; see `reader.Reader`."""
    with open_archive(path) as archive:
        name = _document_name(archive)
        document = archive.read_xml(name)
        body = document.find("{*}body") if document is not None else None
        if body is None:
            raise UnreadableDocument("the DOCX is damaged: its document part is unreadable")
        folder = posixpath.dirname(name)
        notes = {
            kind: read_notes(archive.read_xml(f"{folder}/{kind}s.xml"))
            for kind in ("footnote", "endnote")
        }
        writer = WordWriter(Styles(archive.read_xml(f"{folder}/styles.xml")), notes)
        writer.write(body)
        properties = archive.read_xml("docProps/core.xml")
    title, language = _field(properties, "title"), _field(properties, "language")
    return read_parts(writer.result(), first_page, title, language)


def _document_name(archive: Archive) -> str:
    relations = archive.read_xml("_rels/.rels")
    for relation in relations if relations is not None else ():
        if relation.get("Type", "").endswith("/officeDocument"):
            return resolve("", relation.get("Target", "").lstrip("/")) or ""
    return "word/document.xml"


def _field(properties: Element | None, name: str) -> str | None:
    found = properties.find(f"{{*}}{name}") if properties is not None else None
    return ((found.text or "").strip() or None) if found is not None else None


_CONTAINERS = frozenset(re.findall(r"\w+", "customXml ins moveTo sdt sdtContent smartTag"))
_SKIPPED = frozenset(
    re.findall(
        r"\w+", "del delText Fallback instrText moveFrom pPr rPr rt sdtPr tblGrid tblPr tcPr trPr"
    )
)
_CHARACTERS = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-", "softHyphen": "\u00ad"}
_HEADING_STYLE = re.compile(r"heading ([1-9])", re.IGNORECASE)
_OFF = frozenset({"0", "false", "off"})
_TINY_HALF_POINTS = 6
_SEPARATOR = "\n\n"


class Styles:
    """Which styles are headings, and which hide their text."""

    def __init__(self, root: Element | None) -> None:
        self._styles = {
            _attribute(style, "styleId"): style
            for style in (root.iterfind("{*}style") if root is not None else ())
        }

    def heading_level(self, paragraph: Element) -> int | None:
        """Return the level of a heading, or None for text."""
        own = _outline_level(paragraph)
        return own if own is not None else self._style_level(_value(paragraph, "pPr/pStyle"))

    def hides(self, run: Element) -> bool:
        """Tell whether the run's character style hides it."""
        style = self._styles.get(_value(run, "rPr/rStyle"))
        return style is not None and _is_on(style, "rPr/vanish")

    def _style_level(self, name: str) -> int | None:
        for _ in range(10):  # styles are based on styles, perhaps in a circle
            style = self._styles.get(name)
            if style is None:
                return None
            named = _HEADING_STYLE.fullmatch(_value(style, "name"))
            level = int(named[1]) if named else _outline_level(style)
            if level is not None:
                return level
            name = _value(style, "basedOn")
        return None


def read_notes(root: Element | None) -> dict[str, Element]:
    """Return the notes of a footnotes or endnotes part by their ids."""
    notes = list(root) if root is not None else []
    return {_attribute(note, "id"): note for note in notes if not _attribute(note, "type")}


class WordWriter:
    """Writes the blocks of a document's body."""

    def __init__(self, styles: Styles, notes: Mapping[str, Mapping[str, Element]]) -> None:
        self._styles = styles
        self._notes = notes
        self._note_counts: Counter[str] = Counter()
        self._called: list[tuple[str, str]] = []  # notes to write behind this block
        self._boxes: list[Element] = []  # text boxes anchored in this block
        self._blocks: list[str] = []
        self._length = 0
        self._headings: list[Heading] = []
        self._hidden: list[tuple[int, HiddenText]] = []

    def write(self, container: Element) -> None:
        """Write the paragraphs and tables of a body, text box or content control."""
        for element in container:
            tag = _name(element)
            if tag == "p":
                self._put(self._text(element).strip(), self._styles.heading_level(element))
            elif tag == "tbl":
                self._put("\n".join(self._rows(element)))
            elif tag in _CONTAINERS:
                self.write(element)
            self._put_attached()

    def result(self) -> MarkedText:
        """Return what was written."""
        text = _SEPARATOR.join(self._blocks)
        hidden = tuple((min(offset, len(text)), found) for offset, found in self._hidden)
        return MarkedText(text, tuple(self._headings), hidden)

    def _put(self, block: str, heading_level: int | None = None) -> None:
        text = clean(block)
        if not text:
            return
        if heading_level is not None:
            end = self._length + len(text)
            title = " ".join(text.split())
            self._headings.append(Heading(self._length, end, heading_level, title))
        self._blocks.append(text)
        self._length += len(text) + len(_SEPARATOR)

    def _put_attached(self) -> None:
        """Write the text boxes and the notes of the block before."""
        boxes, self._boxes = self._boxes, []
        called, self._called = self._called, []
        for box in boxes:
            self.write(box)
        for kind, note_id in called:
            note = self._notes.get(kind, {}).get(note_id)
            if note is not None:
                self._note_counts[kind] += 1
                text = " ".join(self._text(note).split())
                self._put(f"[{self._note_counts[kind]}] {text}")

    def _rows(self, table: Element) -> Iterator[str]:
        for row in _children(table, "tr"):
            if row.find("{*}trPr/{*}del") is None:
                cells = [" ".join(self._text(cell).split()) for cell in _children(row, "tc")]
                if any(cells):
                    yield " | ".join(cells)

    def _text(self, element: Element) -> str:
        """Return the text of a paragraph or cell, and keep what is hidden or attached to it."""
        tag = _name(element)
        if tag in _SKIPPED:
            return ""
        if tag == "t":
            return element.text or ""
        if tag in _CHARACTERS:
            return _CHARACTERS[tag]
        if tag == "txbxContent":
            self._boxes.append(element)
            return ""
        if tag in {"footnoteReference", "endnoteReference"}:
            self._called.append((tag.removesuffix("Reference"), _attribute(element, "id")))
        text = "".join(map(self._text, element))
        if tag == "r" and text.strip() and (reason := self._why_hidden(element)):
            self._hidden.append((self._length, HiddenText(text.strip(), reason)))
            return ""
        return f"{text} " if tag == "p" else text

    def _why_hidden(self, run: Element) -> Reason | None:
        if _is_on(run, "rPr/vanish") or self._styles.hides(run):
            return "invisible"
        size = _value(run, "rPr/sz")
        return "tiny" if size.isdecimal() and int(size) < _TINY_HALF_POINTS else None


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _children(element: Element, tag: str) -> Iterator[Element]:
    """Yield the children of this name, those in content controls and insertions included."""
    for child in element:
        if _name(child) == tag:
            yield child
        elif _name(child) in _CONTAINERS:
            yield from _children(child, tag)


def _attribute(element: Element, name: str) -> str:
    """Return an attribute of either namespace that Word uses, "" if there is none."""
    found = (value for key, value in element.items() if key.rpartition("}")[2] == name)
    return next(found, "")


def _value(element: Element, path: str) -> str:
    found = element.find("/".join(f"{{*}}{step}" for step in path.split("/")))
    return _attribute(found, "val") if found is not None else ""


def _is_on(element: Element, path: str) -> bool:
    found = element.find("/".join(f"{{*}}{step}" for step in path.split("/")))
    return found is not None and _attribute(found, "val") not in _OFF


def _outline_level(element: Element) -> int | None:
    level = _value(element, "pPr/outlineLvl")
    return int(level) + 1 if level.isdecimal() and int(level) < 9 else None
