"""What a command takes, in CPU seconds and memory of its process tree, and rows to compare it.

CPU seconds are user plus system, as the kernel counts them when the command ends.
"""

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

MB = 1_000_000

Command = Sequence[str]


@dataclass(frozen=True, slots=True)
class Run:
    """What one run of a command took.

    Attributes:
        cpu_s: Of the command and all that it started and waited for.
        peak_mb: The largest of these processes, at its largest.
        together_mb: All of them at the same moment, shared pages counted in each; 0 if unwatched.
    """

    cpu_s: float
    peak_mb: float
    together_mb: float
    output: str


@dataclass(slots=True)
class Side:
    """The runs of one side of a row: what is run, and what is counted of it."""

    name: str
    measure: Callable[[], float]
    turns: int
    is_peer: bool = False
    figures: list[float] = field(default_factory=list[float])


def run(command: Command, *, is_watched: bool = False, **environment: str) -> Run:
    """Run a command to its end and return what it took."""
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            command, stdout=output, stderr=errors, env={**os.environ, **environment}
        )
        watch = Watch(process.pid)
        if is_watched:
            watch.start()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if is_watched:
            watch.join()
        output.seek(0)
        errors.seek(0)
        if process.returncode:
            sys.exit(f"{' '.join(command)} failed: {errors.read()[-800:]}")
        cpu_s = usage.ru_utime + usage.ru_stime
        return Run(cpu_s, usage.ru_maxrss * 1024 / MB, watch.most / MB, output.read())


class Watch(threading.Thread):
    """Adds up the memory of a process and its descendants every 5 ms, until it ends."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.most = 0
        self._pid = pid

    def run(self) -> None:
        """Watch."""
        while resident := sum(map(_resident, _tree(self._pid))):
            self.most = max(self.most, resident)
            time.sleep(0.005)


def _tree(pid: int) -> Iterator[int]:
    yield pid
    for thread in Path(f"/proc/{pid}/task").glob("*"):
        try:
            children = (thread / "children").read_text().split()
        except OSError:  # it ended meanwhile
            continue
        for child in children:
            yield from _tree(int(child))


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def compare(title: str, target: str, sides: Sequence[Side], unit: str = "CPU s") -> None:
    """Let the sides take turns, the one with few turns in the middle, and print a row for each."""
    rounds = max(side.turns for side in sides)
    for turn in range(rounds):
        for side in sides:
            skipped = (rounds - side.turns) // 2
            if skipped <= turn < skipped + side.turns:
                side.figures.append(side.measure())
    ours = median(sides[0].figures)
    for number, side in enumerate(sides):
        middle = median(side.figures)
        spread = f"{min(side.figures):.4g}-{max(side.figures):.4g}, n={len(side.figures)}"
        ratio = f"{middle / ours:.1f} x the first" if side.is_peer else ""
        heading = f"{title}, {unit}, target {target}" if number == 0 else ""
        print(f"{heading:63} {side.name:34} {middle:9.4g}  ({spread})  {ratio}", flush=True)
