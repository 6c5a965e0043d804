"""What a plan promises: the method, and costs that are not exceeded."""

from dataclasses import replace
from pathlib import Path

import pytest

from lcagent.models.base import Request
from lcagent.models.scripted import CARD, ScriptedModel
from lcagent.pipelines import Runtime, ask_async, plan_async
from lcagent.pipelines.chain_options import PRESETS, ChainOptions
from lcagent.pipelines.events import Event, Planned

pytestmark = pytest.mark.anyio

PRICED = replace(CARD, usd_per_million_prompt=1.0, usd_per_million_completion=4.0)


@pytest.fixture
def long_text(tmp_path: Path) -> Path:
    """Return a text of some thousand words."""
    path = tmp_path / "long.txt"
    path.write_text("The ferry went slowly over the grey sea. " * 900, encoding="utf-8")
    return path


def _reply(request: Request) -> str:
    words = "word " * request.max_tokens
    return f"It went slowly. {words}"


@pytest.mark.parametrize("strategy", ["rag", "chain", "tree", "whole"])
@pytest.mark.parametrize("preset", PRESETS)
async def test_a_run_takes_no_more_than_its_plan_says(
    long_text: Path, runtime: Runtime, strategy: str, preset: str
) -> None:
    window = 20_000 if strategy == "whole" else 1_200
    model = ScriptedModel(_reply, card=replace(PRICED, window_tokens=window))
    planned: list[Event] = []
    answer = await ask_async(
        long_text, "How did it go?", runtime=runtime, model=model, strategy=strategy,
        chain=ChainOptions.of(preset), on_event=planned.append,
    )  # fmt: skip
    first = planned[0]
    assert isinstance(first, Planned)
    assert first.plan.strategy == strategy == answer.strategy
    assert answer.usage.calls <= 1.1 * first.plan.calls + 1
    assert answer.usage.prompt_tokens <= first.plan.prompt_tokens
    assert answer.usage.completion_tokens <= first.plan.completion_tokens
    assert first.plan.usd == pytest.approx(
        (first.plan.prompt_tokens + 4 * first.plan.completion_tokens) / 1e6
    )


async def test_planning_asks_nothing(long_text: Path, runtime: Runtime) -> None:
    model = ScriptedModel(_reply, card=replace(PRICED, window_tokens=1_200))
    plan = await plan_async(long_text, "How?", runtime=runtime, model=model)
    assert plan.strategy == "rag"
    assert plan.document_tokens == pytest.approx(7_200, rel=0.05)
    assert model.requests == []


async def test_quoting_costs_nothing(long_text: Path, runtime: Runtime) -> None:
    plan = await plan_async(long_text, "How?", runtime=runtime)
    assert (plan.strategy, plan.calls, plan.usd) == ("quote", 0, 0.0)


async def test_an_unknown_price_is_said_to_be_unknown(long_text: Path, runtime: Runtime) -> None:
    model = ScriptedModel(_reply, card=replace(CARD, usd_per_million_prompt=None))
    plan = await plan_async(long_text, "How?", runtime=runtime, model=model)
    assert plan.usd is None
    assert any("price" in note for note in plan.notes)
