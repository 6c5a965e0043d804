"""The graph of a tree inside somebody's own program: a corpus of his, small states, resuming."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver

from lcagent.errors import ModelUnavailable
from lcagent.models.chat_model import Reply, Request, TokenLogprob
from lcagent.pipelines import Runtime, graphs
from lcagent.pipelines.steps.state import initial_state
from lcagent.retrieval.search.retriever import InMemoryCorpus
from lcagent.testing import ScriptedModel

pytestmark = pytest.mark.anyio

QUESTION = "Which ship has more passengers than the lighthouse has steps?"
PARTS = {QUESTION: ["How many steps has the stair?", "Which ferry carries more than #1?"]}


def _reply(request: Request) -> Reply:
    text = "It is so. So the answer is: Lady Annis."
    if request.purpose == "decomposition":
        text = json.dumps(PARTS)
    elif "open book" in request.purpose:
        text = 'It says so [S1 "The ferry Lady Annis carries 184 passengers"]. '
        text += "So the answer is: Lady Annis."
    score = -0.1 if "open book" in request.purpose else -0.9
    return Reply(text, logprobs=(TokenLogprob(text, score, text.encode()),))


async def test_the_state_of_a_tree_holds_no_text_of_documents_and_no_answers(
    book: Path, runtime: Runtime
) -> None:
    model = ScriptedModel(_reply)
    context = await graphs.graph_context(book, runtime=runtime, model=model)
    saver = InMemorySaver()
    await graphs.ask_graph(saver).ainvoke(
        initial_state(QUESTION, "tree", "scripted"),
        {"configurable": {"thread_id": "1"}},
        context=context,
    )
    states = json.dumps([list(saver.list(None))], default=str)
    assert "163 steps" not in states
    assert "It is so" not in states
    assert len(states) < 60_000


async def test_a_corpus_of_the_callers_takes_the_place_of_the_documents(
    book: Path, runtime: Runtime
) -> None:
    model = ScriptedModel(_reply)
    context = await graphs.graph_context(book, runtime=runtime, model=model)
    ferry_only = replace(
        context.collection.documents[0], pages=context.collection.documents[0].pages[1:2]
    )
    context = replace(context, retriever=InMemoryCorpus([ferry_only]))
    state = await graphs.tree_graph().ainvoke({"question": QUESTION}, context=context)
    assert state["reply"].startswith('Lady Annis [S1 "The ferry Lady Annis')
    shown = [one.messages[-1].text for one in model.requests if "open book" in one.purpose]
    assert all("Hector" not in text and "Lady Annis carries" in text for text in shown)


async def test_a_tree_goes_on_from_the_checkpoint_of_its_caller(
    book: Path, runtime: Runtime
) -> None:
    failing = iter([*[False] * 3, True])

    def reply(request: Request) -> Reply:
        if next(failing, False):
            raise ModelUnavailable("down", retry_after_s=10_000)
        return _reply(request)

    model = ScriptedModel(reply)
    context = await graphs.graph_context(book, runtime=runtime, model=model)
    graph = graphs.ask_graph(InMemorySaver())
    config: RunnableConfig = {"configurable": {"thread_id": "1"}}
    with pytest.raises(BaseException, match=r"down|TaskGroup"):
        await graph.ainvoke(initial_state(QUESTION, "tree", "scripted"), config, context=context)
    before = len(model.requests)
    state = await graph.ainvoke(None, config, context=context)
    assert state["reply"].startswith("Lady Annis")
    assert before + 1 < len(model.requests) <= 1 + 2 * 2 + 3 + 2


def test_the_graph_of_a_tree_can_be_drawn() -> None:
    drawn = graphs.tree_graph().get_graph().draw_mermaid()
    for node in ("decompose", "question", "gather", "conclude"):
        assert node in drawn
