"""The file of results: a projection of the database, written by one process at a time.

Each line is what `--json` of the verb prints, behind `item`, which says of what. The file can be
rebuilt at any time: at the start it is cut behind its last whole line, the positions in it are
read, and what is missing is appended. So a kill at any moment tears no line and doubles none.
"""

import fcntl
import json
import os
import re
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from lcagent.errors import StorageError, UsageError
from lcagent.storage.job_store import JobStore, StoredItem, StoredJob
from lcagent.visible_text import printable_json

FAILURE = "lcagent.failure/1"
SYNC_EVERY_S = 1.0
_SLACK_S = 10.0
"""Who commits later than another may carry an earlier time; so much is looked at again."""
_HEAD = re.compile(rb'\{"item": \{"job": "([0-9a-f]{32})", "position": (\d+)')
_HEAD_BYTES = 100
_CHUNK = 1 << 20


class ResultsFile:
    """The results of a job in a file, one JSON object a line."""

    def __init__(self, path: Path, job: StoredJob, store: JobStore) -> None:
        self._path = path
        self._job = job
        self._store = store
        self._file: BinaryIO | None = None
        self._written: set[int] = set()
        self._since = 0.0
        self._synced_at = 0.0

    @property
    def is_open(self) -> bool:
        """Whether this process is the one that writes."""
        return self._file is not None

    def open(self) -> bool:
        """Become the one that writes; False where another process is.

        Raises:
            UsageError: The file holds something else than results of this job.
            StorageError: It cannot be written.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            opened = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise StorageError(f"cannot write {self._path}: {error.strerror}") from error
        if not stat.S_ISREG(os.fstat(opened).st_mode):
            os.close(opened)
            raise UsageError(f"{self._path} is no file that results can be appended to")
        file = os.fdopen(opened, "r+b")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            return False
        try:
            self._take_in(file)
        except OSError as error:
            file.close()
            raise StorageError(f"cannot read {self._path}: {error.strerror}") from error
        except BaseException:
            file.close()
            raise
        self._file = file
        return True

    def append_new(self, *, is_last: bool = False) -> int:
        """Append the results that are not in the file yet; return their number.

        Args:
            is_last: Look at all of the job, and let them reach the disk.

        Raises:
            StorageError: The file cannot be written; what is stored is kept.
        """
        since = 0.0 if is_last else self._since
        ended, now = self._store.ended_since(self._job.id, since)
        new = [position for position in ended if position not in self._written]
        if self._file is None:
            return 0
        try:
            for item in self._store.results(self._job.id, new):
                self._file.write(line_of(self._job.id, item))
                self._written.add(item.position)
            self._sync(is_due=is_last)
        except OSError as error:
            raise StorageError(
                f"cannot write {self._path}: {error.strerror}; what was done is stored"
            ) from error
        self._since = max(0.0, now - _SLACK_S)
        return len(new)

    def close(self) -> None:
        """Let another process write."""
        if self._file is not None:
            with suppress(OSError):  # it flushes what a full disk has refused already
                self._file.close()
            self._file = None

    def _sync(self, *, is_due: bool) -> None:
        assert self._file is not None
        self._file.flush()
        if is_due or time.monotonic() - self._synced_at >= SYNC_EVERY_S:
            os.fsync(self._file.fileno())
            self._synced_at = time.monotonic()

    def _take_in(self, file: BinaryIO) -> None:
        """Read the positions that are there, and cut off a line that is torn."""
        end = 0
        for number, line in enumerate(file, start=1):
            if not line.endswith(b"\n"):
                self._check_torn(line, number)
                break
            end += len(line)
            if line.strip():
                self._written.add(self._position(line, number))
        file.seek(end)
        file.truncate()

    def _position(self, line: bytes, number: int) -> int:
        job_id, position = _read_head(line)
        if job_id != self._job.id:
            raise self._foreign(number)
        return position

    def _check_torn(self, line: bytes, number: int) -> None:
        """Refuse a last line that is no beginning of one of this job's."""
        head = _head_of(self._job.id)
        if line[: len(head)] != head[: len(line)]:
            raise self._foreign(number)

    def _foreign(self, number: int) -> UsageError:
        return UsageError(
            f"{self._path} holds something else than this job's results (line {number}): "
            "choose another file with -o, or move this one away"
        )


def _about(job_id: str, item: StoredItem) -> dict[str, Any]:
    return {
        "job": job_id,
        "position": item.position,
        "key": item.key,
        "input": item.input,
        "attempts": item.attempts,
        "seconds": round(item.seconds, 3),
    }


def line_of(job_id: str, item: StoredItem) -> bytes:
    """Return the line of an item that is done."""
    return _encoded({"item": _about(job_id, item), **(item.result or {})})


def failure_of(job_id: str, item: StoredItem) -> dict[str, Any]:
    """Return what there is to say of an item that did not end well."""
    return {
        "item": _about(job_id, item),
        "schema": FAILURE,
        "status": item.status,
        "error": item.error,
        "kind": item.error_kind,
        "step": item.error_step,
        "run_id": item.run_id,
    }


def failures_path(output: Path) -> Path:
    """Return where the failures of a job are, whose results are in `output`."""
    return output.with_name(f"{output.stem}.failed.jsonl")


def write_failures(output: Path, job: StoredJob, store: JobStore) -> Path | None:
    """Replace the file of failures; without any there is none.

    Raises:
        StorageError: It cannot be written.
        UsageError: There is a file of this name that no job wrote.
    """
    path = failures_path(output)
    _check_ours(path)
    failed = store.with_status(job.id, "failed", "quarantined")
    try:
        if not failed:
            path.unlink(missing_ok=True)
            return None
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        beside.write_bytes(b"".join(_encoded(failure_of(job.id, item)) for item in failed))
        beside.replace(path)
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error.strerror}") from error
    return path


def _check_ours(path: Path) -> None:
    try:
        with path.open("rb") as file:
            line = file.readline(_CHUNK)
    except FileNotFoundError:
        return
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror}") from error
    if line.strip() and FAILURE.encode() not in line:
        raise UsageError(
            f"{path} is no list of failures: move it away, they are to be written there"
        )


def exported(job: StoredJob, store: JobStore) -> Iterator[bytes]:
    """Yield the lines of all items that are done, in the order of the items."""
    done = [item.position for item in store.with_status(job.id, "done")]
    for item in store.results(job.id, done):
        yield line_of(job.id, item)


def _head_of(job_id: str) -> bytes:
    return f'{{"item": {{"job": "{job_id}", "position": '.encode()


def _read_head(line: bytes) -> tuple[str, int]:
    """Return the job and the position of a line, also of one that was edited by hand."""
    found = _HEAD.match(line[:_HEAD_BYTES])
    if found is not None:
        return found[1].decode(), int(found[2])
    try:
        about = json.loads(line)["item"]
        return str(about["job"]), int(about["position"])
    except (ValueError, KeyError, TypeError):
        return "", 0


def _encoded(fields: Mapping[str, Any]) -> bytes:
    text = json.dumps(fields, ensure_ascii=False, default=str)
    return f"{printable_json(text)}\n".encode("utf-8", "replace")
