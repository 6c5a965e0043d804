"""`lcagent memories`: what local models have read for good, listed, removed and verified."""

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lcagent.engine.memories.manifest import MANIFEST, check_files, read_manifest
from lcagent.errors import LcagentError, UsageError
from lcagent.models.local import LocalModel
from lcagent.pipelines.services import named_model
from lcagent.settings import Settings, load_settings

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class StoredMemory:
    """A memory in the store.

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


def list_memories() -> list[StoredMemory]:
    """Return all memories, damaged and interrupted ones too."""
    folder = load_settings().memories
    return [stored_memory(path.parent) for path in sorted(folder.glob(f"*/{MANIFEST}"))]


def remove_memories(names: Sequence[str]) -> None:
    """Remove memories, and what is left of interrupted ones.

    Raises:
        UsageError: There is no memory of that name; none is removed.
    """
    folder = load_settings().memories
    places = [(folder / checked_name(name), folder / f".{name}") for name in names]
    for place, half in places:
        if not any((each / MANIFEST).is_file() for each in (place, half)):
            raise UsageError(f"there is no memory {place.name}")
    for pair in places:
        for place in pair:
            shutil.rmtree(place, ignore_errors=True)


def verify_memories(names: Sequence[str] = (), model: str | None = None) -> list[StoredMemory]:
    """Compare memories with their checksums, by default all; say which `model` cannot use.

    Raises:
        UsageError: There is no memory of that name.
        ModelNotUsable: The engine cannot run the model.
    """
    settings = load_settings()
    listed = [one.id for one in list_memories() if not one.id.startswith(".")]
    for name in names:
        if checked_name(name) not in listed:
            raise UsageError(f"there is no memory {name}")
    local = None if model is None else local_model(model, settings)
    return [_verified(settings.memories / name, local) for name in names or listed]


def local_model(name: str, settings: Settings, window_tokens: int | None = None) -> LocalModel:
    """Return a model that runs here.

    Raises:
        UsageError: It does not.
        ModelNotUsable: The engine cannot run it.
    """
    model = named_model(name, settings, window_tokens=window_tokens)
    if not isinstance(model, LocalModel):
        raise UsageError(f"{name} does not run here: memories are of models such as local:PATH")
    return model


def stored_memory(path: Path, fault: str = "") -> StoredMemory:
    """Return what is known about a memory in a folder."""
    try:
        manifest = read_manifest(path)
        if path.name.startswith("."):
            fault = "interrupted: the same command goes on with it"
        return StoredMemory(
            id=path.name,
            title=str(manifest["title"]),
            tokens=int(manifest["tokens"]),
            read=int(manifest["read"]),
            bytes=sum(int(size) for size, _ in manifest["files"].values()),
            fault=fault,
        )
    except LcagentError as error:
        return StoredMemory(path.name, "", fault=str(error))
    except (KeyError, TypeError, ValueError):
        return StoredMemory(path.name, "", fault="its manifest is damaged")


def checked_name(name: str) -> str:
    """Return a name that a memory may have.

    Raises:
        UsageError: It may not.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name[:80]!r} is no name of a memory: letters, digits, - and _, 64 at most"
        )
    return name


def _verified(path: Path, model: LocalModel | None) -> StoredMemory:
    try:
        check_files(path, read_manifest(path), is_thorough=True)
        if model is not None:
            from lcagent.engine.memories.folder import load_reading  # noqa: PLC0415 -- torch

            load_reading(model.load().model, path, is_verified=False)
    except LcagentError as error:
        return stored_memory(path, str(error))
    return stored_memory(path)
