"""From a step of a run to the HTTP call it is a short way: few frames, in few modules."""

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from types import CoroutineType, FrameType
from typing import Any

import openai
import pytest

from lcagent.models.cached import Cached
from lcagent.models.chat_model import Request
from lcagent.models.limits import Budget, Budgeted, Metered, RateLimited, RateLimiter
from lcagent.models.retrying import Retrying
from lcagent.storage.database import open_database
from lcagent.storage.reply_store import ReplyStore

from .conftest import Serve

pytestmark = pytest.mark.anyio


def _running() -> Iterator[FrameType]:
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        yield frame
        frame = frame.f_back


def _suspended(task: asyncio.Task[Any]) -> Iterator[FrameType]:
    coroutine = task.get_coro()
    while isinstance(coroutine, CoroutineType):
        frame: FrameType | None = coroutine.cr_frame
        if frame is not None:
            yield frame
        coroutine = coroutine.cr_await


def _is_ours(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__", "")).startswith("lcagent.models")


@pytest.mark.parametrize("is_streamed", [False, True])
async def test_a_call_takes_few_frames_in_four_modules(
    serve: Serve,
    hello: Request,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    is_streamed: bool,
) -> None:
    frames: list[FrameType] = []
    sent = openai.AsyncOpenAI.post

    async def post(self: openai.AsyncOpenAI, *arguments: Any, **options: Any) -> Any:
        frames.extend(frame for frame in _running() if _is_ours(frame))
        frames.extend(frame for frame in _suspended(asking) if _is_ours(frame))
        return await sent(self, *arguments, **options)

    monkeypatch.setattr(openai.AsyncOpenAI, "post", post)
    database = open_database(f"sqlite:///{tmp_path / 'store.db'}")
    async with serve(lambda call: "Hello.") as (remote, _):
        limited = Budgeted(RateLimited(remote, RateLimiter()), Budget())
        model = Metered(Cached(Retrying(limited), ReplyStore(database)))
        asking = asyncio.create_task(model.complete(hello, print if is_streamed else None))
        assert (await asking).text == "Hello."
    database.close()
    modules = {str(frame.f_globals["__name__"]).rpartition(".")[2] for frame in frames}
    assert modules == {"limits", "cached", "retrying", "remote"}
    assert len(frames) <= 9, [frame.f_code.co_qualname for frame in frames]
    assert "Metered.complete" in [frame.f_code.co_qualname for frame in frames]
