"""Retrieval-augmented generation: one call, from the passages that a search finds."""

from typing import TYPE_CHECKING

from lcagent.pipelines.method import Method, Node
from lcagent.pipelines.step_views import describe_answer

if TYPE_CHECKING:
    from lcagent.pipelines.context import RunContext
    from lcagent.pipelines.cost import Cost


def _node() -> Node:
    from lcagent.pipelines.methods.rag.steps import rag  # noqa: PLC0415 -- imports LangGraph

    return rag


def _cost(question: str, run: "RunContext") -> "Cost":
    from lcagent.pipelines.methods.rag.steps import cost  # noqa: PLC0415 -- imports LangGraph

    return cost(question, run)


METHOD = Method(
    name="rag",
    verb="ask",
    summary="searches, and answers from the pages found",
    describe_step=describe_answer,
    node=_node,
    cost=_cost,
)
