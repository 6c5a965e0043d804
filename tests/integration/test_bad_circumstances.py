"""What `lcagent ask` does when it is killed, raced, or short of disk, and with bad settings."""

import json
import os
import resource
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import pytest
from reportlab.pdfgen.canvas import Canvas

from lcagent.storage.database import open_database
from lcagent.storage.document_store import DocumentStore

if TYPE_CHECKING:
    from tests.integration.conftest import RunCommand

Start: TypeAlias = Callable[..., subprocess.Popen[bytes]]

PAGE_COUNT = 300
FACT = "Keeper Maud Ellery wrote that the heron had returned to the north pool."
FACT_PAGE = 273
QUESTION = "Who wrote that the heron had returned to the north pool?"
KILLS = 10
FULL_AT_BYTES = 300_000


@pytest.fixture(scope="module")
def long_pdf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a document that takes a second to read, and more to store than a full disk has."""
    path = tmp_path_factory.mktemp("long") / "log.pdf"
    canvas = Canvas(str(path))
    for page in range(1, PAGE_COUNT + 1):
        for line in range(30):
            canvas.drawString(50, 800 - 25 * line, f"Page {page}, line {line}: nothing to report.")
        if page == FACT_PAGE:
            canvas.drawString(50, 30, FACT)
        canvas.showPage()
    canvas.save()
    return path


@pytest.fixture
def store_file(own_home: Path) -> Path:
    return own_home / "lcagent.db"


def test_a_killed_command_leaves_a_sound_store_and_no_process(
    long_pdf: Path, store_file: Path, start: Start, run: "RunCommand"
) -> None:
    began = time.monotonic()
    run("ask", long_pdf, QUESTION).assert_done()
    duration_s = time.monotonic() - began
    _forget_documents(store_file)
    children: set[int] = set()
    for kill in range(KILLS):
        process = start("ask", long_pdf, QUESTION)
        for _ in range(10):  # it may start its child at any moment
            time.sleep(duration_s * (kill + 1) / KILLS / 10)
            children |= _children(process.pid)
        process.kill()
        process.communicate()
        assert _forget_documents(store_file) in ([], [PAGE_COUNT])
    assert children, "no kill met a reading process"
    _wait_for_the_end_of(children)
    finished = run("ask", long_pdf, QUESTION)
    finished.assert_done()
    assert "Maud Ellery" in finished.out
    assert "sound" in run("doctor").out


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_reading_process_ends_with_the_command(
    number: signal.Signals, long_pdf: Path, start: Start
) -> None:
    process = start("ask", long_pdf, QUESTION)
    children = _wait_for_children(process)
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    _wait_for_the_end_of(children)
    assert out == b""
    if number == signal.SIGINT:
        assert process.returncode == 130
        assert err == b"Error: interrupted; what was stored is kept\n"


def test_two_commands_at_once_store_a_document_once(
    long_pdf: Path, store_file: Path, start: Start
) -> None:
    processes = [start("ask", long_pdf, QUESTION) for _ in range(2)]
    for process in processes:
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        assert b"Maud Ellery" in out
    assert _forget_documents(store_file) == [PAGE_COUNT]


def test_a_full_disk_is_said_in_one_line_and_leaves_the_store_sound(
    long_pdf: Path, run: "RunCommand"
) -> None:
    """A limit on the size of files stands for the disk; it needs no rights."""
    finished = run("ask", long_pdf, QUESTION, preexec_fn=_limit_files)
    finished.assert_refused(1, "disk full", "what was stored before is kept")
    assert "0 documents, sound" in run("doctor").out
    run("ask", long_pdf, QUESTION).assert_done()


def test_a_home_that_cannot_be_made_is_a_clear_error(
    long_pdf: Path, tmp_path: Path, run: "RunCommand"
) -> None:
    (tmp_path / "file").touch()
    finished = run("ask", long_pdf, QUESTION, env={"LCAGENT_HOME": str(tmp_path / "file" / "home")})
    finished.assert_refused(1, "cannot write the store", "LCAGENT_HOME")


def test_a_store_that_is_garbage_is_named_and_left_alone(
    long_pdf: Path, store_file: Path, run: "RunCommand"
) -> None:
    store_file.parent.mkdir()
    store_file.write_bytes(b"garbage " * 1000)
    run("ask", long_pdf, QUESTION).assert_refused(1, str(store_file), "move the file away")
    assert store_file.read_bytes() == b"garbage " * 1000
    doctor = run("doctor")
    assert doctor.status == 1
    assert "FAIL  store" in doctor.out


def test_a_store_that_is_damaged_inside_is_found(
    long_pdf: Path, store_file: Path, run: "RunCommand"
) -> None:
    run("ask", long_pdf, QUESTION).assert_done()
    with store_file.open("rb+") as file:
        file.seek(8192)
        file.write(os.urandom(store_file.stat().st_size // 2))
    run("ask", long_pdf, QUESTION).assert_refused(1, "malformed", "move the file away")
    assert run("doctor").status == 1


@pytest.mark.parametrize(
    "url",
    ["garbage", "sqlite://", "mysql://me:hush@host/x", "postgresql://me:hush@host:port/x"],
)
def test_a_url_that_names_no_store_is_refused_without_its_password(
    url: str, long_pdf: Path, run: "RunCommand"
) -> None:
    finished = run("ask", long_pdf, QUESTION, env={"LCAGENT_DATABASE_URL": url})
    finished.assert_refused(2)
    assert "hush" not in finished.err


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"home = [", "config.toml cannot be read"),
        (b"\xff\xfe\x00", "config.toml cannot be read"),
        (b"colour = 1", "setting 'colour'"),
        (b'concurrency = "many"', "setting 'concurrency'"),
    ],
)
def test_a_bad_settings_file_is_named(
    content: bytes, says: str, long_pdf: Path, own_home: Path, run: "RunCommand"
) -> None:
    own_home.mkdir()
    (own_home / "config.toml").write_bytes(content)
    run("ask", long_pdf, QUESTION).assert_refused(2, says)


def test_json_stands_alone_on_standard_output(long_pdf: Path, run: "RunCommand") -> None:
    finished = run("ask", long_pdf, QUESTION, "--json")
    assert json.loads(finished.out)["schema"] == "lcagent.answer/2"
    finished.assert_done()
    assert "note: " in finished.err


@pytest.mark.parametrize("arguments", [["--help"], ["doctor"], ["search", "heron"]])
def test_a_reader_that_has_left_is_no_error(
    arguments: list[str], long_pdf: Path, start: Start
) -> None:
    """As in `lcagent ... | head -1`; here the reader leaves before the first line."""
    process = start(*arguments[:1], *([long_pdf, *arguments[1:]] if arguments[1:] else []))
    assert process.stdout is not None
    process.stdout.close()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert all(line.startswith((b"note: ", b"reading ")) for line in err.splitlines())


def test_output_that_cannot_be_written_is_an_error(long_pdf: Path, run: "RunCommand") -> None:
    with Path("/dev/full").open("wb") as full:
        finished = run("docs", "add", long_pdf, stdout=full)
    finished.assert_refused(1, "No space left on device")


@pytest.mark.parametrize("closed", [1, 2])
def test_a_closed_stream_is_no_error(closed: int, long_pdf: Path, run: "RunCommand") -> None:
    finished = run("ask", long_pdf, QUESTION, preexec_fn=lambda: os.close(closed))
    assert finished.status == 0
    assert ("Maud Ellery" in finished.out) == (closed == 2)


def test_a_terminal_without_unicode_gets_question_marks(
    tmp_path: Path, long_pdf: Path, run: "RunCommand"
) -> None:
    given = tmp_path / "été.pdf"
    given.write_bytes(long_pdf.read_bytes())
    env = {"PYTHONIOENCODING": "ascii", "LANG": "C", "LC_ALL": "C"}
    finished = run("ask", given, "Où est le héron? Is the heron in the north pool?", env=env)
    finished.assert_done()
    assert "?t?.pdf, p. 273" in finished.out
    assert "h?ron" in run("runs", "ls", env=env).out
    as_json = run("ask", given, QUESTION, "--json", env=env)
    assert json.loads(as_json.out)["citations"][0]["document"] == "été.pdf"


def _forget_documents(store_file: Path) -> list[int]:
    """Check the store, remove its documents, and return how many pages each had."""
    if not store_file.exists():
        return []
    database = open_database(f"sqlite:///{store_file}")
    store = DocumentStore(database)
    assert database.faults() == []
    with closing(sqlite3.connect(store_file)) as connection:
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    documents = [store.load(listed.id) for listed in store.listed()]
    for document in filter(None, documents):
        store.remove(document.id)
    database.close()
    return [len(document.pages) for document in filter(None, documents)]


def _children(pid: int) -> set[int]:
    """Return the processes that a process has started and that have not ended."""
    found = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, check=False
    )
    return {int(line) for line in found.stdout.split()}


def _wait_for_children(process: subprocess.Popen[bytes]) -> set[int]:
    for _ in range(2_000):
        if children := _children(process.pid):
            return children
        assert process.poll() is None, "it ended without starting a process"
    raise AssertionError("it started no process")


def _wait_for_the_end_of(pids: set[int]) -> None:
    deadline = time.monotonic() + 5
    while left := [pid for pid in pids if _is_running(pid)]:
        assert time.monotonic() < deadline, f"still running: {left}"
        time.sleep(0.05)


def _is_running(pid: int) -> bool:
    """Say whether a process lives; one that nobody waited for is dead, too."""
    found = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, check=False)
    return bool(found.stdout.strip()) and not found.stdout.startswith(b"Z")


def _limit_files() -> None:
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (FULL_AT_BYTES, hard))
