"""Which format a file has, by its content, and which reader reads it.

The name only decides what the content leaves open: Markdown or plain text, HTML without a head.
"""

import importlib
import re
from pathlib import Path
from typing import cast

from lcagent.errors import PasswordNeeded, UnreadableDocument
from lcagent.retrieval.reading.archive import open_archive
from lcagent.retrieval.reading.base import Reader
from lcagent.retrieval.reading.encoding import decode, is_text
from lcagent.retrieval.reading.signatures import (
    name_archive,
    name_binary,
    name_compound,
    name_text,
)

PDF = "application/pdf"
EPUB = "application/epub+zip"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
HTML = "text/html"
MARKDOWN = "text/markdown"
TEXT = "text/plain"

_MODULES = {
    PDF: "pdf",
    EPUB: "epub",
    DOCX: "docx",
    HTML: "html",
    MARKDOWN: "markdown",
    TEXT: "plain_text",
}
_VERSIONS = {
    PDF: "pdf/2",
    EPUB: "epub/1",
    DOCX: "docx/1",
    HTML: "html/1",
    MARKDOWN: "markdown/1",
    TEXT: "text/1",
}
"""To be raised when a reader makes other pages of the same file, so that they are read again."""

_OTHER = "llama-index:"
_HEAD_BYTES = 65_536
_PDF_BODY = re.compile(rb"%PDF-\d\.\d.*?\d+ \d+ obj", re.DOTALL)
_OLE_START = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_HTML_START = re.compile(
    r"\s*(?:<\?xml[^>]*>\s*|<!--.*?-->\s*)*<(?:!doctype\s+html|html[\s>]|head[\s>]|body[\s>])",
    re.IGNORECASE | re.DOTALL,
)
_TAG = re.compile(r"\s*<(?:!--|[a-z])", re.IGNORECASE)
_MARKDOWN_NAMES = frozenset({".md", ".markdown", ".mdown", ".mkd"})
_HTML_NAMES = frozenset({".html", ".htm", ".xhtml"})


def media_type_of(path: Path) -> str:
    """Find out what the file at `path` is.

    Raises:
        UnreadableDocument: There is no such file, it is empty, or of a kind that is not read.
        PasswordNeeded: It is an encrypted Office document.
    """
    head = _head(path)
    if head.startswith(b"%PDF") or (b"%PDF-" in head[:1024] and _PDF_BODY.search(head)):
        return PDF
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _archive_type(path)
    if head.startswith(_OLE_START):
        raise _compound_error(path.read_bytes())
    if not is_text(head):
        raise UnreadableDocument(name_binary(head))
    if (kind := name_text(head)) is not None:
        raise UnreadableDocument(kind)
    return _text_type(path.suffix.lower(), decode(head)[0])


def other_type(class_path: str) -> str:
    """Return what stands for the media type of files that a LlamaIndex reader reads."""
    return f"{_OTHER}{class_path}"


def reader_version(media_type: str) -> str:
    """Name the reader of a media type and its version."""
    return media_type if media_type.startswith(_OTHER) else _VERSIONS[media_type]


def reader_for(media_type: str) -> Reader:
    """Import and return the reader of a media type."""
    if media_type.startswith(_OTHER):
        other = importlib.import_module("lcagent.retrieval.reading.llama_index_reader")
        return cast("Reader", other.reader(media_type.removeprefix(_OTHER)))
    module = importlib.import_module(f"lcagent.retrieval.reading.{_MODULES[media_type]}")
    return cast("Reader", module.read)


def _head(path: Path) -> bytes:
    if path.is_dir():
        raise UnreadableDocument("it is a folder: give the files in it")
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except FileNotFoundError as error:
        raise UnreadableDocument("there is no such file") from error
    except OSError as error:
        raise UnreadableDocument(f"it cannot be opened: {error.strerror}") from error
    if not head:
        raise UnreadableDocument("it is empty (0 bytes)")
    return head


def _archive_type(path: Path) -> str:
    with open_archive(path) as archive:
        mimetype = (archive.read("mimetype") or b"").strip()
        is_package = any(name.endswith(".opf") for name in archive.names)
        if mimetype == EPUB.encode() or is_package or "META-INF/container.xml" in archive.names:
            return EPUB
        if "word/document.xml" in archive.names:
            return DOCX
        raise UnreadableDocument(name_archive(archive.names))


def _compound_error(content: bytes) -> UnreadableDocument:
    if "EncryptedPackage".encode("utf-16-le") in content:
        return PasswordNeeded(
            "it is an encrypted Office document, which lcagent cannot decrypt: "
            "save it without a password"
        )
    return UnreadableDocument(name_compound(content))


def _text_type(suffix: str, start: str) -> str:
    if _HTML_START.match(start) or (suffix in _HTML_NAMES and _TAG.match(start)):
        return HTML
    return MARKDOWN if suffix in _MARKDOWN_NAMES else TEXT
