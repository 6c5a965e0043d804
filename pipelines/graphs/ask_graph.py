"""The graph that answers a question: START -> route -> quote -> END.

Each method that lcagent learns becomes a node, or a subgraph, behind `route`.
"""

from typing import TypeAlias

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime

from lcagent.pipelines import ask_steps
from lcagent.pipelines.ask_steps import AskState, Quoted
from lcagent.pipelines.context import RunContext

AskGraph: TypeAlias = CompiledStateGraph[AskState, RunContext, AskState, AskState]


async def quote(state: AskState, runtime: Runtime[RunContext]) -> Quoted:
    """Answer by quoting."""
    return await ask_steps.quote(state, runtime.context)


def chosen_method(state: AskState) -> str:
    """Return the node of the method that `route` chose."""
    return state["strategy"]


def build() -> AskGraph:
    """Return the compiled graph."""
    return (
        StateGraph(AskState, context_schema=RunContext)
        .add_node("route", ask_steps.route)
        .add_node("quote", quote)
        .add_edge(START, "route")
        .add_conditional_edges("route", chosen_method, ["quote"])
        .add_edge("quote", END)
        .compile(name="ask")
    )
