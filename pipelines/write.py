"""Write a long text by a plan, on its own or from documents, or say what that would take."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from lcagent.agents.quoting_model import QUOTE
from lcagent.errors import ModelNotUsable
from lcagent.pipelines.articles import article_of
from lcagent.pipelines.context import RunContext
from lcagent.pipelines.files.saving import check_output, save_text
from lcagent.pipelines.model_runs import ModelRun, carry_out, context_of, request_of
from lcagent.pipelines.options import open_runtime, run_verb, selected_pages
from lcagent.pipelines.running.events import AnswerText, Event, OnEvent, Planned, StepDone
from lcagent.pipelines.running.recording import Record
from lcagent.pipelines.runtime import Runtime
from lcagent.pipelines.writing.body import body_of
from lcagent.pipelines.writing.cost import plan_of
from lcagent.pipelines.writing.options import Assignment, WriteOptions, assignment_of
from lcagent.pipelines.writing.run import WriteRun
from lcagent.results import Plan
from lcagent.storage.run_store import StoredRun
from lcagent.texts import Article

if TYPE_CHECKING:
    from langgraph.types import Checkpointer

    from lcagent.pipelines.graphs.write_graph import WriteGraph, WriteState

NEEDS_MODEL = (
    "writing needs a language model: name one with --model or LCAGENT_MODEL "
    "(without one, `lcagent summarize` makes an extract of documents)"
)


async def write_async(
    instruction: str,
    documents: str | Path | Sequence[str | Path] = (),
    **options: Unpack[WriteOptions],
) -> Article:
    """Write what `instruction` asks for; with `documents`, from them, every statement cited.

    Raises:
        UsageError: An option or a document makes no sense, or there is no model.
        ModelError: The model failed; what was paid for is kept.
        BudgetExceeded: A limit was reached; what was paid for is kept.
        StorageError: The store cannot be read or written.
    """
    started = time.perf_counter()
    assignment = _checked(instruction, options)
    async with open_runtime(options) as runtime:
        context = await _context(documents, options, runtime)
        return await _write(assignment, context, options, runtime, started=started)


async def write_again(
    stored: StoredRun, request: Mapping[str, Any], options: WriteOptions, runtime: Runtime
) -> Article:
    """Go on with a text; `options` are those it began with and what is different now."""
    started = time.perf_counter()
    assignment: Assignment = request["assignment"]
    given: WriteOptions = {**options, "model": request["model"]}
    context = await _context(request["documents"], given, runtime, stored.id)
    return await _write(assignment, context, given, runtime, started=started, is_resumed=True)


def write(
    instruction: str,
    documents: str | Path | Sequence[str | Path] = (),
    **options: Unpack[WriteOptions],
) -> Article:
    """Do as `write_async` does, from synchronous code or a notebook."""
    return run_verb(write_async(instruction, documents, **options), options)


async def plan_write_async(
    instruction: str,
    documents: str | Path | Sequence[str | Path] = (),
    **options: Unpack[WriteOptions],
) -> Plan:
    """Return what `write_async` would do and cost; no model is called.

    Raises:
        UsageError: As `write_async`.
    """
    assignment = _checked(instruction, options)
    async with open_runtime(options) as runtime:
        context = await _context(documents, options, runtime)
        return await asyncio.to_thread(plan_of, assignment, context)


def plan_write(
    instruction: str,
    documents: str | Path | Sequence[str | Path] = (),
    **options: Unpack[WriteOptions],
) -> Plan:
    """Do as `plan_write_async` does, from synchronous code or a notebook."""
    return run_verb(plan_write_async(instruction, documents, **options), options)


def _checked(instruction: str, options: WriteOptions) -> Assignment:
    """Return the assignment; what makes no sense in it fails before anything is read or paid."""
    assignment = assignment_of(instruction, **options)
    selected_pages(options)
    if assignment["output"]:
        check_output(assignment["output"])
    if assignment["plan"]:
        WriteRun(assignment, Record()).users_plan()
    return assignment


async def _context(
    documents: str | Path | Sequence[str | Path],
    options: WriteOptions,
    runtime: Runtime,
    run_id: str = "",
) -> RunContext:
    model = options.get("model") or runtime.settings.model
    name = model if isinstance(model, str) else model.card.name
    if name == QUOTE:
        raise ModelNotUsable(NEEDS_MODEL)
    names = [documents] if isinstance(documents, str | Path) else list(documents)
    return await context_of(names, name, options, runtime, run_id=run_id)


async def _write(
    assignment: Assignment,
    context: RunContext,
    options: WriteOptions,
    runtime: Runtime,
    *,
    started: float,
    is_resumed: bool = False,
) -> Article:
    from lcagent.pipelines.graphs.write_graph import initial_state  # noqa: PLC0415 -- LangGraph

    writing = WriteRun(assignment, context.record)
    on_event = options.get("on_event")
    telling = None if on_event is None else _Telling(writing, on_event)
    run = ModelRun(
        verb="write",
        title=assignment["instruction"],
        strategy="parallel" if assignment["is_parallel"] else "sequential",
        state=initial_state(assignment),
        context=context,
        runtime=runtime,
        request=request_of(
            context, context.chat_model.card.name, options, assignment=dict(assignment)
        ),
        on_event=telling,
        is_resumed=is_resumed,
    )
    if on_event is not None:
        on_event(Planned(await asyncio.to_thread(plan_of, assignment, context)))
    read = time.perf_counter()

    def finish(_: "WriteState") -> Article:
        timings = {"read": read - started, "write": time.perf_counter() - read}
        article = article_of(writing, context, runtime, timings_s=timings)
        if assignment["output"] and not assignment["plan_only"]:
            save_text(assignment["output"], article.text)
        return article

    return await carry_out(run, _graph, finish)


def _graph(checkpointer: "Checkpointer") -> "WriteGraph":
    from lcagent.pipelines.graphs.write_graph import write_graph  # noqa: PLC0415 -- LangGraph

    return write_graph(checkpointer)


@dataclass(slots=True)
class _Telling:
    """Tells the text as it grows, besides the steps: a paragraph when all before it are there."""

    writing: WriteRun
    on_event: OnEvent
    shown: str = ""

    def __call__(self, event: Event) -> None:
        self.on_event(event)
        if isinstance(event, StepDone) and "plan" in self.writing.record:
            text, _ = body_of(self.writing)
            if len(text) > len(self.shown):
                self.on_event(AnswerText(text[len(self.shown) :]))
                self.shown = text
