"""ProbTree: a question is broken down, and each part answered by the source that is surest."""

from typing import TYPE_CHECKING

from lcagent.pipelines.method import Method, Node
from lcagent.pipelines.methods.tree.options import TreeOptions
from lcagent.pipelines.step_views import StepView, describe_answer, view_of

if TYPE_CHECKING:
    from lcagent.pipelines.context import RunContext
    from lcagent.pipelines.cost import Cost
    from lcagent.storage.run_store import StoredStep


def _node() -> Node:
    from lcagent.pipelines.methods.tree.graph import tree_graph  # noqa: PLC0415 -- LangGraph

    return tree_graph()


def _cost(question: str, run: "RunContext") -> "Cost":
    from lcagent.pipelines.methods.tree.graph import cost  # noqa: PLC0415 -- LangGraph

    return cost(question, run)


_TITLES = {"node": "question {}", "try": "passages for question {}"}


def describe_step(step: "StoredStep") -> StepView | None:
    """Return what a question was answered with, as it is shown."""
    if not step.key.startswith("tree/"):
        return describe_answer(step)
    _, kind, *rest = step.key.split("/")
    title = _TITLES.get(kind, "tree").format(*(int(number) + 1 for number in rest[:1]))
    answered = step.detail.get("answered")
    if answered is None:
        return view_of(step, title)
    chosen = f"{answered['asked']} -> {answered['chosen'].replace('_', ' ')}"
    return view_of(step, title, texts=(("", chosen),))


METHOD = Method(
    name="tree",
    verb="ask",
    summary="breaks the question down, answers each part from passages, from what the model knows "
    "or from the parts below, and takes the surest",
    describe_step=describe_step,
    options=TreeOptions,
    node=_node,
    cost=_cost,
)
