"""Killed at any moment, a run goes on: no reply that was paid for is asked for again, none is lost.

Counted where it is paid for: the server runs in a process of its own and keeps what it served.
"""

import json
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

QUESTION = "What is it? [[Q anna mother city river]]"
FACTS = {3: "anna --mother--> berta", 60: "berta --city--> cork", 116: "cork --river--> lee"}
WINDOW = "1000"

_ID = re.compile(r"\[\[S\d+\]\]")

Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def transcript(tmp_path: Path) -> Path:
    """Return where the server writes what it served."""
    return tmp_path / "served.jsonl"


@pytest.fixture
def base_url(transcript: Path) -> Iterator[str]:
    """Yield the URL of a server that reads facts, in a process of its own."""
    command = (
        sys.executable, "-m", "lcagent.testing", "--script", "facts",
        "--window", WINDOW, "--latency", "0.02", "--transcript", str(transcript),
    )  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        yield server.stdout.readline().decode().strip()
        server.kill()


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """Return a book with a chain of facts in it, for about a dozen workers."""
    said = (
        f"[[S{number:05}]] the old ferry went slowly over a grey sea"
        + (f" and {FACTS[number]}." if number in FACTS else ".")
        for number in range(120)
    )
    path = tmp_path / "book.txt"
    path.write_text(" ".join(said), encoding="utf-8")
    return path


def _served(transcript: Path) -> list[dict[str, Any]]:
    if not transcript.exists():
        return []
    whole = transcript.read_text(encoding="utf-8").rpartition("\n")[0]
    return [json.loads(line) for line in whole.splitlines()]


def _calls(transcript: Path) -> Counter[str]:
    return Counter(
        json.dumps(call["messages"]) for call in _served(transcript) if call["status"] == 200
    )


def _ask(start: Start, book: Path, base_url: str, *more: str) -> "subprocess.Popen[bytes]":
    return start(
        "ask", str(book), QUESTION, "-s", "chain", "-m", "openai:scripted", "--base-url",
        base_url, "--window", WINDOW, "--preset", "faithful", "--json", *more,
    )  # fmt: skip


def _run_ids(start: Start) -> list[str]:
    out, _ = start("runs", "ls").communicate(timeout=60)
    return [line.split()[0] for line in out.decode().splitlines()]


def _kill_when(process: "subprocess.Popen[bytes]", transcript: Path, calls: int) -> None:
    """Kill a process as soon as the server has been asked so often, or it has ended."""
    while process.poll() is None and len(_served(transcript)) < calls:
        time.sleep(0.002)
    time.sleep(random.Random(calls).uniform(0, 0.04))  # noqa: S311 -- anywhere in a call
    process.send_signal(signal.SIGKILL)
    process.communicate()


def _survive(start: Start, book: Path, base_url: str, transcript: Path, kills: int) -> int:
    """Ask, and kill what answers again and again; return how often the server was asked twice."""
    _kill_when(_ask(start, book, base_url), transcript, 2)
    (run_id,) = _run_ids(start)
    for kill in range(1, kills):
        before = len(_served(transcript))
        _kill_when(start("runs", "resume", run_id, "--json"), transcript, before + 1 + kill % 3)
    out, errors = start("runs", "resume", run_id, "--json").communicate(timeout=120)
    if b"has ended" in errors:
        out, _ = start("runs", "show", run_id, "--json").communicate(timeout=60)
    assert json.loads(out)["answer"] == "lee [no proof]", errors.decode()
    calls = _calls(transcript)
    return sum(calls.values()) - len(calls)


def test_a_run_that_is_killed_again_and_again_pays_for_nothing_twice(
    start: Start, book: Path, base_url: str, transcript: Path
) -> None:
    kills = 5
    assert _survive(start, book, base_url, transcript, kills) <= kills
    read = [found for prompt in _calls(transcript) for found in set(_ID.findall(prompt))]
    assert set(Counter(read).values()) == {1}
    assert len(read) == 120


def test_killed_runs_leave_nothing_behind_but_the_store(
    start: Start, book: Path, base_url: str, transcript: Path, own_home: Path
) -> None:
    for calls in (2, 5):
        _kill_when(_ask(start, book, base_url), transcript, calls)
    out, errors = _ask(start, book, base_url).communicate(timeout=120)
    assert json.loads(out)["answer"] == "lee [no proof]", errors.decode()
    left = {path.relative_to(own_home).as_posix() for path in own_home.rglob("*")}
    assert left <= {"lcagent.db", "lcagent.db-shm", "lcagent.db-wal"}


def test_the_same_question_again_costs_nothing(
    start: Start, book: Path, base_url: str, transcript: Path
) -> None:
    first, _ = _ask(start, book, base_url).communicate(timeout=120)
    before = len(_served(transcript))
    second, _ = _ask(start, book, base_url).communicate(timeout=120)
    assert len(_served(transcript)) == before
    assert json.loads(second)["answer"] == json.loads(first)["answer"]
    assert json.loads(second)["usage"]["calls"] == 0
    _ask(start, book, base_url, "--no-cache").communicate(timeout=120)
    assert len(_served(transcript)) == 2 * before


@pytest.mark.parametrize("limit", [("--max-calls", "3"), ("--max-time", "0.5")])
def test_a_limit_ends_with_5_and_the_run_goes_on_with_a_higher_one(
    start: Start, book: Path, base_url: str, transcript: Path, limit: tuple[str, str]
) -> None:
    stopped = _ask(start, book, base_url, *limit)
    out, errors = stopped.communicate(timeout=120)
    assert (stopped.returncode, out) == (5, b"")
    assert limit[0].encode() in errors
    (run_id,) = _run_ids(start)
    assert run_id.encode() in errors
    before = len(_served(transcript))
    if limit[0] == "--max-calls":
        assert before == 3
    out, errors = start("runs", "resume", run_id, limit[0], "1000", "--json").communicate(
        timeout=120
    )
    assert json.loads(out)["answer"] == "lee [no proof]", errors.decode()
    assert max(_calls(transcript).values()) == 1


def test_two_processes_are_never_at_one_run(
    start: Start, book: Path, base_url: str, transcript: Path
) -> None:
    process = _ask(start, book, base_url)
    while not _served(transcript):
        time.sleep(0.01)
    (run_id,) = _run_ids(start)
    second = start("runs", "resume", run_id)
    _, errors = second.communicate(timeout=60)
    process.communicate(timeout=120)
    if b"has ended" not in errors:
        assert (second.returncode, b"another process" in errors) == (2, True)
    assert max(_calls(transcript).values()) == 1


@pytest.mark.endurance
@pytest.mark.timeout(3600)
def test_a_hundred_kills_lose_nothing_and_repeat_nothing(
    start: Start, book: Path, base_url: str, transcript: Path, tmp_path: Path
) -> None:
    kills = 5
    for number in range(20):
        transcript.unlink(missing_ok=True)
        at_home = partial(start, env={"LCAGENT_HOME": str(tmp_path / f"home-{number}")})
        assert _survive(at_home, book, base_url, transcript, kills) <= kills
