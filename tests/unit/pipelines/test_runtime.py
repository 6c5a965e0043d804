"""The composition root: what models are wrapped in."""

import pytest

from lcagent.errors import BudgetExceeded, ModelUnavailable
from lcagent.models.chat_model import Message, Reply, Request
from lcagent.models.limits import Budget
from lcagent.models.retrying import Retrying
from lcagent.pipelines import Runtime
from lcagent.testing import ScriptedModel

pytestmark = pytest.mark.anyio

ASK = Request((Message("user", "Hi"),))


def _fail(_: Request) -> str:
    raise ModelUnavailable("too many requests", 60.0)


async def test_no_waiting_for_a_server_goes_on_beyond_the_time(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        nonlocal now
        slept.append(seconds)
        now += seconds

    monkeypatch.setitem(Retrying.__init__.__kwdefaults__ or {}, "sleep", sleep)
    model = ScriptedModel(_fail)
    budget = Budget(max_time_s=5, clock=lambda: now)
    with pytest.raises(BudgetExceeded, match="--max-time 5 s"):
        await runtime.model(model, budget=budget).complete(ASK)
    assert slept == [5.0]
    assert len(model.requests) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://127.0.0.1:9/v1", "http://127.0.0.1:9/v1/"),
        ("http://127.0.0.1:9/v1", "http://me:secret@127.0.0.1:9/v1"),
        (None, "https://api.openai.com/v1"),
    ],
)
async def test_a_server_is_the_same_however_it_is_written(
    runtime: Runtime, one: str | None, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    paid: list[str] = []

    async def complete(*_: object) -> Reply:
        paid.append("call")
        return Reply("All is well.")

    monkeypatch.setattr("lcagent.models.remote.RemoteModel.complete", complete)
    for url in (one, other):
        await runtime.model("openai:m", base_url=url, window_tokens=8_000).complete(ASK)
    assert paid == ["call"]
