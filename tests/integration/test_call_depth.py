"""How deep a call is: the frames of ours from the command to the request that leaves."""

import asyncio
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import openai
import pytest

from lcagent.cli import app
from lcagent.testing import ScriptedServer

MOST_FRAMES, MOST_MODULES = 18, 11
"""One of the modules is there so that no text of a document is a control token to a server."""


def _ours(frame: FrameType) -> str | None:
    name = str(frame.f_globals.get("__name__", ""))
    return f"{name}:{frame.f_code.co_qualname}" if name.startswith("lcagent.") else None


def _frames_of(task: "asyncio.Task[Any]") -> list[str]:
    """Return our frames of a task, from its coroutine down to where it waits."""
    found: list[str] = []
    waiting: Any = task.get_coro()
    while waiting is not None:
        frame = getattr(waiting, "cr_frame", None) or getattr(waiting, "ag_frame", None)
        if frame is not None and (name := _ours(frame)) is not None:
            found.append(name)
        waiting = getattr(waiting, "cr_await", None) or getattr(waiting, "ag_await", None)
    return found


def _is_heartbeat(task: "asyncio.Task[Any]") -> bool:
    """Say whether a task renews the claim on the run, which is beside the way of a call."""
    return "claimed" in getattr(task.get_coro(), "__qualname__", "")


def _stack() -> list[str]:
    """Return our frames of this thread, from the command down."""
    found: list[str] = []
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if (name := _ours(frame)) is not None and "testing" not in name:
            found.append(name)
        frame = frame.f_back
    return found[::-1]


def test_a_worker_is_few_frames_from_its_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    book = tmp_path / "book.txt"
    book.write_text("The old ferry went slowly over a grey sea. " * 200, encoding="utf-8")
    seen: list[list[str]] = []

    sent = openai.AsyncOpenAI.post

    async def post(self: openai.AsyncOpenAI, *args: Any, **kwargs: Any) -> Any:
        if not seen:
            tasks = [_frames_of(task) for task in asyncio.all_tasks() if not _is_heartbeat(task)]
            joined = [name for frames in (*tasks, _stack()) for name in frames]
            seen.append(list(dict.fromkeys(joined)))
        return await sent(self, *args, **kwargs)

    monkeypatch.setattr(openai.AsyncOpenAI, "post", post)

    async def serve() -> None:
        async with ScriptedServer(lambda _: "It went slowly.") as server:
            arguments = [
                "ask", str(book), "How?", "-s", "chain", "-m", "openai:scripted", "--base-url",
                server.base_url, "--window", "1000", "--preset", "faithful",
            ]  # fmt: skip
            assert await asyncio.to_thread(app.run, arguments) == 0

    asyncio.run(serve())
    capsys.readouterr()
    (frames,) = seen
    modules = {name.partition(":")[0] for name in frames}
    assert len(frames) <= MOST_FRAMES, frames
    assert len(modules) <= MOST_MODULES, sorted(modules)
