"""The graph does what the verb does, keeps its state small, and joins somebody else's graph."""

import json
from pathlib import Path
from typing import TypedDict, get_args

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph

from lcagent.pipelines import Runtime, ask_async, graphs
from lcagent.pipelines.context import RunContext
from lcagent.pipelines.routing.methods import Strategy
from lcagent.pipelines.steps.state import initial_state
from lcagent.selection import ALL_PAGES

pytestmark = pytest.mark.anyio
QUESTION = "Who kept the lighthouse until 1938?"


async def _context(book: Path, runtime: Runtime) -> RunContext:
    collection = await runtime.collect(book)
    return RunContext(
        collection, runtime.retriever.over(collection.documents), ALL_PAGES, 12, "stored"
    )


async def test_the_graph_and_the_verb_choose_the_same_quotes(book: Path, runtime: Runtime) -> None:
    state = await graphs.ask_graph().ainvoke(
        initial_state(QUESTION, "auto"), context=await _context(book, runtime)
    )
    answer = await ask_async(book, QUESTION, runtime=runtime)
    assert state["strategy"] == answer.strategy == "quote"
    assert [quote["spans"][-1] for quote in state["quotes"]] == [
        (citation.start, citation.end) for citation in answer.citations
    ]


async def test_steps_are_streamed_in_order(book: Path, runtime: Runtime) -> None:
    steps = graphs.ask_graph().astream(
        initial_state(QUESTION, "auto"),
        context=await _context(book, runtime),
        stream_mode="updates",
    )
    assert [list(step) async for step in steps] == [["route"], ["quote"]]


async def test_the_state_is_json_and_holds_no_text_of_the_book(
    book: Path, runtime: Runtime
) -> None:
    graph = graphs.ask_graph()
    state = await graph.ainvoke(
        initial_state(QUESTION, "auto"), context=await _context(book, runtime)
    )
    assert "Hector" not in json.dumps(state)


class _Outer(TypedDict):
    question: str
    found: int


async def test_the_graph_runs_inside_another_graph(book: Path, runtime: Runtime) -> None:
    context = await _context(book, runtime)

    async def ask_the_book(state: _Outer) -> dict[str, int]:
        inner = await graphs.ask_graph().ainvoke(
            initial_state(state["question"], "auto"), context=context
        )
        return {"found": len(inner["quotes"])}

    outer = (
        StateGraph(_Outer)
        .add_node("ask_the_book", ask_the_book)
        .add_edge(START, "ask_the_book")
        .add_edge("ask_the_book", END)
        .compile(checkpointer=InMemorySaver())
    )
    state = await outer.ainvoke(
        {"question": QUESTION, "found": 0}, config={"configurable": {"thread_id": "1"}}
    )
    assert state["found"] > 0


def test_every_strategy_has_a_node() -> None:
    nodes = set(graphs.ask_graph().get_graph().nodes)
    assert set(get_args(Strategy)) <= nodes
