"""The graph of a summary: each part that is read is a step, so each is saved and resumed.

START -> read, one part after the other, or read_alone, all at the same time -> conclude -> END
"""

import operator
from typing import Annotated, TypeAlias

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from langgraph.types import Checkpointer, Send

from lcagent.pipelines.context import RunContext
from lcagent.pipelines.graphs.watching import tell_step
from lcagent.pipelines.methods.summary_options import Order
from lcagent.pipelines.steps import summarize


class SummaryState(Order):
    """A summary; what was noted is in the record of the run.

    Attributes:
        position: The part to read next.
        ended: Parts that were read at the same time.
    """

    position: int
    ended: Annotated[list[int], operator.add]


SummaryGraph: TypeAlias = CompiledStateGraph[SummaryState, RunContext, SummaryState, SummaryState]


async def read(state: SummaryState, runtime: Runtime[RunContext]) -> dict[str, int]:
    """Read the next part."""
    await _read(state, runtime)
    return {"position": state["position"] + 1}


async def read_alone(state: SummaryState, runtime: Runtime[RunContext]) -> dict[str, list[int]]:
    """Read one of many parts that are read at the same time."""
    await _read(state, runtime)
    return {"ended": [state["position"]]}


async def conclude(state: SummaryState, runtime: Runtime[RunContext]) -> dict[str, list[int]]:
    """Write the summary."""
    await summarize.conclude(state, runtime.context)
    tell_step(runtime, "summary", 1, 1, "")
    return {"ended": []}


async def next_step(state: SummaryState, runtime: Runtime[RunContext]) -> list[Send] | str:
    """Return what comes next."""
    total = len((await summarize.prepared(state, runtime.context)).chunks)
    if state["is_parallel"] and total:
        return [Send("read_alone", {**state, "position": at}) for at in range(total)]
    return "read" if state["position"] < total else "conclude"


def initial_state(order: Order) -> SummaryState:
    """Return the state before the first step."""
    return SummaryState(**order, position=0, ended=[])


def summary_graph(checkpointer: Checkpointer = None) -> SummaryGraph:
    """Return the compiled graph.

    Args:
        checkpointer: Where each step is saved; by default where the graph round it saves.
    """
    steps = ["read", "read_alone", "conclude"]
    return (
        StateGraph(SummaryState, context_schema=RunContext)
        .add_node("read", read)
        .add_node("read_alone", read_alone)
        .add_node("conclude", conclude)
        .add_conditional_edges(START, next_step, steps)
        .add_conditional_edges("read", next_step, steps)
        .add_edge("read_alone", "conclude")
        .add_edge("conclude", END)
        .compile(checkpointer=checkpointer, name="summarize")
    )


async def _read(state: SummaryState, runtime: Runtime[RunContext]) -> None:
    where = await summarize.read(state, state["position"], runtime.context)
    prepared = await summarize.prepared(state, runtime.context)
    tell_step(runtime, "read", prepared.reads_done(), prepared.reads, where)
