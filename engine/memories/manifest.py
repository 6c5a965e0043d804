"""What a stored memory says of itself: its manifest, and whether its files are as it says.

Nothing heavy is imported, so that memories can be listed, removed and verified without torch.
"""

import hashlib
import json
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from lcagent.errors import LcagentError, StorageError, UsageError

SCHEMA = "lcagent.memory/1"
MANIFEST = "memory.json"

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
"""A name of a memory."""

_PLAIN = re.compile(r"\w[\w.-]*")
"""A name inside the folder: a manifest is data, and never a way out of it."""


@dataclass(frozen=True, slots=True)
class StoredMemory:
    """What is known about a memory in a folder.

    Attributes:
        tokens, read: Of its text, and those that are read; the rest waits for a question.
        bytes: Of its files.
        fault: Why it cannot be used; empty if it can.
    """

    id: str
    title: str
    tokens: int = 0
    read: int = 0
    bytes: int = 0
    fault: str = ""


def checked_name(name: str) -> str:
    """Return a name that a memory may have.

    Raises:
        UsageError: It may not.
    """
    if not NAME.fullmatch(name):
        raise UsageError(
            f"{name[:80]!r} is no name of a memory: letters, digits, - and _, 64 at most"
        )
    return name


def make_private_folder(folder: Path) -> None:
    """Make the folder of memories, and let nobody else in: they hold the texts that were read."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_mode & 0o077:
        folder.chmod(0o700)


def partial_folder(folder: Path) -> Path:
    """Return where a memory is as long as it is not whole, under a name that no memory has."""
    return folder.with_name(f".{folder.name}")


def describe_memory(path: Path, fault: str = "") -> StoredMemory:
    """Return what is known about a memory, be it a damaged or an interrupted one."""
    try:
        manifest = read_manifest(path)
        if path.name.startswith("."):
            fault = "interrupted: the same command goes on with it"
        return StoredMemory(
            id=path.name,
            title=str(manifest["title"]),
            tokens=int(manifest["tokens"]),
            read=int(manifest["read"]),
            bytes=stored_bytes(manifest),
            fault=fault,
        )
    except LcagentError as error:
        return StoredMemory(path.name, "", fault=str(error))
    except (KeyError, TypeError, ValueError):
        return StoredMemory(path.name, "", fault="its manifest is damaged")


def list_folder(folder: Path) -> list[StoredMemory]:
    """Return all memories of a folder, damaged and interrupted ones too."""
    return [describe_memory(path.parent) for path in sorted(folder.glob(f"*/{MANIFEST}"))]


def remove_from_folder(folder: Path, names: Sequence[str]) -> None:
    """Remove memories, and what is left of interrupted ones.

    Raises:
        UsageError: There is no memory of that name; none is removed.
    """
    places = [(folder / checked_name(name), partial_folder(folder / name)) for name in names]
    for place, partial in places:
        if not any((each / MANIFEST).is_file() for each in (place, partial)):
            raise UsageError(f"there is no memory {place.name}")
    for pair in places:
        for place in pair:
            shutil.rmtree(place, ignore_errors=True)


def read_manifest(folder: Path) -> Mapping[str, Any]:
    """Return what is known about a memory without opening it.

    Raises:
        UsageError: There is none, or it was made by another version.
        StorageError: Its manifest is damaged.
    """
    try:
        found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UsageError(f"there is no memory {folder.name}") from error
    except (OSError, ValueError) as error:
        raise StorageError(f"the manifest of memory {folder.name} is damaged: {error}") from error
    if not isinstance(found, dict) or found.get("schema") != SCHEMA:
        raise UsageError(f"the memory {folder.name} was made by another version; read it again")
    names = (found.get("part"), *found.get("files", ()))
    if not all(isinstance(name, str) and _PLAIN.fullmatch(name) for name in names):
        raise StorageError(f"the manifest of memory {folder.name} is damaged: it names other files")
    return cast("Mapping[str, Any]", found)


def stored_bytes(manifest: Mapping[str, Any]) -> int:
    """Return the bytes of a memory's files."""
    return sum(int(size) for size, _ in manifest["files"].values())


def check_files(folder: Path, manifest: Mapping[str, Any], *, is_thorough: bool) -> None:
    """Compare the files with the manifest.

    Raises:
        StorageError: One is missing, has another size, or (if thorough) another content.
    """
    for name, (size, wanted) in manifest["files"].items():
        path = folder / manifest["part"] / name
        found = path.stat().st_size if path.is_file() else -1
        if found != size:
            what = "is missing" if found < 0 else f"has {found} bytes instead of {size}"
            raise StorageError(f"memory {folder.name} is damaged: {name} {what}")
        if is_thorough and checksum(path) != wanted:
            raise StorageError(f"memory {folder.name} is damaged: {name} was altered")


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
