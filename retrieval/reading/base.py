"""What every reader of a file format offers.

A reader is a module with one public function `read(path, password) -> Reading`. It runs in a
child process (see `isolation.py`) and may therefore be slow, crash or be killed; it never
writes, never opens another file or a connection, and never runs what a document contains.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lcagent.documents import OutlineEntry, Page


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
