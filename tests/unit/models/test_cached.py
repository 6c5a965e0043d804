"""Replies that were paid for once."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text as sql

from lcagent.errors import ModelUnavailable
from lcagent.models.cached import Cached
from lcagent.models.chat_model import Message, OnText, Reply, Request, TokenLogprob
from lcagent.storage.database import Database, open_database
from lcagent.storage.reply_store import ReplyStore
from lcagent.testing import ScriptedModel

pytestmark = pytest.mark.anyio

ASK = Request((Message("user", "Hi"),))
PAID = Reply(
    "Yes, so it is.",
    prompt_tokens=5,
    completion_tokens=4,
    is_estimate=True,
    usd=0.25,
    logprobs=(TokenLogprob("\ufffd", -0.5, b"\xff"),),
    latency_s=1.5,
)


class Memory:
    """A store that is not a database."""

    def __init__(self) -> None:
        self.rows: dict[str, Any] = {}

    def load(self, key: str) -> dict[str, Any] | None:
        return self.rows.get(key)

    def save(self, key: str, model: str, reply: Any) -> None:
        assert model == "scripted"
        self.rows[key] = reply

    def discard(self, *keys: str) -> None:
        for key in keys:
            del self.rows[key]


class Waiting(ScriptedModel):
    """A model whose replies wait until they are let go."""

    def __init__(self) -> None:
        super().__init__(lambda _: "Yes.")
        self.gate = asyncio.Event()
        self.cancelled = 0

    async def complete(self, request: Request, on_text: OnText | None = None) -> Reply:
        self.requests.append(request)
        if on_text is not None:
            on_text("Y")
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if on_text is not None:
            on_text("es.")
        return Reply("Yes.", usd=0.5)


@pytest.fixture
def database(tmp_path: Path) -> Any:
    opened = open_database(f"sqlite:///{tmp_path / 'x.db'}")
    yield opened
    opened.close()


async def test_the_second_call_is_not_made(database: Database) -> None:
    model = ScriptedModel(lambda _: PAID)
    first = await Cached(model, ReplyStore(database)).complete(ASK)
    shown: list[str] = []
    second = await Cached(model, ReplyStore(database)).complete(ASK, shown.append)
    assert len(model.requests) == 1
    assert (first.is_cached, second.is_cached) == (False, True)
    assert first == replace(PAID, key=first.key)
    assert second == replace(first, is_cached=True, usd=0.0, latency_s=0.0)
    assert shown == [PAID.text]


@pytest.mark.parametrize(
    "changed",
    [
        replace(ASK, messages=(Message("system", "Hi"),)),
        replace(ASK, messages=(Message("user", "Hi"), Message("user", "Hi"))),
        replace(ASK, max_tokens=5),
        replace(ASK, temperature=0.5),
        replace(ASK, stop=("x",)),
        replace(ASK, wants_logprobs=True),
        replace(ASK, schema={"type": "object"}),
        replace(ASK, sample=1),
    ],
)
async def test_another_call_is_another_key(changed: Request) -> None:
    cached = Cached(ScriptedModel(lambda _: "x"), Memory())
    assert cached.key(changed) != cached.key(ASK)


async def test_the_same_call_is_the_same_key_whatever_it_is_for() -> None:
    cached = Cached(ScriptedModel(lambda _: "x"), Memory())
    ordered = replace(ASK, schema={"a": 1, "b": 2}, purpose="worker 1")
    other = replace(ASK, schema={"b": 2, "a": 1}, purpose="worker 2")
    assert cached.key(ordered) == cached.key(other)
    assert len(cached.key(ASK)) == 64


async def test_keys_are_those_of_earlier_versions() -> None:
    cached = Cached(ScriptedModel(lambda _: "x"), Memory(), server="http://h/v1")
    assert cached.key(ASK).startswith("eeb4e5dc2140e1e1")


async def test_other_models_servers_and_namespaces_have_other_keys() -> None:
    model = ScriptedModel(lambda _: "x")
    renamed = ScriptedModel(lambda _: "x", card=replace(model.card, name="other"))
    keys = {
        Cached(model, Memory()).key(ASK),
        Cached(renamed, Memory()).key(ASK),
        Cached(model, Memory(), server="http://a/v1").key(ASK),
        Cached(model, Memory(), namespace="run 1").key(ASK),
    }
    assert len(keys) == 4


@pytest.mark.parametrize(
    "reply",
    [
        Reply(""),
        Reply(" \n"),
        Reply("I cannot.", finish="filtered"),
        Reply("Half a", finish="length"),
        Reply("So. So. So.", finish="loop"),
        Reply("Half a", finish="unknown"),
    ],
    ids=repr,
)
async def test_what_is_no_success_is_asked_for_again(reply: Reply) -> None:
    model, store = ScriptedModel(lambda _: reply), Memory()
    for _ in range(2):
        assert (await Cached(model, store).complete(ASK)).text == reply.text
    assert (len(model.requests), store.rows) == (2, {})


async def test_a_cut_reply_that_an_earlier_version_kept_is_asked_for_again() -> None:
    model, store = ScriptedModel(lambda _: "Whole."), Memory()
    cached = Cached(model, store)
    await cached.complete(ASK)
    (row,) = store.rows.values()
    row["finish"] = "length"
    assert not (await cached.complete(ASK)).is_cached
    assert (await cached.complete(ASK)).is_cached


async def test_an_error_is_not_kept() -> None:
    outcomes = iter([ModelUnavailable("down"), "Yes."])

    def script(_: Request) -> str:
        outcome = next(outcomes)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    cached = Cached(ScriptedModel(script), Memory())
    with pytest.raises(ModelUnavailable):
        await cached.complete(ASK)
    assert (await cached.complete(ASK)).text == "Yes."


@pytest.mark.parametrize(
    "row",
    [
        {},
        [],
        "x",
        {"text": 7},
        {"text": "x", "finish": "filtered"},
        {
            "text": "x",
            "finish": "stop",
            "prompt_tokens": 1,
            "completion_tokens": 1,
            "is_estimate": False,
            "usd": None,
            "latency_s": 0,
            "logprobs": [["a", -1, "zz"]],
        },
    ],
)
async def test_a_damaged_row_is_asked_for_again(row: Any) -> None:
    model, store = ScriptedModel(lambda _: "Yes."), Memory()
    cached = Cached(model, store)
    store.rows[cached.key(ASK)] = row
    reply = await cached.complete(ASK)
    assert (reply.text, reply.is_cached, len(model.requests)) == ("Yes.", False, 1)


async def test_a_row_that_is_no_json_is_asked_for_again_once(database: Database) -> None:
    model = ScriptedModel(lambda _: "Yes.")
    await Cached(model, ReplyStore(database)).complete(ASK)
    with database.write() as connection:
        connection.execute(sql("update replies set reply = '{broken'"))
    for _ in range(2):
        assert (await Cached(model, ReplyStore(database)).complete(ASK)).text == "Yes."
    assert len(model.requests) == 2


async def test_identical_calls_at_the_same_time_are_one() -> None:
    model = Waiting()
    cached = Cached(model, Memory())
    shown: list[list[str]] = [[], [], []]
    tasks = [asyncio.create_task(cached.complete(ASK, each.append)) for each in shown]
    await _until(lambda: bool(model.requests))
    model.gate.set()
    replies = await asyncio.gather(*tasks)
    assert len(model.requests) == 1
    assert [reply.is_cached for reply in replies] == [False, True, True]
    assert [reply.usd for reply in replies] == [0.5, 0.0, 0.0]
    assert ["".join(pieces) for pieces in shown] == ["Yes."] * 3


async def test_an_error_reaches_all_who_wait_for_it() -> None:
    def fail(_: Request) -> str:
        raise ModelUnavailable("down")

    cached = Cached(ScriptedModel(fail), Memory())
    calls = (cached.complete(ASK) for _ in range(2))
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert all(isinstance(result, ModelUnavailable) for result in results)


@pytest.mark.parametrize("leaving", [0, 1])
async def test_who_leaves_does_not_stop_the_call_of_others(leaving: int) -> None:
    model = Waiting()
    cached = Cached(model, Memory())
    shown: list[list[str]] = [[], []]
    tasks = [asyncio.create_task(cached.complete(ASK, each.append)) for each in shown]
    await _until(lambda: bool(model.requests))
    tasks[leaving].cancel()
    await asyncio.wait([tasks[leaving]])
    before = list(shown[leaving])
    model.gate.set()
    assert (await tasks[1 - leaving]).text == "Yes."
    assert (len(model.requests), model.cancelled) == (1, 0)
    assert "".join(shown[1 - leaving]) == "Yes."
    assert shown[leaving] == before


async def test_a_call_that_all_have_left_is_broken_off_and_can_be_made_anew() -> None:
    model = Waiting()
    cached = Cached(model, Memory())
    tasks = [asyncio.create_task(cached.complete(ASK)) for _ in range(2)]
    await _until(lambda: bool(model.requests))
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    assert model.cancelled == 1
    model.gate.set()
    assert (await cached.complete(ASK)).text == "Yes."


async def test_a_new_beginning_is_passed_on_to_whoever_can_take_it() -> None:
    events: list[str] = []

    class Screen:
        def __call__(self, piece: str) -> None:
            events.append(piece)

        def restart(self) -> None:
            events.append("(again)")

    class Restarting(ScriptedModel):
        async def complete(self, request: Request, on_text: OnText | None = None) -> Reply:
            assert hasattr(on_text, "restart") == (request.sample == 0)
            if on_text is not None and request.sample == 0:
                on_text("N")
                on_text.restart()  # type: ignore[attr-defined]
            return await super().complete(request, on_text)

    cached = Cached(Restarting(lambda _: "Yes."), Memory())
    await cached.complete(ASK, Screen())
    assert events == ["N", "(again)", "Yes."]
    await cached.complete(replace(ASK, sample=1), events.append)
    assert events[3:] == ["Yes."]


async def _until(condition: Any) -> None:
    for _ in range(1_000):
        if condition():
            return
        await asyncio.sleep(0.001)
    raise AssertionError
