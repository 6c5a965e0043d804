"""What a saved reading says of itself: its manifest, and whether its files are as it says.

Nothing heavy is imported, so that memories can be listed and verified without torch.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from lcagent.errors import StorageError, UsageError

SCHEMA = "lcagent.memory/1"
MANIFEST = "memory.json"

_PLAIN = re.compile(r"\w[\w.-]*")
"""A name inside the folder: a manifest is data, and never a way out of it."""


def read_manifest(folder: Path) -> Mapping[str, Any]:
    """Return what is known about a saved reading without opening it.

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
