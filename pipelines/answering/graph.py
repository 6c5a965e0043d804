"""The graph that answers a question: START -> route -> one of the methods -> END.

A method of the registry that answers questions is a node, or a subgraph, behind `route`.
"""

import asyncio
from typing import TypeAlias

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from langgraph.types import Checkpointer

from lcagent.agents.question_classifier import (
    EvidenceNeed,
    classify_by_model,
    classify_by_words,
)
from lcagent.pipelines.answering import plan
from lcagent.pipelines.answering.plan import Route
from lcagent.pipelines.context import RunContext
from lcagent.pipelines.events import MethodChosen
from lcagent.pipelines.registry import methods_of
from lcagent.pipelines.state import AskState, RouteOutput
from lcagent.storage.run_store import StoredStep

AskGraph: TypeAlias = CompiledStateGraph[AskState, RunContext, AskState, AskState]

ROUTE = "route"
"""The key of the step in the log of a run."""

_METHODS: dict[EvidenceNeed, str] = {"passage": "rag", "steps": "tree", "everything": "chain"}
_SAID: dict[EvidenceNeed, str] = {
    "passage": "the model says that a passage answers it",
    "steps": "the model says that it takes several facts, found one by one",
    "everything": "the model says that it takes most of the text",
}


async def route(state: AskState, runtime: Runtime[RunContext]) -> RouteOutput:
    """Choose the method, as a node."""
    chosen = await choose_method(state, runtime.context)
    runtime.stream_writer(MethodChosen(chosen["strategy"], chosen["reason"]))
    return chosen


def chosen_method(state: AskState) -> str:
    """Return the node of the method that `route` chose."""
    return state["strategy"]


def ask_graph(checkpointer: Checkpointer = None) -> AskGraph:
    """Return the compiled graph.

    Args:
        checkpointer: Where each step is saved; by default where the graph round it saves.
    """
    graph = StateGraph(AskState, context_schema=RunContext)
    graph.add_node("route", route)
    graph.add_edge(START, "route")
    methods = methods_of("ask")
    for method in methods:
        assert method.node is not None
        graph.add_node(method.name, method.node())
        graph.add_edge(method.name, END)
    graph.add_conditional_edges("route", chosen_method, [method.name for method in methods])
    return graph.compile(checkpointer=checkpointer, name="ask")


async def choose_method(state: AskState, run: RunContext) -> RouteOutput:
    """Return the method for a question.

    The model is asked where the rules leave it open and the limits allow a call besides the one
    that answers. A method that the limits do not allow gives way to passages.
    """
    chosen = await asyncio.to_thread(plan.route, state, run)
    if chosen.is_open and await asyncio.to_thread(plan.may_ask, state, run):
        chosen = await _asked(chosen, state["question"], run)
        chosen = await asyncio.to_thread(plan.affordable, chosen, state["question"], run)
    return RouteOutput(strategy=chosen.strategy, reason=chosen.reason, caveat=chosen.caveat)


async def _asked(by_rules: Route, question: str, run: RunContext) -> Route:
    if ROUTE in run.log:
        detail = run.log[ROUTE].detail
        return Route(detail["strategy"], detail["reason"])
    metered = run.metered()
    takes = await classify_by_model(question, metered)
    if takes is None:
        likely = _METHODS[classify_by_words(question).likely]
        chosen = Route(likely, f"{by_rules.reason}, and so does the model")
    else:
        chosen = Route(_METHODS[takes], _SAID[takes])
    detail = {
        "message": f"{chosen.strategy}: {chosen.reason}",
        "strategy": chosen.strategy,
        "reason": chosen.reason,
    }
    await run.log.add(StoredStep(ROUTE, detail, metered.calls))
    return chosen
