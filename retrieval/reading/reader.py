"""What a reader is, and which one reads what.

A reader is a module with one public function `read(path, password, first_page) -> Reading`. It runs
in a child process (see `isolation.py`) and may therefore be slow, crash or be killed; it never
writes, never opens another file or a connection, and never runs what a document contains. It is
imported when it is needed, so that a question about a stored document loads none.
"""

import importlib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

from lcagent.documents import OutlineEntry, Page

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
"""Stands before the class path of a LlamaIndex reader where a media type is expected."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A document as its reader sees it.

    Attributes:
        page_count: How many pages `pages` will yield, for progress.
        pages: The pages in order, read while they are asked for; each may be asked for once.
    """

    page_count: int
    pages: Iterable[Page]
    outline: tuple[OutlineEntry, ...] = ()
    title: str | None = None
    language: str | None = None


class Reader(Protocol):
    """Reads one file format."""

    def __call__(self, path: Path, password: str | None = None, first_page: int = 0) -> Reading:
        """Open the file at `path`.

        Args:
            first_page: Index of the first page to yield; those before it were read already.

        Raises:
            UnreadableDocument: The file is not of this format, is damaged, or is too large.
            PasswordNeeded: The file is encrypted, and `password` does not open it.
        """
        ...


@dataclass(frozen=True, slots=True)
class ReadingLimits:
    """What reading one file may take.

    Attributes:
        open_s: Seconds until the first page; formats that are read in one go need them all.
        page_s: Seconds without a new page after which a page is given up.
        attempts: How many processes may be started for one file.
        characters: Of text, which the process that asked for it keeps in memory.
    """

    memory_bytes: int = 1_400_000_000
    cpu_s: int = 600
    open_s: float = 25.0
    page_s: float = 8.0
    attempts: int = 3
    characters: int = 30_000_000


def other_type(class_path: str) -> str:
    """Return what stands for the media type of files that a LlamaIndex reader reads."""
    return f"{_OTHER}{class_path}"


def reads_alone(media_type: str) -> bool:
    """Say whether reading needs no other machine; what a user's own reader needs is not known."""
    return not media_type.startswith(_OTHER)


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


def printable(name: str) -> str:
    """Return a file's name as it can be stored and shown.

    What controls a terminal or is no character at all (a byte in no encoding) becomes U+FFFD.
    """
    categories = ((character, unicodedata.category(character)) for character in name)
    return "".join("\ufffd" if kind in ("Cc", "Cs") else one for one, kind in categories)
