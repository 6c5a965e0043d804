"""Chain-of-Agents: workers read part after part and take notes, a manager answers from them."""

from typing import TYPE_CHECKING

from lcagent.pipelines.method import Method, Node
from lcagent.pipelines.methods.chain.options import ChainOptions
from lcagent.pipelines.step_views import StepFact, StepView, describe_answer, view_of

if TYPE_CHECKING:
    from lcagent.pipelines.context import RunContext
    from lcagent.pipelines.cost import Cost
    from lcagent.storage.run_store import StoredStep


def _node() -> Node:
    from lcagent.pipelines.methods.chain.graph import chain_graph  # noqa: PLC0415 -- LangGraph

    return chain_graph()


def _cost(question: str, run: "RunContext") -> "Cost":
    from lcagent.pipelines.methods.chain.run import cost  # noqa: PLC0415 -- LangGraph

    return cost(question, run)


def describe_step(step: "StoredStep") -> StepView | None:
    """Return what a worker read and handed on, as it is shown."""
    kind, _, rest = step.key.partition("/")
    path, _, place = rest.partition("/")
    if kind not in ("read", "after"):
        return describe_answer(step)
    number = str(int(place) + 1) if place.isdigit() else place
    title = f"path {path}, worker {number}" if kind == "read" else f"path {path}, again {place}"
    change = step.detail["change"]
    texts = [(name, change[name]) for name in ("message", "answer") if change.get(name)]
    if change.get("kept") is not None:
        texts.append(("kept", ", ".join(change["kept"])))
    return view_of(
        step,
        title,
        facts=tuple(
            StepFact(fact["label"], fact["status"], fact["text"])
            for fact in change.get("facts", ())
        ),
        texts=tuple(texts),
        flags=tuple(change.get("flags", ())),
    )


METHOD = Method(
    name="chain",
    verb="ask",
    summary="workers read part after part and take notes with quotes, a manager answers from them",
    describe_step=describe_step,
    options=ChainOptions,
    node=_node,
    cost=_cost,
)
