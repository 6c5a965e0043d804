"""The graph that answers a question: START -> route -> quote | whole | rag | chain | tree -> END.

Each method that lcagent learns becomes a node, or a subgraph, behind `route`.
"""

from typing import TypeAlias, get_args

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from langgraph.types import Checkpointer

from lcagent.pipelines.context import RunContext
from lcagent.pipelines.graphs.chain_graph import chain_graph
from lcagent.pipelines.graphs.tree_graph import tree_graph
from lcagent.pipelines.graphs.watching import TextTeller
from lcagent.pipelines.routing import choosing
from lcagent.pipelines.routing.methods import Strategy
from lcagent.pipelines.running.events import MethodChosen
from lcagent.pipelines.steps import passages
from lcagent.pipelines.steps import quote as quoting
from lcagent.pipelines.steps.state import AskState, Quoted, Routed, Written

AskGraph: TypeAlias = CompiledStateGraph[AskState, RunContext, AskState, AskState]

METHODS = get_args(Strategy)


async def route(state: AskState, runtime: Runtime[RunContext]) -> Routed:
    """Choose the method."""
    routed = await choosing.route(state, runtime.context)
    runtime.stream_writer(MethodChosen(routed["strategy"], routed["reason"]))
    return routed


async def quote(state: AskState, runtime: Runtime[RunContext]) -> Quoted:
    """Answer by quoting."""
    return await quoting.quote(state, runtime.context)


async def whole(state: AskState, runtime: Runtime[RunContext]) -> Written:
    """Answer from all of the text at once."""
    return await passages.answer_from_all(state, runtime.context, TextTeller(runtime.stream_writer))


async def rag(state: AskState, runtime: Runtime[RunContext]) -> Written:
    """Answer from retrieved passages."""
    return await passages.answer_from_passages(
        state, runtime.context, TextTeller(runtime.stream_writer)
    )


def chosen_method(state: AskState) -> str:
    """Return the node of the method that `route` chose."""
    return state["strategy"]


def ask_graph(checkpointer: Checkpointer = None) -> AskGraph:
    """Return the compiled graph.

    Args:
        checkpointer: Where each step is saved; by default where the graph round it saves.
    """
    return (
        StateGraph(AskState, context_schema=RunContext)
        .add_node("route", route)
        .add_node("quote", quote)
        .add_node("whole", whole)
        .add_node("rag", rag)
        .add_node("chain", chain_graph())
        .add_node("tree", tree_graph())
        .add_edge(START, "route")
        .add_conditional_edges("route", chosen_method, list(METHODS))
        .add_edge("quote", END)
        .add_edge("whole", END)
        .add_edge("rag", END)
        .add_edge("chain", END)
        .add_edge("tree", END)
        .compile(checkpointer=checkpointer, name="ask")
    )
