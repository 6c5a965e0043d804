"""The graphs inside programs of others: as a node, resumed by their checkpoints, streamed."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypedDict

import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph

from lcagent.agents.quoting_model import QuotingModel
from lcagent.errors import ModelUnavailable
from lcagent.models.chat_model import Request
from lcagent.pipelines import Runtime, graphs
from lcagent.pipelines.methods.chain_options import ChainOptions
from lcagent.pipelines.running.events import AnswerText, StepDone
from lcagent.pipelines.steps.state import initial_state
from lcagent.testing import SCRIPTED_CARD, ScriptedModel

pytestmark = pytest.mark.anyio

QUESTION = "Who kept the lighthouse until 1938?"
SMALL = replace(SCRIPTED_CARD, window_tokens=700)


def _state(strategy: str = "chain") -> dict[str, object]:
    return dict(initial_state(QUESTION, strategy, "scripted"))


async def test_a_chain_runs_as_a_node_of_another_graph(book: Path, runtime: Runtime) -> None:
    context = await graphs.graph_context(book, runtime=runtime, model=QuotingModel())

    class Outer(TypedDict):
        question: str
        reply: str

    async def ask_the_book(state: Outer) -> dict[str, str]:
        inner = await graphs.ask_graph().ainvoke(
            initial_state(state["question"], "chain", "scripted"), context=context
        )
        return {"reply": inner["reply"]}

    outer = (
        StateGraph(Outer)
        .add_node("ask_the_book", ask_the_book)
        .add_edge(START, "ask_the_book")
        .add_edge("ask_the_book", END)
        .compile(checkpointer=InMemorySaver())
    )
    state = await outer.ainvoke(
        {"question": QUESTION, "reply": ""}, config={"configurable": {"thread_id": "1"}}
    )
    assert "Hector Vance kept the lighthouse" in state["reply"]


async def test_workers_are_streamed_and_the_state_holds_no_text(
    tmp_path: Path, runtime: Runtime
) -> None:
    path = tmp_path / "long.txt"
    path.write_text("The ferry went slowly over the sea. " * 300, encoding="utf-8")
    model = ScriptedModel(lambda _: "It went slowly.", card=SMALL)
    context = await graphs.graph_context(
        path, runtime=runtime, model=model, chain=ChainOptions(takes_notes=False)
    )
    saver = InMemorySaver()
    events = [
        event
        async for _, event in graphs.ask_graph(saver).astream(
            initial_state(QUESTION, "chain", "scripted"),
            {"configurable": {"thread_id": "1"}, "recursion_limit": 1_000},
            context=context,
            stream_mode="custom",
            subgraphs=True,
        )
    ]
    steps = [event for event in events if isinstance(event, StepDone)]
    assert [step.done for step in steps] == list(range(1, steps[0].total + 1))
    assert steps[0].total > 3
    assert "".join(event.text for event in events if isinstance(event, AnswerText)) == (
        "It went slowly."
    )
    saved = json.dumps([list(saver.list(None))], default=str)
    assert "over the sea" not in saved


async def test_a_graph_goes_on_from_the_checkpoint_of_its_caller(
    tmp_path: Path, runtime: Runtime
) -> None:
    path = tmp_path / "long.txt"
    path.write_text("The ferry went slowly over the sea. " * 300, encoding="utf-8")
    failing = iter([False, False, True])

    def reply(_: Request) -> str:
        if next(failing, False):
            raise ModelUnavailable("down", retry_after_s=10_000)
        return "It went slowly."

    model = ScriptedModel(reply, card=SMALL)
    context = await graphs.graph_context(
        path, runtime=runtime, model=model, chain=ChainOptions(takes_notes=False)
    )
    graph = graphs.ask_graph(InMemorySaver())
    config: RunnableConfig = {"configurable": {"thread_id": "1"}, "recursion_limit": 1_000}
    with pytest.raises(ModelUnavailable):
        await graph.ainvoke(initial_state(QUESTION, "chain", "scripted"), config, context=context)
    before = len(model.requests)
    state = await graph.ainvoke(None, config, context=context)
    assert state["reply"] == "It went slowly."
    prompts = [request.messages[-1].text for request in model.requests]
    assert len(set(prompts)) == len(prompts) - 1  # the one that failed was asked again
    assert before == 3


@pytest.mark.parametrize("make", [graphs.ask_graph, graphs.chain_graph])
def test_a_graph_can_be_drawn(make: Callable[[], Any]) -> None:
    drawn = make().get_graph(xray=True).draw_mermaid()
    for node in ("read_again", "conclude", "work"):
        assert node in drawn
