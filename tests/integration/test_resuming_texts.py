"""A text that is killed while it is written goes on: no paragraph is paid twice, none differs."""

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def transcript(tmp_path: Path) -> Path:
    """Return where the server writes what it served."""
    return tmp_path / "served.jsonl"


@pytest.fixture
def base_url(transcript: Path) -> Iterator[str]:
    """Yield the URL of a server that plans and writes, in a process of its own."""
    command = (
        sys.executable, "-m", "lcagent.testing", "--script", "writer",
        "--options", '{"share": 0.6}', "--latency", "0.05", "--transcript", str(transcript),
    )  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        yield server.stdout.readline().decode().strip()
        server.kill()


def _served(transcript: Path) -> list[dict[str, Any]]:
    if not transcript.exists():
        return []
    whole = transcript.read_text(encoding="utf-8").rpartition("\n")[0]
    return [json.loads(line) for line in whole.splitlines()]


def _calls(transcript: Path) -> Counter[str]:
    return Counter(json.dumps(call["messages"]) for call in _served(transcript))


def _write(start: Start, base_url: str, output: Path, *more: str) -> "subprocess.Popen[bytes]":
    return start(
        "write", "The history of the ferry", "--words", "4000", "-m", "openai:scripted",
        "--base-url", base_url, "--window", "3000", "-o", str(output), "--json", *more,
    )  # fmt: skip


@pytest.mark.parametrize("more", [(), ("--parallel",)], ids=["sequential", "parallel"])
def test_a_killed_text_goes_on_and_is_the_same(
    start: Start, base_url: str, transcript: Path, tmp_path: Path, more: tuple[str, ...]
) -> None:
    output = tmp_path / "text.md"
    process = _write(start, base_url, output, *more)
    while process.poll() is None and len(_served(transcript)) < 5:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    partial = output.read_text(encoding="utf-8") if output.exists() else ""
    listed, _ = start("runs", "ls").communicate(timeout=60)
    run_id = listed.decode().split()[0]
    out, errors = start("runs", "resume", run_id, "--json").communicate(timeout=120)
    resumed = json.loads(out) if out else pytest.fail(errors.decode())
    calls = _calls(transcript)
    in_flight = 9 if more else 1
    assert resumed["usage"]["calls"] >= len(calls) - in_flight  # it did not begin anew
    assert sum(calls.values()) - len(calls) <= in_flight
    assert resumed["text"].startswith(partial.rstrip())
    assert output.read_text(encoding="utf-8") == resumed["text"] + "\n"
    again, _ = _write(start, base_url, tmp_path / "other.md", *more).communicate(timeout=120)
    assert json.loads(again)["text"] == resumed["text"]
    assert json.loads(again)["usage"]["calls"] == 0
    assert _calls(transcript) == calls
