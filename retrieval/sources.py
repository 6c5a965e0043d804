"""What a person means by DOC: a file, a folder, a glob, or the id of a stored document."""

import glob
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from lcagent.errors import UsageError
from lcagent.storage.document_store import DocumentStore

READABLE_SUFFIXES = frozenset(
    {".pdf", ".epub", ".docx", ".html", ".htm", ".xhtml", ".md", ".markdown", ".txt", ".text"}
)
"""What is taken from a folder; a file that is named on its own may be called anything."""

_ID = re.compile(r"[0-9a-f]{8,64}")


@dataclass(frozen=True, slots=True)
class StoredId:
    """A document that is already in the store."""

    document_id: str


Source: TypeAlias = Path | StoredId


def resolve(names: Sequence[str | Path], store: DocumentStore) -> list[Source]:
    """Return the files and stored documents that `names` mean, each once, in order.

    Raises:
        UsageError: A name means nothing, or several stored documents.
    """
    found: dict[Source, None] = {}
    for name in names:
        found.update(dict.fromkeys(_resolve(str(name), store)))
    return list(found)


def _resolve(name: str, store: DocumentStore) -> Iterable[Source]:
    if not name:  # which Python takes for the current folder
        raise UsageError("the name of a document is empty")
    path = _expanded(name)
    try:
        if path.is_dir():
            return _files_below(path)
        if path.exists():
            return [path]
    except OSError as error:  # a name that is too long, a folder that may not be entered
        raise UsageError(f"{name} cannot be opened: {error.strerror}") from error
    if any(character in name for character in "*?["):
        return _matching(str(path))
    if _ID.fullmatch(name):
        return [_stored(name, store)]
    if path.suffix or path.name != name:
        raise UsageError(f"no such file: {name}")
    raise UsageError(f"no such file, and no stored document with the id {name}")


def _expanded(name: str) -> Path:
    try:
        return Path(name).expanduser()
    except RuntimeError:  # it begins with ~ and is nobody's home
        return Path(name)


def _files_below(folder: Path) -> list[Source]:
    files = sorted(_walk(folder))
    if not files:
        raise UsageError(f"no documents in the folder {folder} (looked for {_kinds()})")
    return list(files)


def _walk(folder: Path) -> Iterator[Path]:
    """Yield the documents below a folder, hidden ones left out and links not followed.

    A folder that cannot be opened is yielded, too: it will be named among what was not read.
    """
    closed: list[Path] = []
    for parent, folders, names in os.walk(
        folder, onerror=lambda e: closed.append(Path(e.filename))
    ):
        folders[:] = [name for name in folders if not name.startswith(".")]
        paths = (Path(parent, name) for name in names if not name.startswith("."))
        yield from (path for path in paths if _is_readable(path))
    yield from closed


def _is_readable(path: Path) -> bool:
    is_known = path.suffix.lower() in READABLE_SUFFIXES
    return is_known and path.is_file() and not path.is_symlink()


def _matching(pattern: str) -> list[Source]:
    files = sorted({path for path in map(Path, _globbed(pattern)) if path.is_file()})
    if not files:
        raise UsageError(f"no file matches {pattern}")
    return list(files)


def _globbed(pattern: str) -> Iterator[str]:
    """Yield what a pattern matches; below `**` a folder is entered once, however links lead to it.

    `glob` itself would go round in a circle of links for ever.
    """
    parts = pattern.split("/")
    if "**" not in parts:
        yield from glob.iglob(pattern)  # noqa: PTH207 -- the pattern may be absolute
        return
    at = parts.index("**")
    start, behind = "/".join(parts[:at]) or "/" * (at > 0), "/".join(parts[at + 1 :]) or "*"
    tops = glob.iglob(start) if start else [""]  # noqa: PTH207 -- as above
    for folder in _folders_below(tops):
        yield from _globbed(f"{glob.escape(str(folder))}/{behind}" if folder else behind)


def _folders_below(tops: Iterable[str]) -> Iterator[str]:
    """Yield folders and those below them, hidden ones left out, each once."""
    seen: set[str] = set()
    for top in tops:
        for folder, folders, _ in os.walk(top or ".", followlinks=True):
            real = os.path.realpath(folder)
            is_known = real in seen
            seen.add(real)
            folders[:] = () if is_known else sorted(n for n in folders if not n.startswith("."))
            if not is_known:
                yield folder.removeprefix(".").lstrip("/") if not top else folder.rstrip("/") or "/"


def _stored(prefix: str, store: DocumentStore) -> StoredId:
    ids = store.with_prefix(prefix)
    if not ids:
        raise UsageError(f"no such file, and no stored document with the id {prefix}")
    if len(ids) > 1:
        raise UsageError(f"{len(ids)} stored documents have an id that begins with {prefix}")
    return StoredId(ids[0])


def _kinds() -> str:
    return ", ".join(sorted(suffix.lstrip(".") for suffix in READABLE_SUFFIXES))
