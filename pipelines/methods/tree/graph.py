"""The graph of a question tree: each question is a step, so each is logged, streamed and resumed.

START -> decompose -> gather -> question (all that are ready, at the same time) -> gather -> ...
      -> conclude -> END. In lazy mode the root is tried before the tree is made.
"""

from typing import TypeAlias

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from lcagent.pipelines.context import RunContext
from lcagent.pipelines.methods.chain.steps import Question
from lcagent.pipelines.methods.tree import steps
from lcagent.pipelines.methods.tree.steps import TreeState
from lcagent.pipelines.state import MethodOutput

TreeGraph: TypeAlias = CompiledStateGraph[TreeState, RunContext, Question, MethodOutput]


def tree_graph() -> TreeGraph:
    """Return the compiled graph of a question tree."""
    targets = ["decompose", "question", "conclude"]
    return (
        StateGraph(
            TreeState, context_schema=RunContext, input_schema=Question, output_schema=MethodOutput
        )
        .add_node("decompose", steps.decompose)
        .add_node("question", steps.question)
        .add_node("gather", steps.gather)
        .add_node("conclude", steps.conclude)
        .add_conditional_edges(START, steps.next_steps, targets)
        .add_edge("decompose", "gather")
        .add_edge("question", "gather")
        .add_conditional_edges("gather", steps.next_steps, targets)
        .add_edge("conclude", END)
        .compile(name="tree")
    )
