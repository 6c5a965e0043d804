"""The graph of a summary: each part that is read is a step, so each is logged and resumed.

START -> read, one part after the other, or read_alone, all at the same time -> conclude -> END
"""

from typing import TypeAlias

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Checkpointer

from lcagent.pipelines.context import RunContext
from lcagent.pipelines.methods.summarize import steps
from lcagent.pipelines.methods.summarize.run import SummaryState

SummaryGraph: TypeAlias = CompiledStateGraph[SummaryState, RunContext, SummaryState, SummaryState]


def summary_graph(checkpointer: Checkpointer = None) -> SummaryGraph:
    """Return the compiled graph.

    Args:
        checkpointer: Where each step is saved; by default where the graph round it saves.
    """
    targets = ["read", "read_alone", "conclude"]
    return (
        StateGraph(SummaryState, context_schema=RunContext)
        .add_node("read", steps.read)
        .add_node("read_alone", steps.read_alone)
        .add_node("conclude", steps.conclude)
        .add_conditional_edges(START, steps.next_step, targets)
        .add_conditional_edges("read", steps.next_step, targets)
        .add_edge("read_alone", "conclude")
        .add_edge("conclude", END)
        .compile(checkpointer=checkpointer, name="summarize")
    )
