"""Summaries: a chain without a question, whose workers note the points that matter."""

from typing import TYPE_CHECKING

from lcagent.pipelines.method import Method, Pipeline
from lcagent.pipelines.methods.chain import describe_step as describe_chain_step
from lcagent.pipelines.methods.summarize.options import SummarizeOptions
from lcagent.pipelines.step_views import StepView, view_of

if TYPE_CHECKING:
    from lcagent.storage.run_store import StoredStep


def _pipeline() -> Pipeline:
    from lcagent.pipelines.methods.summarize import pipeline  # noqa: PLC0415 -- loaded when used

    return pipeline.SummarizePipeline()


def describe_step(step: "StoredStep") -> StepView | None:
    """Return what a worker noted, or the summary, as it is shown."""
    return view_of(step, step.key) if step.key == "summary" else describe_chain_step(step)


METHOD = Method(
    name="summarize",
    verb="summarize",
    summary="workers note the points of part after part, and one summary is written of them",
    describe_step=describe_step,
    options=SummarizeOptions,
    pipeline=_pipeline,
    needs_model=False,
)
