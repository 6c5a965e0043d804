"""`lcagent batch` as users run it: killed, stopped, gone on with; calls counted at the server."""

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

DOCUMENTS = 16
IN_FLIGHT = 3
Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def transcript(tmp_path: Path) -> Path:
    """Return where the server writes what it served."""
    return tmp_path / "served.jsonl"


@pytest.fixture
def base_url(transcript: Path) -> Iterator[str]:
    """Yield the URL of a server in a process of its own, which survives those that are killed."""
    command = (
        sys.executable, "-m", "lcagent.testing", "--latency", "0.2", "--transcript",
        str(transcript), "--options", '{"text": "Tom keeps it."}',
    )  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        yield server.stdout.readline().decode().strip()
        server.kill()


@pytest.fixture
def job(tmp_path: Path, base_url: str) -> list[str]:
    """Return a command that asks some documents a question."""
    folder = tmp_path / "docs"
    folder.mkdir()
    for number in range(DOCUMENTS):
        (folder / f"{number:02}.txt").write_text(f"The keeper of light {number} is Tom.")
    return [
        "batch", "run", "ask", str(folder), "Who is the keeper of the light?", "-s", "rag", "-m",
        "openai:scripted", "--base-url", base_url, "-o", str(tmp_path / "out.jsonl"),
        "--in-flight", str(IN_FLIGHT),
    ]  # fmt: skip


@pytest.fixture
def finished(tmp_path: Path) -> Callable[[], list[int]]:
    """Return what reads the positions of the results, also while they are written."""
    out = tmp_path / "out.jsonl"

    def read() -> list[int]:
        whole = out.read_bytes().rpartition(b"\n")[0] if out.exists() else b""
        return [json.loads(line)["item"]["position"] for line in whole.splitlines()]

    return read


def _calls(transcript: Path) -> Counter[str]:
    whole = (
        transcript.read_text(encoding="utf-8").rpartition("\n")[0] if transcript.exists() else ""
    )
    served = [json.loads(line) for line in whole.splitlines()]
    return Counter(json.dumps(call["messages"]) for call in served if call["status"] == 200)


def _wait_for(is_true: Callable[[], Any], process: "subprocess.Popen[bytes]") -> None:
    while not is_true() and process.poll() is None:
        time.sleep(0.05)


def _kill_and_go_on(
    start: Start, job: list[str], finished: Callable[[], list[int]], kills: list[int]
) -> None:
    for count in kills:
        runner = start(*job)
        _wait_for(lambda c=count: len(finished()) >= c, runner)
        runner.kill()
        runner.wait()
    last = start(*job)
    err = last.communicate()[1].decode()
    assert last.returncode == 0, err
    assert f"{DOCUMENTS} of {DOCUMENTS} done" in err


