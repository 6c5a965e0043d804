"""The graph of a text: each paragraph is a step, so each is saved, watched and resumed.

START -> plan -> (plan_chapter, one after the other) -> paragraph, one after the other --+--> END
                                                  +-> paragraph_alone, at the same time -+
"""

import operator
from typing import Annotated, TypeAlias

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from langgraph.types import Checkpointer, Send

from lcagent.pipelines.context import RunContext
from lcagent.pipelines.graphs.watching import tell_step
from lcagent.pipelines.steps import write
from lcagent.pipelines.writing.options import Assignment
from lcagent.pipelines.writing.run import WriteRun


class WriteState(Assignment):
    """A text; its plan and its paragraphs are in the record of the run.

    Attributes:
        chapters: How many chapters are to be planned.
        chapter, position: The chapter to plan next, the paragraph to write next.
        ended: Paragraphs that were written at the same time.
    """

    chapters: int
    chapter: int
    position: int
    ended: Annotated[list[int], operator.add]


WriteGraph: TypeAlias = CompiledStateGraph[WriteState, RunContext, WriteState, WriteState]


async def plan(state: WriteState, runtime: Runtime[RunContext]) -> dict[str, int]:
    """Make the plan, or that of the chapters."""
    chapters = await write.plan(state, runtime.context)
    tell_step(runtime, "plan", 1, 1, "")
    return {"chapters": chapters}


async def plan_chapter(state: WriteState, runtime: Runtime[RunContext]) -> dict[str, int]:
    """Plan the next chapter."""
    await write.plan_chapter(state, state["chapter"], runtime.context)
    tell_step(runtime, "plan chapter", state["chapter"] + 1, state["chapters"], "")
    return {"chapter": state["chapter"] + 1}


async def paragraph(state: WriteState, runtime: Runtime[RunContext]) -> dict[str, int]:
    """Write the next paragraph."""
    await _write(state, runtime)
    return {"position": state["position"] + 1}


async def paragraph_alone(state: WriteState, runtime: Runtime[RunContext]) -> dict[str, list[int]]:
    """Write one of many paragraphs that are written at the same time."""
    await _write(state, runtime)
    return {"ended": [state["position"]]}


def next_step(state: WriteState, runtime: Runtime[RunContext]) -> list[Send] | str:
    """Return what comes after a plan or a paragraph."""
    if state["chapter"] < state["chapters"]:
        return "plan_chapter"
    if state["plan_only"]:
        return END
    total = len(WriteRun(state, runtime.context.record).planned.plan.paragraphs)
    if state["is_parallel"]:
        return [Send("paragraph_alone", {**state, "position": at}) for at in range(total)]
    return "paragraph" if state["position"] < total else END


def initial_state(assignment: Assignment) -> WriteState:
    """Return the state before the first step."""
    return WriteState(**assignment, chapters=0, chapter=0, position=0, ended=[])


def write_graph(checkpointer: Checkpointer = None) -> WriteGraph:
    """Return the compiled graph.

    Args:
        checkpointer: Where each step is saved; by default where the graph round it saves.
    """
    steps = ["plan_chapter", "paragraph", "paragraph_alone", END]
    return (
        StateGraph(WriteState, context_schema=RunContext)
        .add_node("plan", plan)
        .add_node("plan_chapter", plan_chapter)
        .add_node("paragraph", paragraph)
        .add_node("paragraph_alone", paragraph_alone)
        .add_edge(START, "plan")
        .add_conditional_edges("plan", next_step, steps)
        .add_conditional_edges("plan_chapter", next_step, steps)
        .add_conditional_edges("paragraph", next_step, steps)
        .add_edge("paragraph_alone", END)
        .compile(checkpointer=checkpointer, name="write")
    )


async def _write(state: WriteState, runtime: Runtime[RunContext]) -> None:
    run = runtime.context
    point = await write.paragraph(state, state["position"], run)
    writing = WriteRun(state, run.record)
    done = sum(1 for _ in run.record.steps("paragraph/"))
    tell_step(runtime, "paragraph", done, len(writing.planned.plan.paragraphs), point[:60])
