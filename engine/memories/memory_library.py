"""Named memories in one folder, and which of them a prompt continues from."""

import threading
import uuid
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from pathlib import Path

from safetensors import SafetensorError

from lcagent.engine.adapters import AdaptedModel
from lcagent.engine.config import KVCacheConfig
from lcagent.engine.memories.manifest import (
    MANIFEST,
    NAME,
    StoredMemory,
    check_files,
    describe_memory,
    make_private_folder,
    read_manifest,
    stored_bytes,
)
from lcagent.engine.memories.memory_files import (
    check_model,
    delete_state,
    load_state,
    load_tokens,
    model_fingerprint,
    save_state,
)
from lcagent.engine.model_runner import SequenceState
from lcagent.errors import LcagentError, UsageError

VERIFIED_BYTES = 1_000_000_000
"""A memory up to this size is compared with its checksums when a prompt continues from it."""


@dataclass(slots=True)
class MemoryLibrary:
    """Memories of one model. Thread-safe.

    Attributes:
        most_open: Memories that stay open; the least recently used is closed first.
    """

    model: AdaptedModel
    folder: Path
    most_open: int = 8
    _open: OrderedDict[str, SequenceState] = field(default_factory=OrderedDict[str, SequenceState])
    _lock: threading.Lock = field(default_factory=threading.Lock)
    # Saving takes its time, in which prompts still find what is open: two locks, this one first.
    _disk: threading.Lock = field(default_factory=threading.Lock)
    _is_all_open: bool = False

    def add(self, state: SequenceState, title: str = "", name: str | None = None) -> StoredMemory:
        """Save a state under a name, by default a new one.

        Raises:
            UsageError: The name has other characters than letters, digits, "-" and "_".
            StorageError: The disk is full or cannot be written.
        """
        name = uuid.uuid4().hex[:16] if name is None else name
        path = self._path(name)
        with self._disk:
            save_state(self.model, state, path, title)
            self._keep_open(name, state)
        return describe_memory(path)

    def open(self, name: str) -> SequenceState:
        """Return a memory; fork it before going on.

        Raises:
            UsageError: There is none, or it was made by another model or version.
            StorageError: It is damaged.
        """
        found = self._find(name)
        if found is not None:
            return found
        with self._disk:
            found = self._find(name)
            if found is None:
                found = load_state(self.model, self._path(name))
                self._keep_open(name, found)
            return found

    def has(self, name: str) -> bool:
        """Say whether there is a memory of a name, be it a damaged one."""
        return bool(NAME.fullmatch(name)) and (self.folder / name / MANIFEST).is_file()

    def describe_all(self) -> list[StoredMemory]:
        """Return what is stored, damaged memories and those of other models included."""
        names = sorted(path.name for path in self.folder.glob("*") if self.has(path.name))
        return [self.describe(name) for name in names]

    def describe(self, name: str) -> StoredMemory:
        """Return what is known about a memory, and why this model cannot use it if so.

        Raises:
            UsageError: There is none.
        """
        path = self._path(name)
        if not self.has(name):
            raise UsageError(f"there is no memory {name}")
        found = describe_memory(path)
        if found.fault:
            return found
        try:
            manifest = read_manifest(path)
            check_model(self.model, path, manifest)
            check_files(path, manifest, is_thorough=False)
        except LcagentError as error:
            return replace(found, fault=str(error))
        return found

    def delete(self, name: str) -> None:
        """Delete a memory; UsageError if there is none."""
        with self._disk:
            delete_state(self._path(name))
            with self._lock:
                self._open.pop(name, None)

    def open_all(self) -> None:
        """Open as many memories as may be open; from now on prompts find these only."""
        if self.folder.is_dir():
            make_private_folder(self.folder)
        for memory in self.describe_all()[-self.most_open :]:
            try:
                self.open(memory.id)
            except LcagentError:  # `describe_all` shows it, and `open` raises it again
                continue
        self._is_all_open = True

    def find(self, prompt: list[int], config: KVCacheConfig) -> SequenceState | None:
        """Return the memory that has most of a prompt's beginning, if any.

        Memories that are open come first. Until all are (a process that asks once opens none),
        manifests and tokens of those on the disk are read, and the best that was read as `config`
        says is opened. One that is damaged, or of another model, is passed over.
        """
        found = self._find_open(prompt)
        if found is not None or self._is_all_open:
            return found
        return self._find_stored(prompt, config)

    def _find_open(self, prompt: list[int]) -> SequenceState | None:
        with self._lock:
            fitting = [state for state in self._open.values() if state.is_prefix_of(prompt)]
        useful = [state for state in fitting if state.num_computed]
        return max(useful, key=lambda state: state.num_computed, default=None)

    def _find_stored(self, prompt: list[int], config: KVCacheConfig) -> SequenceState | None:
        paths = sorted(path for path in self.folder.glob("[!.]*") if self.has(path.name))
        own = model_fingerprint(self.model) if paths else ""
        fitting = [(_common_tokens(path, own, config, prompt), path) for path in paths]
        for count, path in sorted(fitting, reverse=True):
            if not count:
                break
            try:
                state = load_trusted(self.model, path)
            except LcagentError:  # `lcagent memories verify` says why
                continue
            self._keep_open(path.name, state)
            return state
        return None

    def _find(self, name: str) -> SequenceState | None:
        with self._lock:
            if name in self._open:
                self._open.move_to_end(name)
            return self._open.get(name)

    def _keep_open(self, name: str, state: SequenceState) -> None:
        with self._lock:
            self._open[name] = state
            self._open.move_to_end(name)
            while len(self._open) > self.most_open:
                self._open.popitem(last=False)

    def _path(self, name: str) -> Path:
        if not NAME.fullmatch(name):
            raise UsageError(f"{name[:80]!r} is no name of a memory")
        return self.folder / name


def load_trusted(model: AdaptedModel, path: Path) -> SequenceState:
    """Open a memory; a large one is trusted to be what it was, but for the sizes of its files.

    Raises:
        UsageError: It was made by another model or version.
        StorageError: It is damaged.
    """
    return load_state(model, path, is_verified=stored_bytes(read_manifest(path)) <= VERIFIED_BYTES)


def _common_tokens(path: Path, own: str, config: KVCacheConfig, prompt: list[int]) -> int:
    """Return how much of a prompt a memory has read; 0 where it does not begin like it."""
    try:
        manifest = read_manifest(path)
        count = int(manifest["read"])
        if manifest["model"] != own or manifest["config"] != config.as_json():
            return 0
        if not count < len(prompt):
            return 0
        known = load_tokens(path, manifest)
        return count if known[:count] == prompt[:count] else 0
    except (LcagentError, OSError, SafetensorError, KeyError, TypeError, ValueError):
        return 0
