"""RateLimiter: never too many at once, none lost."""

import asyncio

import pytest

from lcagent.models.chat_model import Message, OnText, Reply, Request
from lcagent.models.limits import RateLimited, RateLimiter
from lcagent.testing import ScriptedModel

pytestmark = pytest.mark.anyio


class Slow(ScriptedModel):
    """A model whose replies wait until they are let go."""

    def __init__(self) -> None:
        super().__init__(lambda request: request.messages[0].text)
        self.now = self.most = 0
        self.order: list[str] = []
        self.gate = asyncio.Event()

    async def complete(self, request: Request, on_text: OnText | None = None) -> Reply:
        self.now += 1
        self.most = max(self.most, self.now)
        self.order.append(request.messages[0].text)
        try:
            await self.gate.wait()
            return await super().complete(request, on_text)
        finally:
            self.now -= 1


def _ask(text: str, max_tokens: int = 10) -> Request:
    return Request((Message("user", text),), max_tokens=max_tokens)


async def _settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_no_more_calls_run_at_once_than_allowed_and_in_order() -> None:
    model = Slow()
    limited = RateLimited(model, RateLimiter(3))
    tasks = [asyncio.create_task(limited.complete(_ask(str(number)))) for number in range(20)]
    await _settled()
    assert model.now == 3
    model.gate.set()
    replies = [(await task).text for task in tasks]
    assert model.most == 3
    assert replies == model.order == [str(number) for number in range(20)]


async def test_models_that_share_turns_share_the_limit() -> None:
    model, turns = Slow(), RateLimiter(2)
    both = [RateLimited(model, turns), RateLimited(model, turns)]
    tasks = [asyncio.create_task(each.complete(_ask("x"))) for each in both * 4]
    await _settled()
    model.gate.set()
    await asyncio.gather(*tasks)
    assert model.most == 2


async def test_who_is_cancelled_gives_the_turn_back() -> None:
    model = Slow()
    limited = RateLimited(model, RateLimiter(1))
    running, waiting, last = (asyncio.create_task(limited.complete(_ask(t))) for t in "abc")
    await _settled()
    waiting.cancel()
    running.cancel()
    model.gate.set()
    assert (await last).text == "c"
    assert model.order == ["a", "c"]
    assert [task.cancelled() for task in (running, waiting)] == [True, True]


async def test_a_failed_call_gives_the_turn_back() -> None:
    def fail(_: Request) -> str:
        raise ValueError

    limited = RateLimited(ScriptedModel(fail), RateLimiter(1))
    for _ in range(3):
        with pytest.raises(ValueError, match=r"^$"):
            await limited.complete(_ask("x"))


async def test_requests_are_spread_over_the_minute() -> None:
    limited = RateLimited(ScriptedModel(lambda _: "x"), RateLimiter(8, requests_per_minute=6_000))
    loop = asyncio.get_running_loop()
    started = loop.time()
    await asyncio.gather(*(limited.complete(_ask("x")) for _ in range(6)))
    assert loop.time() - started >= 0.045


async def test_tokens_of_prompt_and_reply_are_limited() -> None:
    limited = RateLimited(ScriptedModel(lambda _: "x"), RateLimiter(8, tokens_per_minute=60_000))
    loop = asyncio.get_running_loop()
    started = loop.time()
    await asyncio.gather(*(limited.complete(_ask("x", 20_000)) for _ in range(3)))
    assert loop.time() - started >= 0.001


async def test_a_call_of_more_tokens_than_a_minute_has_is_made_all_the_same() -> None:
    limited = RateLimited(ScriptedModel(lambda _: "x"), RateLimiter(8, tokens_per_minute=100))
    assert (await limited.complete(_ask("x", 20_000))).text == "x"


def test_turns_work_in_one_loop_after_another() -> None:
    limited = RateLimited(ScriptedModel(lambda _: "x"), RateLimiter(1, 600_000, 1_000_000))

    async def ask() -> list[Reply]:
        return await asyncio.gather(*(limited.complete(_ask("x")) for _ in range(3)))

    assert len(asyncio.run(ask())) == len(asyncio.run(ask())) == 3
