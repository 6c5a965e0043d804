"""Asking as a pipeline: what is checked, what runs, and what comes of it."""

import asyncio

from lcagent.pipelines.answering import plan
from lcagent.pipelines.answering.result import answer_of
from lcagent.pipelines.answering.rules import AUTO
from lcagent.pipelines.context import RunContext
from lcagent.pipelines.method import Graph
from lcagent.pipelines.methods.quote.steps import find_quotes
from lcagent.pipelines.state import AskState, initial_state, merged
from lcagent.results import Answer, Plan
from lcagent.tasks import QUOTE, AskTask


class AskPipeline:
    """A question: a method is chosen for it, which answers."""

    def check(self, task: AskTask, *, has_model: bool) -> None:
        """Do nothing: quoting needs no model, and the registry checks the strategy."""

    def title(self, run: RunContext) -> str:
        """Return the question."""
        return run.task.title

    def strategy(self, task: AskTask) -> str:
        """Return the strategy asked for."""
        return task.strategy

    async def plan(self, run: RunContext) -> Plan:
        """Return what the question will take."""
        return await asyncio.to_thread(plan.plan, self.initial_state(run), run)

    def graph(self) -> Graph:
        """Return the graph."""
        from lcagent.pipelines.answering.graph import ask_graph  # noqa: PLC0415 -- quoting needs none

        return ask_graph()

    def initial_state(self, run: RunContext) -> AskState:
        """Return the state before the method is chosen."""
        task = run.task
        assert isinstance(task, AskTask)
        model = QUOTE if run.model is None else run.model.card.name
        return initial_state(task.question, task.strategy, model)

    async def without_graph(self, run: RunContext) -> AskState | None:
        """Return the quotes that answer; None where a model is asked."""
        state = self.initial_state(run)
        if run.model is not None or state["wanted"] not in (AUTO, QUOTE):
            return None
        chosen = plan.route(state, run)
        state = merged(state, {"strategy": QUOTE, "reason": chosen.reason})
        return merged(state, await find_quotes(state["question"], run))

    def result(self, state: AskState, run: RunContext, timings_s: dict[str, float]) -> Answer:
        """Return the answer, every quote of it checked."""
        return answer_of(state, run, timings_s)
