"""The whole text in one call, where it fits the window of the model."""

from typing import TYPE_CHECKING

from lcagent.pipelines.method import Method, Node
from lcagent.pipelines.step_views import describe_answer

if TYPE_CHECKING:
    from lcagent.pipelines.context import RunContext
    from lcagent.pipelines.cost import Cost


def _node() -> Node:
    from lcagent.pipelines.methods.whole.steps import whole  # noqa: PLC0415 -- imports LangGraph

    return whole


def _cost(question: str, run: "RunContext") -> "Cost":
    from lcagent.pipelines.methods.whole.steps import cost  # noqa: PLC0415 -- imports LangGraph

    return cost(question, run)


METHOD = Method(
    name="whole",
    verb="ask",
    summary="reads all of the text in one call",
    describe_step=describe_answer,
    node=_node,
    cost=_cost,
)
