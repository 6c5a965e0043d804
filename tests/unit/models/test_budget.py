"""Limits of dollars, calls and time that hold."""

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lcagent.errors import (
    BudgetExceeded,
    ModelNotUsable,
    ModelUnavailable,
    UnusableReply,
)
from lcagent.models.chat_model import Message, ModelCard, OnText, Reply, Request
from lcagent.models.limits import Budget, Budgeted
from lcagent.results import Usage
from lcagent.testing import ScriptedModel

pytestmark = pytest.mark.anyio

CARD = ModelCard(
    "priced", 1_000_000, usd_per_million_prompt=1_000, usd_per_million_completion=10_000
)
ASK = Request((Message("user", "ten words " * 5),), max_tokens=9)
WORST_USD = 0.1  # 10 words of prompt, 9 of reply


class Priced(ScriptedModel):
    """A model that waits before it replies, and knows what it cost."""

    def __init__(self, words: int = 9) -> None:
        super().__init__(lambda _: "word " * words, card=CARD)
        self.gate = asyncio.Event()
        self.usd = 0.0

    async def complete(self, request: Request, on_text: OnText | None = None) -> Reply:
        await self.gate.wait()
        reply = await super().complete(request, on_text)
        usd = CARD.usd(reply.prompt_tokens, reply.completion_tokens)
        self.usd += usd or 0.0
        return replace(reply, usd=usd)


async def _all(model: Budgeted, number: int) -> list[Reply | BaseException]:
    """Start all calls before any is replied to."""
    assert isinstance(model.model, Priced)
    tasks = [asyncio.create_task(model.complete(ASK)) for _ in range(number)]
    for _ in range(5):
        await asyncio.sleep(0)
    model.model.gate.set()
    async with asyncio.timeout(10):
        return await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.parametrize("max_usd", [0.05, 0.1, 0.35, 0.5])
async def test_dollars_hold_when_twenty_calls_start_at_once(max_usd: float) -> None:
    model = Priced()
    results = await _all(Budgeted(model, Budget(max_usd=max_usd)), 20)
    done = [result for result in results if isinstance(result, Reply)]
    refused = [result for result in results if isinstance(result, BudgetExceeded)]
    assert len(done) == int(max_usd / WORST_USD + 1e-9)
    assert len(done) + len(refused) == 20
    assert model.usd <= max_usd + 1e-9


async def test_what_calls_in_flight_leave_over_is_used() -> None:
    model = Priced(words=1)  # costs 0.02 each where 0.10 are put aside
    results = await _all(Budgeted(model, Budget(max_usd=0.2)), 20)
    done = [result for result in results if isinstance(result, Reply)]
    assert len(done) == 6  # the next could cost 0.10 of the 0.08 that are left
    assert model.usd == pytest.approx(0.12)


@settings(max_examples=30, deadline=None)
@given(words=st.lists(st.integers(0, 9), max_size=15), cents=st.integers(1, 80))
async def test_dollars_hold_whatever_replies_cost(words: list[int], cents: int) -> None:
    lengths = iter(words)
    model = Priced()
    model.reply = lambda _: "word " * next(lengths)
    budget = Budget(max_usd=cents / 100)
    await _all(Budgeted(model, budget), len(words))
    assert model.usd <= cents / 100 + 1e-9
    assert budget.spent().usd == pytest.approx(model.usd)


async def test_calls_hold_when_twenty_start_at_once() -> None:
    model = Priced()
    budget = Budget(max_calls=7)
    results = await _all(Budgeted(model, budget), 20)
    assert sum(isinstance(result, BudgetExceeded) for result in results) == 13
    assert len(model.requests) == budget.spent().calls == 7


async def test_a_refusal_says_which_limit_and_what_was_spent() -> None:
    model = Priced()
    model.gate.set()
    budgeted = Budgeted(model, Budget(max_usd=0.15))
    await budgeted.complete(ASK)
    words = r"may cost \$0\.1000, .* left of \$0\.1500 \(--max-usd\); .*: 1 calls, \$0\.1000"
    with pytest.raises(BudgetExceeded, match=words):
        await budgeted.complete(ASK)
    calls = Budgeted(model, Budget(max_calls=0))
    with pytest.raises(BudgetExceeded, match=r"--max-calls 0\); spent so far: 0 calls"):
        await calls.complete(ASK)


async def test_spent_adds_up_what_replies_say() -> None:
    model = Priced()
    budget = Budget()
    await _all(Budgeted(model, budget), 3)
    spent = budget.spent()
    assert (spent.calls, spent.prompt_tokens, spent.completion_tokens) == (3, 30, 27)
    assert spent.usd == pytest.approx(0.3)


