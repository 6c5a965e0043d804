"""The graph of a chain: each worker is a step, so each is logged, streamed and resumed.

START -> path (one for each, at the same time; in it, a worker after the other) --+
      -> read (one for each chunk, at the same time) --> read_again -> conclude -> END
"""

from typing import TypeAlias

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from lcagent.pipelines.context import RunContext
from lcagent.pipelines.methods.chain import steps
from lcagent.pipelines.methods.chain.steps import (
    ChainState,
    PassesEnded,
    PassState,
    Question,
    WorkerPlace,
)
from lcagent.pipelines.state import MethodOutput

ChainGraph: TypeAlias = CompiledStateGraph[ChainState, RunContext, Question, MethodOutput]
PassGraph: TypeAlias = CompiledStateGraph[PassState, RunContext, WorkerPlace, PassesEnded]


def path_graph() -> PassGraph:
    """Return the graph of one pass: a worker after the other."""
    return (
        StateGraph(
            PassState,
            context_schema=RunContext,
            input_schema=WorkerPlace,
            output_schema=PassesEnded,
        )
        .add_node("work", steps.work)
        .add_node("end_path", steps.end_path)
        .add_edge(START, "work")
        .add_conditional_edges("work", steps.next_worker, ["work", "end_path"])
        .add_edge("end_path", END)
        .compile(name="path")
    )


def chain_graph() -> ChainGraph:
    """Return the compiled graph of a chain."""
    return (
        StateGraph(
            ChainState, context_schema=RunContext, input_schema=Question, output_schema=MethodOutput
        )
        .add_node("path", path_graph())
        .add_node("read", steps.read)
        .add_node("read_again", steps.read_again)
        .add_node("conclude", steps.conclude)
        .add_conditional_edges(START, steps.readers, ["path", "read", "conclude"])
        .add_edge("path", "read_again")
        .add_edge("read", "read_again")
        .add_edge("read_again", "conclude")
        .add_edge("conclude", END)
        .compile(name="chain")
    )
