"""`lcagent memories`: what local models have read for good, listed, removed and verified."""

from collections.abc import Sequence
from pathlib import Path

from lcagent.engine.engine import (
    StoredMemory,
    check_files,
    checked_name,
    describe_memory,
    list_folder,
    read_manifest,
    remove_from_folder,
)
from lcagent.errors import LcagentError, UsageError
from lcagent.models.local import LocalModel
from lcagent.pipelines.runtime import named_model
from lcagent.settings import Settings, load_settings


def list_memories() -> list[StoredMemory]:
    """Return all memories, damaged and interrupted ones too."""
    return list_folder(load_settings().memories)


def remove_memories(names: Sequence[str]) -> None:
    """Remove memories, and what is left of interrupted ones.

    Raises:
        UsageError: There is no memory of that name; none is removed.
    """
    remove_from_folder(load_settings().memories, names)


def verify_memories(names: Sequence[str] = (), model: str | None = None) -> list[StoredMemory]:
    """Compare memories with their checksums, by default all; say which `model` cannot use.

    Raises:
        UsageError: There is no memory of that name.
        ModelNotUsable: The engine cannot run the model.
    """
    settings = load_settings()
    listed = [memory.id for memory in list_memories() if not memory.id.startswith(".")]
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


def _verified(path: Path, model: LocalModel | None) -> StoredMemory:
    try:
        check_files(path, read_manifest(path), is_thorough=True)
        if model is not None:
            model.load().open_memory(path, is_verified=False)
    except LcagentError as error:
        return describe_memory(path, str(error))
    return describe_memory(path)