async def test_dollars_are_unknown_once_a_call_had_no_price() -> None:
    card = ModelCard("free?", 1_000)
    model = ScriptedModel(lambda _: Reply("x", usd=None), card=card)
    budget = Budget(max_calls=3)
    await Budgeted(model, budget).complete(ASK)
    assert budget.spent().usd is None


def test_dollars_cannot_hold_without_a_price() -> None:
    model = ScriptedModel(lambda _: "x", card=ModelCard("free?", 1_000))
    with pytest.raises(ModelNotUsable, match=r"price of free\? is not known.*models\.toml"):
        Budgeted(model, Budget(max_usd=1))
    Budgeted(model, Budget(max_calls=1))


async def test_a_failed_call_counts_and_costs_nothing() -> None:
    def fail(_: Request) -> str:
        raise ModelUnavailable("down")

    budget = Budget(max_usd=0.1)
    budgeted = Budgeted(ScriptedModel(fail, card=CARD), budget)
    for _ in range(3):
        async with asyncio.timeout(10):
            with pytest.raises(ModelUnavailable):
                await budgeted.complete(ASK)
    assert (budget.spent().calls, budget.spent().usd) == (3, 0.0)


async def test_a_reply_of_no_use_was_paid_for() -> None:
    def fail(_: Request) -> str:
        raise UnusableReply("all reasoning")

    budget = Budget()
    with pytest.raises(UnusableReply):
        await Budgeted(ScriptedModel(fail, card=CARD), budget).complete(ASK)
    assert budget.spent().usd == pytest.approx(WORST_USD)


async def test_a_cancelled_call_gives_back_what_was_put_aside() -> None:
    model = Priced()
    budgeted = Budgeted(model, Budget(max_usd=0.1))
    first, second = (asyncio.create_task(budgeted.complete(ASK)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    model.gate.set()
    async with asyncio.timeout(10):
        assert (await second).text
    assert first.cancelled()


async def test_a_cancelled_waiter_keeps_nobody_else_waiting() -> None:
    model = Priced(words=0)
    budgeted = Budgeted(model, Budget(max_usd=0.11))
    tasks = [asyncio.create_task(budgeted.complete(ASK)) for _ in range(3)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    model.gate.set()
    async with asyncio.timeout(10):
        assert isinstance(await tasks[0], Reply)
        assert isinstance(await tasks[2], Reply)
    assert tasks[1].cancelled()


async def test_no_call_begins_after_the_time() -> None:
    now = 100.0
    budget = Budget(max_time_s=60, clock=lambda: now)
    model = Priced()
    model.gate.set()
    budgeted = Budgeted(model, budget)
    await budgeted.complete(ASK)
    now = 161.0
    with pytest.raises(BudgetExceeded, match=r"--max-time 60 s\); spent so far: 1 calls"):
        await budgeted.complete(ASK)


async def test_a_refusal_waits_for_calls_in_flight_so_that_none_is_lost() -> None:
    model = Priced()
    budgeted = Budgeted(model, Budget(max_calls=1))
    first, refused = (asyncio.create_task(budgeted.complete(ASK)) for _ in range(2))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not refused.done()
    model.gate.set()
    with pytest.raises(BudgetExceeded):
        await refused
    assert first.done()
    assert (await first).text


async def test_a_call_in_flight_when_the_time_is_up_is_kept() -> None:
    now = 0.0
    model = Priced()
    budgeted = Budgeted(model, Budget(max_time_s=60, clock=lambda: now))
    call = asyncio.create_task(budgeted.complete(ASK))
    await asyncio.sleep(0)
    now = 1_000.0
    model.gate.set()
    assert (await call).text


async def test_a_timeout_of_the_models_own_is_not_ours() -> None:
    def fail(_: Request) -> str:
        raise TimeoutError("theirs")

    with pytest.raises(TimeoutError, match="theirs"):
        await Budgeted(ScriptedModel(fail), Budget(max_time_s=60)).complete(ASK)


async def test_what_a_run_cost_before_counts_and_the_limit_stays_the_users() -> None:
    before = Usage(calls=3, prompt_tokens=20, completion_tokens=10, usd=0.5)
    budget = Budget(max_calls=3, max_usd=1.0, spent=before)
    assert budget.spent() == before
    told = r"--max-calls 3\); spent so far: 3 calls, \$0.5000; raise --max-calls to go on"
    with pytest.raises(BudgetExceeded, match=told):
        await budget.reserve(0.0)
    richer = Budget(max_calls=4, max_usd=1.0, spent=before)
    with pytest.raises(BudgetExceeded, match=r"left of \$1.00 \(--max-usd\).*raise --max-usd"):
        await richer.reserve(0.6)
    await richer.reserve(0.5)
    assert richer.spent().calls == 4
