"""The reading process as seen from outside: started, listened to, and ended when it stalls."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict
from typing import Any

from lcagent.retrieval.reading.worker import Request

_LONGEST_LINE = 1 << 28


class ReaderDied(Exception):
    """The reading process ended, or was ended, before it had read everything."""


async def read_events(
    request: Request, open_s: float, page_s: float
) -> AsyncGenerator[dict[str, Any], None]:
    """Yield what a new reading process writes, until its end mark.

    Raises:
        ReaderDied: It was silent for `open_s` before the first page, or `page_s` after it, or
            it ended without the mark.
    """
    patience_s = open_s
    async with _started(request) as stdout:
        while True:
            line = await _line(stdout, patience_s)
            event = _event(line)
            if "end" in event:
                return
            yield event
            if "page" in event:
                patience_s = page_s


async def _line(stdout: asyncio.StreamReader, patience_s: float) -> bytes:
    try:
        line = await asyncio.wait_for(stdout.readline(), patience_s)
    except TimeoutError:
        raise ReaderDied(f"its reader made no progress for {patience_s:.0f} s") from None
    except ValueError:
        raise ReaderDied("one of its pages is too large") from None
    if not line.endswith(b"\n"):
        raise ReaderDied("its reader crashed or ran out of memory")
    return line


def _event(line: bytes) -> dict[str, Any]:
    try:
        event: dict[str, Any] = json.loads(line)
    except ValueError:  # a library that its reader uses printed something
        raise ReaderDied("its reader wrote what cannot be understood") from None
    return event


@asynccontextmanager
async def _started(request: Request) -> AsyncIterator[asyncio.StreamReader]:
    """Start a process that has got its request, and end it on the way out, however that is."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "lcagent.retrieval.reading.worker",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        limit=_LONGEST_LINE,
        env={**os.environ, "PYTHONSAFEPATH": "1"},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        # The password goes through the pipe: arguments are visible to other users.
        process.stdin.write(json.dumps(asdict(request)).encode() + b"\n")
        yield process.stdout
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
