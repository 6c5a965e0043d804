"""The reading process, talked to as `process.py` does."""

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from lcagent.retrieval.reading.worker import ReadingRequest

COMMAND = (sys.executable, "-m", "lcagent.retrieval.reading.worker")


def _request(path: Path) -> bytes:
    request = ReadingRequest(
        path=str(path),
        media_type="text/plain",
        password=None,
        first_page=0,
        ocr_pages=(),
        memory_bytes=1_000_000_000,
        cpu_s=60,
    )
    return json.dumps(asdict(request)).encode() + b"\n"


def test_it_ends_when_nobody_listens(tmp_path: Path) -> None:
    """Its file is a pipe that nobody writes to, so that its reader hangs as it opens it."""
    os.mkfifo(tmp_path / "pipe")
    with subprocess.Popen(COMMAND, stdin=subprocess.PIPE) as worker:
        assert worker.stdin is not None
        worker.stdin.write(_request(tmp_path / "pipe"))
        worker.stdin.flush()
        with pytest.raises(subprocess.TimeoutExpired):
            worker.wait(1)
        worker.stdin.close()
        try:
            assert worker.wait(5) != 0
        finally:
            worker.kill()
