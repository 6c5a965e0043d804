"""Writing as a pipeline: what is checked, what runs, and what comes of it."""

import asyncio

from lcagent.errors import ModelNotUsable
from lcagent.pipelines.context import RunContext
from lcagent.pipelines.method import Graph
from lcagent.pipelines.methods.write.cost import plan_of
from lcagent.pipelines.methods.write.options import WriteOptions
from lcagent.pipelines.methods.write.result import article_of
from lcagent.pipelines.methods.write.run import WriteRun
from lcagent.pipelines.methods.write.steps import WriteState
from lcagent.pipelines.output.saving import check_output, save_text
from lcagent.pipelines.run_log import RunLog
from lcagent.results import Article, Plan
from lcagent.tasks import WriteTask

NEEDS_MODEL = (
    "writing needs a language model: name one with --model or LCAGENT_MODEL "
    "(without one, `lcagent summarize` makes an extract of documents)"
)


class WritePipeline:
    """AgentWrite: a plan, then paragraph by paragraph."""

    def check(self, task: WriteTask, *, has_model: bool) -> None:
        """Refuse an output or a plan that cannot be used, and writing without a model."""
        options = task.method_options(WriteOptions)
        if options.output is not None:
            check_output(options.output)
        if options.plan is not None:
            WriteRun(task, RunLog()).users_plan()
        if not has_model:
            raise ModelNotUsable(NEEDS_MODEL)

    def title(self, run: RunContext) -> str:
        """Return the instruction."""
        return run.task.title

    def strategy(self, task: WriteTask) -> str:
        """Return how paragraphs are written."""
        return "parallel" if task.method_options(WriteOptions).is_parallel else "sequential"

    async def plan(self, run: RunContext) -> Plan:
        """Return what writing will take."""
        return await asyncio.to_thread(plan_of, run)

    def graph(self) -> Graph:
        """Return the graph."""
        from lcagent.pipelines.methods.write.graph import write_graph  # noqa: PLC0415 -- LangGraph

        return write_graph()

    def initial_state(self, run: RunContext) -> WriteState:  # noqa: ARG002 -- as all pipelines
        """Return the state before the plan."""
        return WriteState(chapters=0, chapter=0, position=0, ended=[])

    async def without_graph(self, run: RunContext) -> None:
        """Do nothing: writing asks a model, and so needs the graph."""

    def result(self, state: WriteState, run: RunContext, timings_s: dict[str, float]) -> Article:  # noqa: ARG002 -- the text is in the log
        """Return the text, and save it where it was asked for."""
        options = run.options(WriteOptions)
        article = article_of(run, timings_s)
        if options.output is not None and not options.plan_only:
            save_text(options.output, article.text)
        return article
