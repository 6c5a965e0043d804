"""AgentWrite: a long text by a plan, paragraph by paragraph, on its own or from documents."""

from typing import TYPE_CHECKING

from lcagent.pipelines.method import Method, Pipeline
from lcagent.pipelines.methods.write.options import WriteOptions
from lcagent.pipelines.step_views import StepView, view_of

if TYPE_CHECKING:
    from lcagent.storage.run_store import StoredStep


def _pipeline() -> Pipeline:
    from lcagent.pipelines.methods.write.pipeline import WritePipeline  # noqa: PLC0415 -- LangGraph

    return WritePipeline()


def describe_step(step: "StoredStep") -> StepView | None:
    """Return a plan or a paragraph as it is shown."""
    kinds = ("plan", "chapters", "chapter", "paragraph", "fold")
    return view_of(step, step.key) if step.key.partition("/")[0] in kinds else None


METHOD = Method(
    name="write",
    verb="write",
    summary="writes a long text by a plan, paragraph by paragraph",
    describe_step=describe_step,
    options=WriteOptions,
    pipeline=_pipeline,
)