@pytest.mark.slow
def test_a_runner_killed_at_half_goes_on_with_nothing_lost_doubled_or_paid_twice(
    start: Start, job: list[str], finished: Callable[[], list[int]], transcript: Path
) -> None:
    _kill_and_go_on(start, job, finished, [DOCUMENTS // 2])
    assert sorted(finished()) == list(range(1, DOCUMENTS + 1))
    calls = _calls(transcript)
    assert len(calls) == DOCUMENTS
    assert calls.total() <= DOCUMENTS + IN_FLIGHT  # those in flight at the kill were made again


@pytest.mark.endurance
def test_a_runner_killed_again_and_again_ends_with_each_line_once(
    start: Start, job: list[str], finished: Callable[[], list[int]], transcript: Path
) -> None:
    dice = Random(11)  # noqa: S311 -- the same moments each time
    kills = sorted(dice.randrange(DOCUMENTS) for _ in range(12))
    _kill_and_go_on(start, job, finished, kills)
    assert sorted(finished()) == list(range(1, DOCUMENTS + 1))
    calls = _calls(transcript)
    assert len(calls) == DOCUMENTS
    assert calls.total() <= DOCUMENTS + len(kills) * IN_FLIGHT


@pytest.mark.slow
@pytest.mark.parametrize("told", [signal.SIGINT, signal.SIGTERM])
def test_a_runner_told_to_end_ends_what_runs_and_goes_on_later(
    told: signal.Signals,
    start: Start,
    job: list[str],
    finished: Callable[[], list[int]],
    transcript: Path,
) -> None:
    runner = start(*job)
    _wait_for(lambda: len(finished()) >= 2, runner)
    runner.send_signal(told)
    err = runner.communicate()[1].decode()
    assert runner.returncode == 130, err
    assert "interrupted; what was stored is kept" in err
    assert len(_calls(transcript)) == len(finished()) < DOCUMENTS
    last = start(*job)
    assert last.wait() == 0
    assert _calls(transcript).total() == DOCUMENTS
    assert sorted(finished()) == list(range(1, DOCUMENTS + 1))


@pytest.mark.slow
def test_two_runners_and_a_worker_of_one_job_write_each_line_once(
    start: Start, job: list[str], finished: Callable[[], list[int]], transcript: Path
) -> None:
    first = start(*job)
    _wait_for(finished, first)
    others = [start(*job), start("batch", "work", "--in-flight", "2")]
    for process in (first, *others):
        err = process.communicate()[1].decode()
        assert process.returncode == 0, err
    assert sorted(finished()) == list(range(1, DOCUMENTS + 1))
    assert _calls(transcript).total() == DOCUMENTS


def test_one_file_of_three_that_cannot_be_read_makes_status_4_and_is_named(
    call: Callable[..., Any], tmp_path: Path
) -> None:
    for name in ("a", "c"):
        (tmp_path / f"{name}.txt").write_text(f"The keeper of light {name} is Tom.")
    (tmp_path / "b.txt").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(50))
    files = [str(tmp_path / f"{name}.txt") for name in "abc"]
    job = ("batch", "run", "ask", *files, "Who is the keeper?", "-o", tmp_path / "out.jsonl")
    ended = call(*job)
    assert ended.status == 4, ended.err
    assert "2 of 3 done, 1 failed" in ended.err
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 2
    failures = call("batch", "failures")
    assert failures.out == (
        f"2  {tmp_path / 'b.txt'}  failed after 1 attempt: UnreadableDocument: "
        f"{tmp_path / 'b.txt'}: it is an image: put it into a PDF, which can be read with OCR "
        "(at: reading)\n"
    )
    assert call(*job).status == 4
    (tmp_path / "b.txt").write_text("The keeper of light b is Ida.")
    mended = call("batch", "retry-failed")
    assert mended.status == 0, mended.err
    assert call("batch", "failures").out == ""
    exported = [json.loads(line) for line in call("batch", "export").out.splitlines()]
    assert [line["item"]["position"] for line in exported] == [1, 2, 3]
    assert "done  Who is the keeper?" in call("batch", "status").out
    assert "3 of 3" in call("batch", "ls").out


def test_a_dry_run_says_what_a_job_would_take_and_begins_none(
    call: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text("The keeper of the light is Tom.")
    planned = call(
        "batch", "run", "ask", tmp_path / "a.txt", "Who?", "-s", "rag", "-m", "openai:gpt-4o-mini",
        "--dry-run", "-o", tmp_path / "out.jsonl",
    )  # fmt: skip
    assert planned.status == 2  # there is no key
    planned = call("batch", "run", "summarize", tmp_path / "a.txt", "--dry-run")
    assert planned.status == 0, planned.err
    assert planned.out.startswith("items   1, 1 pages")
    assert not (tmp_path / "out.jsonl").exists()
    call("batch", "status").assert_refused(2, "there is no batch job yet")


def test_a_job_that_may_cost_much_is_not_begun_where_nobody_can_be_asked(
    call: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
    (tmp_path / "a.txt").write_text("The keeper of the light is Tom.")
    refused = call(
        "batch", "run", "ask", tmp_path / "a.txt", "Who?", "-s", "rag", "-m", "openai:gpt-4o-mini",
        "--base-url", "http://127.0.0.1:9/v1", "--confirm-above", "0",
    )  # fmt: skip
    assert refused.status == 2, refused.err
    assert "give --yes to begin it" in refused.err
    assert "cost    at most $" in refused.err
    call("batch", "status").assert_refused(2, "there is no batch job yet")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("run", "ask", "only a question"), "give documents and a question"),
        (("run", "summarize"), "give documents"),
        (("run", "ask", "nowhere.txt", "Who?"), "no such file"),
        (("run", "ask", "--requests", "nowhere.jsonl"), "the requests cannot be read"),
        (("status", "abc"), "no jobs have an id that begins with abc"),
    ],
)
def test_what_makes_no_sense_is_refused(
    arguments: tuple[str, ...], says: str, call: Callable[..., Any]
) -> None:
    refused = call("batch", *arguments)
    assert refused.status == 2, refused.err
    assert says in refused.err
