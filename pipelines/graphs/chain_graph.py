"""The graph of a chain: each worker is a step, so each is saved, watched and resumed.

START -> path (one for each, at the same time; in it, a worker after the other) --+
      -> read (one for each chunk, at the same time) --> read_again -> conclude -> END
"""

import operator
from typing import Annotated, Literal, TypeAlias, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from langgraph.types import Send

from lcagent.pipelines.context import RunContext
from lcagent.pipelines.graphs.watching import TextTeller, tell_step
from lcagent.pipelines.steps import chain
from lcagent.pipelines.steps.state import Written


class Question(TypedDict):
    """What a chain is given."""

    question: str


class Ended(TypedDict):
    """Paths, or chunks where all are read at the same time, that have been read."""

    ended: Annotated[list[int], operator.add]


class ChainState(Question, Ended, Written):
    """A chain; what its workers hand on is in the record of the run."""


class Place(TypedDict):
    """Where a worker stands: the one at `position` of a path is the next to read."""

    question: str
    path: int
    position: int


class PathState(Place, Ended):
    """One path of a chain."""


ChainGraph: TypeAlias = CompiledStateGraph[ChainState, RunContext, Question, Written]
PathGraph: TypeAlias = CompiledStateGraph[PathState, RunContext, Place, Ended]


async def work(state: Place, runtime: Runtime[RunContext]) -> dict[str, int]:
    """Let the next worker of a path read."""
    await _read(state, runtime)
    return {"position": state["position"] + 1}


async def read(state: Place, runtime: Runtime[RunContext]) -> Ended:
    """Let one of many workers read that read at the same time."""
    await _read(state, runtime)
    return {"ended": [state["position"]]}


async def read_again(state: ChainState, runtime: Runtime[RunContext]) -> Ended:
    """Read again what is most like the questions that are still open."""
    again = await chain.read_again(state["question"], runtime.context)
    if again:
        tell_step(runtime, "read again", again, again, "")
    return {"ended": []}


async def conclude(state: ChainState, runtime: Runtime[RunContext]) -> Written:
    """Make the answer of all notes."""
    return await chain.answer(state["question"], runtime.context, TextTeller(runtime.stream_writer))


async def readers(state: ChainState, runtime: Runtime[RunContext]) -> list[Send] | str:
    """Return a task for each path, or for each chunk where all are read at the same time."""
    question = state["question"]
    prepared = await chain.prepared(question, runtime.context)
    if not prepared.chunks:
        return "conclude"
    if prepared.options.reads_at_once:
        places = range(len(prepared.chunks))
        return [Send("read", Place(question=question, path=0, position=at)) for at in places]
    paths = (path.number for path in prepared.paths)
    return [Send("path", Place(question=question, path=number, position=0)) for number in paths]


async def next_worker(state: Place, runtime: Runtime[RunContext]) -> Literal["work", "end_path"]:
    """Return whether a path goes on."""
    prepared = await chain.prepared(state["question"], runtime.context)
    return "work" if state["position"] < len(prepared.chunks) else "end_path"


def end_path(state: Place) -> Ended:
    """Say that a path was read to its end."""
    return {"ended": [state["path"]]}


def path_graph() -> PathGraph:
    """Return the graph of one path: a worker after the other."""
    return (
        StateGraph(PathState, context_schema=RunContext, input_schema=Place, output_schema=Ended)
        .add_node("work", work)
        .add_node("end_path", end_path)
        .add_edge(START, "work")
        .add_conditional_edges("work", next_worker, ["work", "end_path"])
        .add_edge("end_path", END)
        .compile(name="path")
    )


def chain_graph() -> ChainGraph:
    """Return the compiled graph of a chain."""
    return (
        StateGraph(
            ChainState, context_schema=RunContext, input_schema=Question, output_schema=Written
        )
        .add_node("path", path_graph())
        .add_node("read", read)
        .add_node("read_again", read_again)
        .add_node("conclude", conclude)
        .add_conditional_edges(START, readers, ["path", "read", "conclude"])
        .add_edge("path", "read_again")
        .add_edge("read", "read_again")
        .add_edge("read_again", "conclude")
        .add_edge("conclude", END)
        .compile(name="chain")
    )


async def _read(state: Place, runtime: Runtime[RunContext]) -> None:
    run = runtime.context
    where = await chain.read(state["question"], state["path"], state["position"], run)
    prepared = await chain.prepared(state["question"], run)
    tell_step(runtime, "read", prepared.reads_done(), prepared.reads, where)
