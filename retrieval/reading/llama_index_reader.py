"""Any reader of LlamaIndex, for files that lcagent has no reader of its own for.

The setting `reader` names its class; nothing in a document can. What it gives has no boxes, and
pages only where the reader says so ("page_label" or "page" in the metadata).
"""

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lcagent.documents import Page
from lcagent.errors import UnreadableDocument
from lcagent.retrieval.reading.reader import Reader, Reading


def reader(class_path: str) -> Reader:
    """Return the LlamaIndex reader at `class_path`, such as "package.module.Class"."""

    def read(path: Path, password: str | None = None, first_page: int = 0) -> Reading:
        del password  # LlamaIndex has no common way to give one
        return _read(class_path, path, first_page)

    return read


def _read(class_path: str, path: Path, first_page: int) -> Reading:
    loader = _load(class_path)
    try:
        documents: Sequence[Any] = loader.load_data(path)
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".splitlines()[0][:200]
        raise UnreadableDocument(f"the reader {class_path} failed: {reason}") from error
    pages = [_page(index, document) for index, document in enumerate(documents)]
    if not any(page.text.strip() for page in pages):
        raise UnreadableDocument(f"the reader {class_path} found no text")
    return Reading(page_count=len(pages), pages=pages[first_page:])


def _load(class_path: str) -> Any:
    module, _, name = class_path.rpartition(".")
    try:
        return getattr(importlib.import_module(module), name)()
    except (ImportError, AttributeError, ValueError, TypeError) as error:
        raise UnreadableDocument(f"no reader {class_path!r} can be made: {error}") from error


def _page(index: int, document: Any) -> Page:
    metadata: dict[str, Any] = document.metadata
    label = metadata.get("page_label") or metadata.get("page")
    number = int(label) if label is not None and str(label).isdecimal() else None
    section = None if number is not None else f"part {index + 1}"
    return Page(index, document.get_content(), number, section=section)
