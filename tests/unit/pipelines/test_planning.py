"""What a plan promises: the method, and costs that are not exceeded."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lcagent.models.chat_model import Request
from lcagent.pipelines import Session, ask_async, plan_async
from lcagent.pipelines.events import Planned
from lcagent.pipelines.methods.chain.options import PRESETS, ChainOptions
from lcagent.pipelines.methods.tree.options import TreeOptions
from lcagent.tasks import AskTask
from lcagent.testing import SCRIPTED_CARD, ScriptedModel

pytestmark = pytest.mark.anyio

PRICED = replace(SCRIPTED_CARD, usd_per_million_prompt=1.0, usd_per_million_completion=4.0)


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
    long_text: Path, session: Session, strategy: str, preset: str
) -> None:
    window = 20_000 if strategy == "whole" else 1_200
    model = ScriptedModel(_reply, card=replace(PRICED, window_tokens=window))
    planned: list[Any] = []
    answer = await ask_async(
        long_text, "How did it go?", session=session, model=model, strategy=strategy,
        options=ChainOptions.preset(preset) if strategy == "chain" else (), on_event=planned.append,
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


async def test_a_beam_takes_no_more_than_its_plan_says(long_text: Path, session: Session) -> None:
    question, passed = "How did the ferry go?", "Did the ferry pass #1?"
    parts = {question: ["Did the ferry go?", passed, "Was the ferry slower than #2?"]}
    parts[passed] = ["Is the sea grey?", "Did #1 sail over the sea?", "Was the ferry near #2?"]

    def reply(request: Request) -> str:
        if request.purpose == "decomposition":
            return json.dumps(parts)
        long = "It went. " * (request.max_tokens // 4)
        return f"{long}So the answer is: {request.purpose.split()[0]}"

    model = ScriptedModel(reply, card=replace(PRICED, window_tokens=1_200))
    planned: list[Any] = []
    answer = await ask_async(
        long_text, question, session=session, model=model, strategy="tree",
        options=TreeOptions(beam=3, samples=0), on_event=planned.append,
    )  # fmt: skip
    first = planned[0]
    assert isinstance(first, Planned)
    assert first.plan.calls == 1 + 5 + 14 * 9 - 3
    asked = [one for one in model.requests if not one.purpose.startswith("confidence")]
    assert 1 + 2 * 2 + 2 * 6 + 5 <= len(asked) <= first.plan.calls
    assert answer.usage.prompt_tokens <= first.plan.prompt_tokens


async def test_planning_asks_nothing(long_text: Path, session: Session) -> None:
    model = ScriptedModel(_reply, card=replace(PRICED, window_tokens=1_200))
    plan = await plan_async(AskTask((str(long_text),), "Who went?"), session=session, model=model)
    assert plan.strategy == "rag"
    assert plan.document_tokens == pytest.approx(7_200, rel=0.05)
    assert model.requests == []


async def test_quoting_costs_nothing(long_text: Path, session: Session) -> None:
    plan = await plan_async(AskTask((str(long_text),), "How?"), session=session)
    assert (plan.strategy, plan.calls, plan.usd) == ("quote", 0, 0.0)


async def test_an_unknown_price_is_said_to_be_unknown(long_text: Path, session: Session) -> None:
    model = ScriptedModel(_reply, card=replace(SCRIPTED_CARD, usd_per_million_prompt=None))
    plan = await plan_async(AskTask((str(long_text),), "How?"), session=session, model=model)
    assert plan.usd is None
    assert any("price" in note for note in plan.notes)


async def test_where_the_model_will_be_asked_the_plan_has_the_dearest_method(
    long_text: Path, session: Session
) -> None:
    model = ScriptedModel(_reply, card=replace(PRICED, window_tokens=1_200))
    plans = {
        strategy: await plan_async(
            AskTask((str(long_text),), "How?", strategy=strategy), session=session, model=model
        )
        for strategy in ("auto", "rag", "tree", "chain")
    }
    plan = plans.pop("auto")
    assert (plan.strategy, "the model is asked" in plan.reason) == ("auto", True)
    assert plan.calls == 1 + max(one.calls for one in plans.values())
    assert (plan.usd or 0) > max(one.usd or 0 for one in plans.values())
    for name, one in plans.items():
        assert any(note.startswith(f"{name} takes {one.calls} call") for note in plan.notes)
    assert model.requests == []


async def test_a_plan_leaves_out_what_the_limits_do_not_allow(
    long_text: Path, session: Session
) -> None:
    model = ScriptedModel(_reply, card=replace(PRICED, window_tokens=1_200))
    plan = await plan_async(
        AskTask((str(long_text),), "How?", max_calls=2), session=session, model=model
    )
    assert (plan.strategy, plan.calls) == ("auto", 2)
    plan = await plan_async(
        AskTask((str(long_text),), "How?", max_calls=1), session=session, model=model
    )
    assert (plan.strategy, plan.calls) == ("rag", 1)
    plan = await plan_async(
        AskTask((str(long_text),), "List all of it.", max_calls=3), session=session, model=model
    )
    assert (plan.strategy, plan.calls) == ("rag", 1)
    assert any("chain may take" in note for note in plan.notes)


@pytest.mark.parametrize(
    ("beam", "max_calls", "is_left_out"), [(1, 13, False), (2, 13, True), (2, 25, False)]
)
async def test_auto_takes_a_tree_only_where_the_limits_allow_its_beam(
    long_text: Path, session: Session, beam: int, max_calls: int, is_left_out: bool
) -> None:
    model = ScriptedModel(_reply, card=replace(PRICED, window_tokens=1_200))
    plan = await plan_async(
        AskTask((str(long_text),), "How?", max_calls=max_calls, options=(TreeOptions(beam=beam),)),
        session=session,
        model=model,
    )
    assert any("tree takes" in note for note in plan.notes) != is_left_out, plan.notes
