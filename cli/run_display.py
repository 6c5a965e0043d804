"""Watching a run: its plan, its steps, and the answer as it is written.

The answer goes to standard output, all else to standard error. On a terminal one line shows how
far the run is; elsewhere a plain line is printed every few seconds.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lcagent.cli import printing
from lcagent.cli.progress_display import LINE_EVERY_S, ReadingDisplay, reading_progress

if TYPE_CHECKING:
    from lcagent.pipelines.events import AnswerText, Event, StepDone


@contextmanager
def watching(
    *, shows_answer: bool, explains: bool = False, is_verbose: bool = False
) -> Iterator["Watch"]:
    """Yield what a verb tells its progress to."""
    with reading_progress() as reading:
        status = _Lines(every_s=0) if is_verbose else _Line() if sys.stderr.isatty() else _Lines()
        watch = Watch(reading, status, shows_answer=shows_answer, explains=explains)
        try:
            yield watch
        finally:
            watch.close()


class Watch:
    """Shows what happens.

    Attributes:
        shown: What of the answer was printed so far.
    """

    def __init__(
        self,
        reading: ReadingDisplay,
        status: "_Line | _Lines",
        *,
        shows_answer: bool,
        explains: bool,
    ) -> None:
        self.shown = ""
        self.reading = reading
        self._shows_answer = shows_answer
        self._explains = explains
        self._status = status

    def tell(self, event: "Event") -> None:
        """Show an event."""
        from lcagent.pipelines.events import (  # noqa: PLC0415 -- `--help` must not wait for it
            AnswerText,
            MethodChosen,
            Planned,
            StepDone,
        )

        if isinstance(event, StepDone):
            self._status.show(event)
        elif isinstance(event, Planned):
            self.reading.close()
            if self._explains:
                printing.print_plan(event.plan, to=sys.stderr)
        elif isinstance(event, MethodChosen):
            if self._explains:
                printing.print_notes([f"{event.strategy}: {event.reason}"])
        elif isinstance(event, AnswerText) and self._shows_answer:
            self._status.close()
            self._show_text(event)

    def close(self) -> None:
        """Take the progress off the screen."""
        self._status.close()

    def _show_text(self, event: "AnswerText") -> None:
        if not event.is_restart:
            printing.print_piece(event.text)
            self.shown += event.text
        elif self.shown:
            printing.print_line(" …")
            printing.print_notes(["the reply broke off and begins again"])
            self.shown = ""


def in_words(step: "StepDone", began: float) -> str:
    """Return a line about how far a run is."""
    parts = [f"{step.what} {step.done} of {step.total}" if step.total else step.what]
    if step.where:
        parts[0] += f" ({step.where})"
    parts.append(f"{step.calls} calls")
    parts.append(f"{step.tokens:,} tokens")
    if step.usd:
        parts.append(f"${step.usd:.4f}")
    if 0 < step.done < step.total:
        left = (time.monotonic() - began) / step.done * (step.total - step.done)
        parts.append(f"about {_duration(left)} left")
    return ", ".join(parts)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


class _Lines:
    """Prints a plain line every few seconds."""

    def __init__(self, every_s: float = LINE_EVERY_S) -> None:
        self._every_s = every_s
        self._began = time.monotonic()
        self._next = self._began + every_s

    def show(self, step: "StepDone") -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + self._every_s
            printing.print_status(in_words(step, self._began))

    def close(self) -> None:
        """Print nothing more."""


class _Line:
    """Keeps one line of a terminal up to date."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._is_shown = False

    def show(self, step: "StepDone") -> None:
        width = printing.width() - 1
        line = in_words(step, self._began)[:width]
        printing.print_status(f"{line:{width}}", begin="\r", end="")
        self._is_shown = True

    def close(self) -> None:
        if self._is_shown:
            printing.print_status(" " * (printing.width() - 1), begin="\r", end="\r")
            self._is_shown = False
