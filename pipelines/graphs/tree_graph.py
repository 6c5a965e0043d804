"""The graph of a question tree: each question is a step, so each is saved, watched and resumed.

START -> decompose -> gather -> question (all that are ready, at the same time) -> gather -> ...
      -> conclude -> END. In lazy mode the root is tried before the tree is made.
"""

import operator
from typing import Annotated, TypeAlias, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from langgraph.types import Send

from lcagent.pipelines.context import RunContext
from lcagent.pipelines.graphs.chain_graph import Question
from lcagent.pipelines.graphs.watching import TextTeller, tell_step
from lcagent.pipelines.methods.tree_record import PLAN
from lcagent.pipelines.steps import tree
from lcagent.pipelines.steps.state import Written


class Taken(TypedDict):
    """Steps that were taken; what came of them is in the record of the run."""

    taken: Annotated[list[str], operator.add]


class TreeState(Question, Taken, Written):
    """A question tree."""


class Step(TypedDict):
    """A step that is ready."""

    question: str
    step: str


TreeGraph: TypeAlias = CompiledStateGraph[TreeState, RunContext, Question, Written]


async def decompose(state: Step, runtime: Runtime[RunContext]) -> Taken:
    """Make the tree."""
    asked = await _take(state, runtime)
    tell_step(runtime, "decomposition", 0, 0, asked)
    return {"taken": [state["step"]]}


async def question(state: Step, runtime: Runtime[RunContext]) -> Taken:
    """Answer a question, or try to."""
    asked = await _take(state, runtime)
    done, total = tree.prepared(state["question"], runtime.context).known.progress()
    tell_step(runtime, "question", done, total, asked)
    return {"taken": [state["step"]]}


def gather(state: TreeState) -> Taken:
    """Wait for all steps that were taken at the same time, and add none."""
    return {"taken": state["taken"][:0]}


async def conclude(state: TreeState, runtime: Runtime[RunContext]) -> Written:
    """Make the answer."""
    return await tree.answer(state["question"], runtime.context, TextTeller(runtime.stream_writer))


def next_steps(state: TreeState, runtime: Runtime[RunContext]) -> list[Send] | str:
    """Return a task for each step that is ready."""
    asked = state["question"]
    ready = tree.prepared(asked, runtime.context).ready()
    if not ready:
        return "conclude"
    nodes = (("decompose" if step == PLAN else "question", step) for step in ready)
    return [Send(node, Step(question=asked, step=step)) for node, step in nodes]


def tree_graph() -> TreeGraph:
    """Return the compiled graph of a question tree."""
    targets = ["decompose", "question", "conclude"]
    return (
        StateGraph(
            TreeState, context_schema=RunContext, input_schema=Question, output_schema=Written
        )
        .add_node("decompose", decompose)
        .add_node("question", question)
        .add_node("gather", gather)
        .add_node("conclude", conclude)
        .add_conditional_edges(START, next_steps, targets)
        .add_edge("decompose", "gather")
        .add_edge("question", "gather")
        .add_conditional_edges("gather", next_steps, targets)
        .add_edge("conclude", END)
        .compile(name="tree")
    )


async def _take(state: Step, runtime: Runtime[RunContext]) -> str:
    return await tree.prepared(state["question"], runtime.context).take(state["step"])
