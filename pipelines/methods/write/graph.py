"""The graph of a text: each paragraph is a step, so each is logged, streamed and resumed.

START -> plan -> (plan_chapter, one after the other) -> paragraph, one after the other --+--> END
                                                  +-> paragraph_alone, at the same time -+
"""

from typing import TypeAlias

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Checkpointer

from lcagent.pipelines.context import RunContext
from lcagent.pipelines.methods.write import steps
from lcagent.pipelines.methods.write.steps import WriteState

WriteGraph: TypeAlias = CompiledStateGraph[WriteState, RunContext, WriteState, WriteState]


def initial_state() -> WriteState:
    """Return the state before the first step."""
    return WriteState(chapters=0, chapter=0, position=0, ended=[])


def write_graph(checkpointer: Checkpointer = None) -> WriteGraph:
    """Return the compiled graph.

    Args:
        checkpointer: Where each step is saved; by default where the graph round it saves.
    """
    targets = ["plan_chapter", "paragraph", "paragraph_alone", END]
    return (
        StateGraph(WriteState, context_schema=RunContext)
        .add_node("plan", steps.plan)
        .add_node("plan_chapter", steps.plan_chapter)
        .add_node("paragraph", steps.paragraph)
        .add_node("paragraph_alone", steps.paragraph_alone)
        .add_edge(START, "plan")
        .add_conditional_edges("plan", steps.next_step, targets)
        .add_conditional_edges("plan_chapter", steps.next_step, targets)
        .add_conditional_edges("paragraph", steps.next_step, targets)
        .add_edge("paragraph_alone", END)
        .compile(checkpointer=checkpointer, name="write")
    )
