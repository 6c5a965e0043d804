"""The file of results is what the database says, whatever was done to it."""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lcagent.errors import StorageError, UsageError
from lcagent.pipelines import Session
from lcagent.pipelines.batch.output import ResultsFile, failures_path, line_of, write_failures
from lcagent.results import Usage
from lcagent.storage.item_queue import Failure, ItemQueue
from lcagent.storage.job_store import JobStore, NewItem, StoredJob
from lcagent.storage.leases import Owner

RESULT = {"schema": "lcagent.indexed/1", "text": "a line\u2028break, ünïcode\nand \x1b[1m"}


@pytest.fixture
def store(session: Session) -> JobStore:
    return JobStore(session.services.database)


@pytest.fixture
def job(store: JobStore, out: Path) -> StoredJob:
    """Return a job of four items that was begun."""
    made, _ = store.create("i" * 64, verb="ask", title="Who?", output=str(out))
    store.add_items(made.id, [NewItem(f"{n:064x}", f"{n}.txt", {}) for n in range(4)])
    store.begin(made.id, {})
    return made


@pytest.fixture
def finish(session: Session, job: StoredJob) -> Callable[[int], None]:
    """Return what ends so many items well."""

    def finish(count: int) -> None:
        queue = ItemQueue(session.services.database, job.id, Owner.of_this_process())
        for item in queue.claim(count, is_idle=True):
            queue.finish(item, Usage(), 1.0, RESULT)

    return finish


def _append(out: Path, job: StoredJob, store: JobStore, **how: Any) -> int:
    file = ResultsFile(out, job, store)
    assert file.open()
    appended = file.append_new(**how)
    file.close()
    return appended


def test_what_ended_is_appended_once(
    out: Path, job: StoredJob, store: JobStore, finish: Callable[[int], None], lines: Any
) -> None:
    file = ResultsFile(out, job, store)
    assert file.open()
    assert file.append_new() == 0
    finish(2)
    assert file.append_new() == 2
    assert file.append_new() == 0
    finish(1)
    assert file.append_new(is_last=True) == 1
    file.close()
    assert [line["item"]["position"] for line in lines()] == [1, 2, 3]
    assert lines()[0]["text"] == RESULT["text"]


@pytest.mark.parametrize("cut", [1, 50, 200])
def test_a_torn_last_line_is_cut_off_and_written_again(
    cut: int, out: Path, job: StoredJob, store: JobStore, finish: Callable[[int], None]
) -> None:
    finish(3)
    _append(out, job, store)
    whole = out.read_bytes()
    out.write_bytes(whole[:-cut])
    assert _append(out, job, store) == 1
    assert out.read_bytes() == whole


def test_lines_that_were_taken_out_or_written_anew_by_hand_are_put_right(
    out: Path, job: StoredJob, store: JobStore, finish: Callable[[int], None], lines: Any
) -> None:
    finish(3)
    _append(out, job, store)
    first, _, third = out.read_text(encoding="utf-8").splitlines(keepends=True)
    out.write_text(third + "\n" + first.replace('{"item": {', '{ "item" : { '), encoding="utf-8")
    with out.open("a", encoding="utf-8") as file:
        file.write("{")
    out.write_text(out.read_text(encoding="utf-8")[:-1], encoding="utf-8")
    blank_free = "".join(
        x for x in out.read_text(encoding="utf-8").splitlines(keepends=True) if x.strip()
    )
    out.write_text(blank_free, encoding="utf-8")
    assert _append(out, job, store) == 1
    assert [line["item"]["position"] for line in lines()] == [1, 2, 3]


def test_a_file_that_is_gone_is_made_again(
    out: Path, job: StoredJob, store: JobStore, finish: Callable[[int], None]
) -> None:
    finish(2)
    assert _append(out, job, store, is_last=True) == 2
    out.unlink()
    assert _append(out, job, store, is_last=True) == 2


@pytest.mark.parametrize(
    "foreign", ["a note\n", '{"question": "Who?"}\n', '{"item": 7}\n', "[]\n", "\ufeff{}\n"]
)
def test_a_file_of_something_else_is_left_as_it_is(
    foreign: str, out: Path, job: StoredJob, store: JobStore
) -> None:
    out.write_text(foreign + "more", encoding="utf-8")
    with pytest.raises(UsageError, match=r"holds something else .* \(line 1\)"):
        ResultsFile(out, job, store).open()
    assert out.read_text(encoding="utf-8") == foreign + "more"


def test_a_file_without_a_line_end_is_not_emptied(
    out: Path, job: StoredJob, store: JobStore
) -> None:
    out.write_text("a shopping list", encoding="utf-8")
    with pytest.raises(UsageError, match="holds something else"):
        ResultsFile(out, job, store).open()
    assert out.read_text(encoding="utf-8") == "a shopping list"


@pytest.mark.parametrize("special", ["/dev/full", "/dev/zero", "pipe"])
def test_what_is_no_file_is_refused_before_it_is_read(
    special: str, tmp_path: Path, job: StoredJob, store: JobStore
) -> None:
    if special == "pipe":
        os.mkfifo(tmp_path / special)
    with pytest.raises(UsageError, match="is no file that results can be appended to"):
        ResultsFile(tmp_path / special, job, store).open()


def test_a_full_disk_is_told_and_the_file_is_put_right_later(
    out: Path,
    job: StoredJob,
    store: JobStore,
    finish: Callable[[int], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    finish(3)

    def is_full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    file = ResultsFile(out, job, store)
    assert file.open()
    with monkeypatch.context() as full:
        full.setattr(os, "fsync", is_full)
        with pytest.raises(StorageError, match=r"No space left.*what was done is stored"):
            file.append_new(is_last=True)
    file.close()
    out.write_bytes(out.read_bytes()[:300])
    _append(out, job, store, is_last=True)
    assert len(out.read_bytes().splitlines()) == 3


def test_one_process_writes_at_a_time(out: Path, job: StoredJob, store: JobStore) -> None:
    first, second = ResultsFile(out, job, store), ResultsFile(out, job, store)
    assert first.open()
    assert not second.open()
    first.close()
    assert second.open()
    second.close()


def test_a_line_begins_with_what_it_is_of(
    job: StoredJob, store: JobStore, finish: Callable[[int], None]
) -> None:
    finish(1)
    (item,) = store.results(job.id, [1])
    line = line_of(job.id, item)
    assert line.startswith(f'{{"item": {{"job": "{job.id}", "position": 1, '.encode())
    assert line.count(b"\n") == 1


def test_failures_are_replaced_whole_and_no_other_file_is(
    out: Path, session: Session, job: StoredJob, store: JobStore
) -> None:
    path = failures_path(out)
    queue = ItemQueue(session.services.database, job.id, Owner.of_this_process())
    (item,) = queue.claim(1, is_idle=True)
    queue.fail(item, Usage(), 1.0, Failure("no such file", "UsageError", "reading", 0))
    path.write_text("my own notes\n")
    with pytest.raises(UsageError, match="is no list of failures"):
        write_failures(out, job, store)
    path.unlink()
    for _ in range(2):
        assert write_failures(out, job, store) == path
        assert path.read_text(encoding="utf-8").count("\n") == 1
    store.retry(job.id)
    assert write_failures(out, job, store) is None
    assert not path.exists()
