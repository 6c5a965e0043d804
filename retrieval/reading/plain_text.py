"""Plain text: cut at its chapters where it has any, else at its paragraphs."""

from pathlib import Path

from lcagent.retrieval.reading.base import Reading
from lcagent.retrieval.reading.chapters import find_headings
from lcagent.retrieval.reading.encoding import clean, decode
from lcagent.retrieval.reading.parts import MarkedText, read_parts


def read(path: Path, password: str | None = None, first_page: int = 0) -> Reading:  # noqa: ARG001 -- Reader
    """Read a plain text; see `base.Reader`."""
    text = clean(decode(path.read_bytes())[0])
    return read_parts(MarkedText(text, find_headings(text)), first_page)
