"""Progress of long reading: a bar on a terminal, a line now and then elsewhere.

Nothing is shown in the first second: most documents are read by then.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from lcagent.cli.printing import print_status
from lcagent.visible_text import printable

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

PATIENCE_S = 1.0
LINE_EVERY_S = 5.0


class ReadingDisplay(Protocol):
    """Shows how far the reading of files is."""

    def __call__(self, name: str, done: int, total: int) -> None:
        """Show a file's progress."""
        ...

    def close(self) -> None:
        """Show nothing more."""
        ...


@contextmanager
def reading_progress(unit: str = "pages") -> Iterator[ReadingDisplay]:
    """Yield what a verb reports its reading to; standard error shows it."""
    display = _Bars(unit) if sys.stderr.isatty() else _Lines(unit)
    try:
        yield display
    finally:
        display.close()


class _Lines:
    """Prints a plain line every few seconds."""

    def __init__(self, unit: str) -> None:
        self._unit = unit
        self._next = time.monotonic() + LINE_EVERY_S

    def __call__(self, name: str, done: int, total: int) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + LINE_EVERY_S
            print_status(f"reading {name}: {done} of {total} {self._unit}")

    def close(self) -> None:
        """Print nothing more."""


class _Bars:
    """Draws one bar per document that is being read."""

    def __init__(self, unit: str) -> None:
        self._unit = unit
        self._start = time.monotonic()
        self._bars: Progress | None = None
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, name: str, done: int, total: int) -> None:
        if time.monotonic() - self._start < PATIENCE_S:
            return
        if self._bars is None:
            self._bars = _new_bars(self._unit)
            self._bars.start()
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(f"reading {printable(name)}", total=total)
        self._bars.update(self._tasks[name], completed=done, visible=done < total)

    def close(self) -> None:
        """Take the bars off the screen."""
        if self._bars is not None:
            self._bars.stop()


def _new_bars(unit: str) -> "Progress":
    from rich.console import Console  # noqa: PLC0415 -- only for long reading on a terminal
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn  # noqa: PLC0415

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        console=Console(stderr=True),
        transient=True,
    )
