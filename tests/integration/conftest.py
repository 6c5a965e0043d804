"""Running `lcagent`: `run` in a process of its own, `call` in this one, which is faster."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from resource import struct_rusage
from typing import Any, Protocol

import pytest

from lcagent.cli import app

COMMAND = (sys.executable, "-m", "lcagent")
TIMEOUT_S = 60
_NOTE_OR_PROGRESS = re.compile(r"(?:note: |reading |.*, \d+ calls, )")


@dataclass(frozen=True, slots=True)
class Finished:
    """A command that has ended.

    Attributes:
        peak_bytes: The most memory that it, or a process it started, had in use.
        cpu_s: Processor time of it and the processes it started.
    """

    status: int
    out: str
    err: str
    peak_bytes: int = 0
    cpu_s: float = 0.0

    def assert_refused(self, status: int, *words: str) -> None:
        """Check that it failed as promised: its status, one line that says why, no result."""
        assert self.status == status, self.err
        *progress, error = self.err.splitlines()
        assert error.startswith("Error: "), self.err
        # On a slow machine the progress is told before the error is.
        assert all(line.startswith(("reading ", "read ")) for line in progress), self.err
        assert self.out == ""
        for word in words:
            assert word in self.err

    def assert_done(self) -> None:
        """Check that it has ended well, with notes and progress on standard error only."""
        assert self.status == 0, self.err
        lines = self.err.splitlines()
        assert all(_NOTE_OR_PROGRESS.match(line) for line in lines), self.err


class RunCommand(Protocol):
    """Runs `lcagent` with these arguments to its end."""

    def __call__(
        self, *arguments: str | Path, env: Mapping[str, str] | None = None, **options: Any
    ) -> Finished:
        """Add `env` to the environment; `options` are those of Popen."""
        ...


@pytest.fixture
def call(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., Finished]:
    """Return what runs `lcagent` in this process."""
    monkeypatch.setenv("LCAGENT_EMBEDDER", "none")

    def call(*arguments: str | Path) -> Finished:
        status = app.run([str(argument) for argument in arguments])
        printed = capfd.readouterr()
        return Finished(status, str(printed.out), str(printed.err))

    return call


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Yield what starts `lcagent` without a model for vectors; nothing of it stays behind."""
    monkeypatch.setenv("LCAGENT_EMBEDDER", "none")
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)  # users do not have it
    with ExitStack() as stack:

        def start(
            *arguments: str | Path, env: Mapping[str, str] | None = None, **options: Any
        ) -> subprocess.Popen[bytes]:
            pipes = dict.fromkeys(("stdout", "stderr"), subprocess.PIPE)
            with _interruptible():
                process = stack.enter_context(
                    subprocess.Popen[bytes](
                        [*COMMAND, *arguments],
                        env={**os.environ, **(env or {})},
                        **{"stdin": subprocess.DEVNULL, **pipes, **options},
                    )
                )
            stack.callback(process.kill)
            return process

        yield start


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let what is started hear Ctrl-C, also where these tests do not (`nohup`, `&` of a script).

    A process inherits that SIGINT is ignored, and Python then sets no handler of its own.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.fixture
def run(start: Callable[..., subprocess.Popen[bytes]], tmp_path: Path) -> RunCommand:
    """Return what runs `lcagent` to its end; no run may print a traceback or hang."""
    out, err = tmp_path / ".out", tmp_path / ".err"

    def run(*arguments: str | Path, **options: Any) -> Finished:
        with out.open("wb") as stdout, err.open("wb") as stderr:
            process = start(*arguments, **{"stdout": stdout, "stderr": stderr, **options})
            usage, peak_bytes = _wait(process)
        finished = Finished(
            process.returncode,
            _text(out),
            _text(err),
            peak_bytes=peak_bytes,
            cpu_s=usage.ru_utime + usage.ru_stime,
        )
        assert "Traceback" not in finished.err, finished.err
        return finished

    return run


def _wait(process: subprocess.Popen[bytes]) -> tuple[struct_rusage, int]:
    """Wait for the end of a process; return what it used, and its most memory in bytes.

    The system's own figure counts what this process had in use when it forked. Where /proc tells
    the peak since a program began, that is looked at instead, and at those of its children.
    """
    deadline, peak_kb = time.monotonic() + TIMEOUT_S, 0
    while time.monotonic() < deadline:
        peak_kb = max(peak_kb, *(_peak_kb(pid) for pid in (process.pid, *_children(process.pid))))
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            most = usage.ru_maxrss if sys.platform == "darwin" else 1024 * usage.ru_maxrss
            return usage, 1024 * peak_kb or most
        time.sleep(0.01)
    process.kill()
    process.wait()
    pytest.fail(f"still running after {TIMEOUT_S} s: {process.args}")


def _children(pid: int) -> list[int]:
    try:
        return [
            int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        ]
    except OSError:  # it has ended, or there is no /proc
        return []


def _peak_kb(pid: int) -> int:
    """Return the peak of a process; 0 as long as it is still the copy that forked, or unknown."""
    try:
        if Path(f"/proc/{pid}/cmdline").read_bytes() == Path("/proc/self/cmdline").read_bytes():
            return 0
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) if found else 0


def _text(path: Path) -> str:
    return path.read_bytes().decode()
