"""DOCX: paragraphs, tables and notes in the order of the document, cut at its headings.

The parts of the package are read directly: python-docx shows neither notes nor tracked changes
nor hidden runs, and expands entities (ECMA-376, part 1, section 17).
"""

import posixpath
from pathlib import Path
from xml.etree.ElementTree import Element

from lcagent.errors import UnreadableDocument
from lcagent.retrieval.reading.archive import Archive, open_archive, resolve
from lcagent.retrieval.reading.base import Reading
from lcagent.retrieval.reading.parts import read_parts
from lcagent.retrieval.reading.word_body import Styles, WordWriter, read_notes


def read(path: Path, password: str | None = None, first_page: int = 0) -> Reading:  # noqa: ARG001
    """Read a DOCX file; see `base.Reader`."""
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
