"""The method where rules leave it open: the model is asked, within the limits."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lcagent.errors import BudgetExceeded
from lcagent.models.chat_model import Request
from lcagent.pipelines import Session, ask_async
from lcagent.pipelines.events import Event, MethodChosen
from lcagent.results import Answer
from lcagent.testing import SCRIPTED_CARD, ScriptedModel

pytestmark = pytest.mark.anyio

OPEN = "Why did it go slowly?"
WIDE = "List all ferries."
Ask = Callable[..., Any]


def _model(takes: str) -> ScriptedModel:
    def reply(request: Request) -> str:
        return json.dumps({"takes": takes}) if _sorts(request) else "It went slowly."

    return ScriptedModel(reply, card=replace(SCRIPTED_CARD, window_tokens=1_200))


def _sorts(request: Request) -> bool:
    return request.purpose == "choosing the method"


async def _ask(session: Session, tmp_path: Path, model: ScriptedModel, **options: Any) -> Answer:
    path = tmp_path / "long.txt"
    path.write_text("The ferry went slowly over the grey sea. " * 900, encoding="utf-8")
    question = options.pop("question", OPEN)
    return await ask_async(path, question, session=session, model=model, **options)


@pytest.mark.parametrize(
    ("takes", "strategy"),
    [("passage", "rag"), ("steps", "tree"), ("everything", "chain"), ("a walk", "rag")],
)
async def test_the_model_says_what_an_open_question_takes(
    session: Session, tmp_path: Path, takes: str, strategy: str
) -> None:
    model, events = _model(takes), list[Event]()
    answer = await _ask(session, tmp_path, model, on_event=events.append)
    assert (answer.strategy, "the model" in answer.reason) == (strategy, True)
    assert MethodChosen(strategy, answer.reason) in events
    assert sum(map(_sorts, model.requests)) == 1
    assert answer.usage.calls == len(model.requests)  # the call that chose was counted
    first = session.services.runs.steps(answer.run_id)[0]
    assert (first.key, len(first.calls)) == ("route", 1)


async def test_a_comparison_takes_several_facts_where_the_model_does_not_say(
    session: Session, tmp_path: Path
) -> None:
    question = "Is the old ferry slower than the new one?"
    answer = await _ask(session, tmp_path, _model("a walk"), question=question)
    assert answer.strategy == "tree"


@pytest.mark.parametrize("question", ["Who steers it?", WIDE])
async def test_the_model_is_not_asked_where_words_tell(
    session: Session, tmp_path: Path, question: str
) -> None:
    model = _model("steps")
    answer = await _ask(session, tmp_path, model, question=question)
    assert answer.strategy in ("rag", "chain")
    assert not any(map(_sorts, model.requests))


async def test_the_last_call_is_for_the_answer(session: Session, tmp_path: Path) -> None:
    model = _model("everything")
    answer = await _ask(session, tmp_path, model, max_calls=1)
    # "Why did it go slowly?" -- "It went slowly": no answer, though the text says it.
    assert (answer.strategy, answer.outcome, len(model.requests)) == ("rag", "nearest", 1)


@pytest.mark.parametrize(("question", "calls"), [(WIDE, 1), (OPEN, 2)])
async def test_what_the_limits_do_not_allow_gives_way_to_passages_and_is_said(
    session: Session, tmp_path: Path, question: str, calls: int
) -> None:
    model = _model("everything")
    answer = await _ask(session, tmp_path, model, question=question, max_calls=5)
    assert (answer.strategy, len(model.requests)) == ("rag", calls)
    assert answer.notes[0].startswith("answered from passages only: chain may take")


async def test_a_method_that_was_asked_for_does_not_give_way(
    session: Session, tmp_path: Path
) -> None:
    with pytest.raises(BudgetExceeded):
        await _ask(session, tmp_path, _model("passage"), strategy="chain", max_calls=5)
