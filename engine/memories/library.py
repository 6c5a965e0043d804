"""Named memories in one folder, and which of them a prompt goes on from."""

import re
import threading
import uuid
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lcagent.engine.adapters import AdaptedModel
from lcagent.engine.generation.requests import continues
from lcagent.engine.memories.folder import check_model, delete_reading, load_reading, save_reading
from lcagent.engine.memories.manifest import check_files, read_manifest
from lcagent.engine.reading import Reading
from lcagent.errors import LcagentError, UsageError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class MemoryCard:
    """What is known about a stored memory.

    Attributes:
        fault: Why it cannot be used; empty if it can.
    """

    id: str
    title: str
    tokens: int
    fault: str = ""


@dataclass(slots=True)
class MemoryLibrary:
    """Memories of one model. Thread-safe.

    Attributes:
        most_open: Memories that stay open; the one used longest ago is closed first.
    """

    model: AdaptedModel
    folder: Path
    most_open: int = 8
    _open: OrderedDict[str, Reading] = field(default_factory=OrderedDict[str, Reading])
    _lock: threading.Lock = field(default_factory=threading.Lock)
    # Saving takes its time, in which prompts still find what is open: two locks, this one first.
    _disk: threading.Lock = field(default_factory=threading.Lock)

    def add(self, reading: Reading, title: str = "", name: str | None = None) -> MemoryCard:
        """Save a reading under a name, by default a new one.

        Raises:
            UsageError: The name has other characters than letters, digits, "-" and "_".
            StorageError: The disk is full or cannot be written.
        """
        name = uuid.uuid4().hex[:16] if name is None else name
        with self._disk:
            save_reading(self.model, reading, self._path(name), title)
            self._keep_open(name, reading)
        return MemoryCard(name, title, len(reading.tokens))

    def open(self, name: str) -> Reading:
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
                found = load_reading(self.model, self._path(name))
                self._keep_open(name, found)
            return found

    def cards(self) -> list[MemoryCard]:
        """Return what is stored, damaged memories and those of other models included."""
        names = sorted(path.name for path in self.folder.glob("*") if self._is_memory(path))
        return [self._card(name) for name in names]

    def card(self, name: str) -> MemoryCard:
        """Return what is known about one memory; UsageError if there is none."""
        if not self._is_memory(self._path(name)):
            raise UsageError(f"there is no memory {name}")
        return self._card(name)

    def delete(self, name: str) -> None:
        """Delete a memory; UsageError if there is none."""
        with self._disk:
            delete_reading(self._path(name))
            with self._lock:
                self._open.pop(name, None)

    def longest_start(self, tokens: list[int]) -> Reading | None:
        """Return the open memory that has read most of a prompt's beginning."""
        with self._lock:
            fitting = [each for each in self._open.values() if continues(tokens, each)]
        useful = [reading for reading in fitting if reading.read]
        return max(useful, key=lambda reading: reading.read, default=None)

    def open_all(self) -> None:
        """Open as many memories as may be open, so that prompts find them after a restart."""
        for card in self.cards()[-self.most_open :]:
            try:
                self.open(card.id)
            except LcagentError:  # `cards` shows it with its fault, and `open` raises it again
                continue

    def _card(self, name: str) -> MemoryCard:
        try:
            manifest: Mapping[str, Any] = read_manifest(self._path(name))
        except LcagentError as error:
            return MemoryCard(name, "", 0, str(error))
        try:
            check_model(self.model, self._path(name), manifest)
            check_files(self._path(name), manifest, is_thorough=False)
            fault = ""
        except LcagentError as error:
            fault = str(error)
        return MemoryCard(name, str(manifest["title"]), int(manifest["tokens"]), fault)

    def _find(self, name: str) -> Reading | None:
        with self._lock:
            if name in self._open:
                self._open.move_to_end(name)
            return self._open.get(name)

    def _keep_open(self, name: str, reading: Reading) -> None:
        with self._lock:
            self._open[name] = reading
            self._open.move_to_end(name)
            while len(self._open) > self.most_open:
                self._open.popitem(last=False)

    def _is_memory(self, path: Path) -> bool:
        return bool(_NAME.fullmatch(path.name)) and (path / "memory.json").is_file()

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise UsageError(f"{name[:80]!r} is no name of a memory")
        return self.folder / name
