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
        peak_bytes: The most memory that it, or a process it started, had in use; the system counts
            in what this process has, since it begins as a copy of it.
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
        assert self.err.startswith("Error: "), self.err
        assert self.err.count("\n") == 1, self.err
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
            usage = _wait(process)
        finished = Finished(
            process.returncode,
            _text(out),
            _text(err),
            peak_bytes=usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024),
            cpu_s=usage.ru_utime + usage.ru_stime,
        )
        assert "Traceback" not in finished.err, finished.err
        return finished

    return run


def _wait(process: subprocess.Popen[bytes]) -> struct_rusage:
    """Wait for the end of a process and return what it used, or fail after some time."""
    deadline = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return usage
        time.sleep(0.01)
    process.kill()
    process.wait()
    pytest.fail(f"still running after {TIMEOUT_S} s: {process.args}")


def _text(path: Path) -> str:
    return path.read_bytes().decode()
