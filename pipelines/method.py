"""What a method is to the rest of lcagent: how it is named, configured, priced, run and shown.

Importing a method's folder imports neither LangGraph nor its prompts: what does is behind the
functions below, which are called when the method is used.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from lcagent.results import Plan, Result
from lcagent.tasks import MethodOptions

if TYPE_CHECKING:
    from langgraph.graph.state import CompiledStateGraph

    from lcagent.pipelines.context import RunContext
    from lcagent.pipelines.cost import Cost
    from lcagent.pipelines.step_views import StepView
    from lcagent.storage.run_store import StoredStep

Graph: TypeAlias = "CompiledStateGraph[Any, RunContext, Any, Any]"
Node: TypeAlias = Any
"""A node of LangGraph: a function of the state and the runtime, or a compiled graph."""


@dataclass(frozen=True, slots=True)
class Method:
    """A method: one way to do a task.

    Attributes:
        name: As in `--strategy`, and of its folder.
        verb: Of the tasks it is for.
        summary: One line for people.
        options: The class of its options, which it may do without.
        describe_step: Returns a step of its run as it is shown, or None for a step of another.
        node: Makes its node in the graph of `ask`; a method of another verb has its own pipeline.
        cost: Returns the most that it takes for a question, before any call.
        pipeline: Makes the pipeline of its verb.
        needs_model: It asks a language model.
    """

    name: str
    verb: Literal["ask", "summarize", "write"]
    summary: str
    describe_step: "Callable[[StoredStep], StepView | None]"
    options: type[MethodOptions] | None = None
    node: Callable[[], Node] | None = None
    cost: "Callable[[str, RunContext], Cost] | None" = None
    pipeline: "Callable[[], Pipeline] | None" = None
    needs_model: bool = True


class Pipeline(Protocol):
    """What a verb does with its task: checks, a graph and its first state, a plan, a result."""

    def check(self, task: Any, *, has_model: bool) -> None:
        """Refuse a task that makes no sense, before anything is opened, read or paid for.

        Raises:
            UsageError: It makes none, or needs a model and there is none.
        """
        ...

    def title(self, run: "RunContext") -> str:
        """Return what the run is listed by."""
        ...

    def strategy(self, task: Any) -> str:
        """Return the method wanted, as the run is listed until it has ended."""
        ...

    async def plan(self, run: "RunContext") -> Plan:
        """Return what the task will take; no model is called."""
        ...

    def graph(self) -> Graph:
        """Return the compiled graph."""
        ...

    def initial_state(self, run: "RunContext") -> Mapping[str, Any]:
        """Return the state before the first step."""
        ...

    async def without_graph(self, run: "RunContext") -> Mapping[str, Any] | None:
        """Return the last state where the task needs no graph, which spares importing LangGraph.

        None where it needs one.
        """
        ...

    def result(self, state: Any, run: "RunContext", timings_s: dict[str, float]) -> Result:
        """Return the result of the last state. It blocks."""
        ...
