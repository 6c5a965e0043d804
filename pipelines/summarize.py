"""Summarize documents: into one summary, or each into one of its own."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack
from uuid import uuid4

from lcagent.agents.quoting_model import QUOTE
from lcagent.agents.summarize.book_chapters import merge_chapters
from lcagent.agents.summarize.extractive import WORDS_PER_CHAPTER, extract_sentences
from lcagent.pipelines.context import RunContext
from lcagent.pipelines.coverage import check_selection
from lcagent.pipelines.files.saving import check_output, save_text
from lcagent.pipelines.files.summaries import as_markdown
from lcagent.pipelines.methods.summary_options import Order, SummaryOptions, order_of
from lcagent.pipelines.model_runs import ModelRun, carry_out, context_of, request_of
from lcagent.pipelines.options import collect, open_runtime, run_verb, selected_pages
from lcagent.pipelines.running.events import Planned
from lcagent.pipelines.runtime import Runtime
from lcagent.pipelines.steps.summarize import chapters, prepared
from lcagent.pipelines.summaries import extracted, summary_of, written
from lcagent.pipelines.summary_cost import plan_of
from lcagent.results import Plan
from lcagent.storage.run_store import StoredRun
from lcagent.texts import Summary

if TYPE_CHECKING:
    from langgraph.types import Checkpointer

    from lcagent.pipelines.graphs.summary_graph import SummaryGraph, SummaryState

Documents = str | Path | Sequence[str | Path]


async def summarize_async(documents: Documents, **options: Unpack[SummaryOptions]) -> Summary:
    """Return one summary of `documents`: files, folders, globs, or ids of stored documents.

    Raises:
        UsageError: A document or an option makes no sense, or no document can be read.
        ModelError: The model failed; what was paid for is kept.
        BudgetExceeded: A limit was reached; what was paid for is kept.
        StorageError: The store cannot be read or written.
    """
    started = time.perf_counter()
    order = _checked(options)
    async with open_runtime(options) as runtime:
        if _model(options, runtime) == QUOTE:
            return await _extract(documents, order, options, runtime, started)
        context = await _context(documents, options, runtime)
        return await _summarize(order, context, options, runtime, started=started)


async def summarize_each_async(
    documents: Documents, **options: Unpack[SummaryOptions]
) -> list[Summary]:
    """Return a summary of each of the documents, one after the other.

    Raises:
        UsageError: As `summarize_async`.
    """
    _checked(options)
    async with open_runtime(options) as runtime:
        collection = await collect(documents, options, runtime)
        given: SummaryOptions = {**options, "runtime": runtime}
        return [await summarize_async(one.id, **given) for one in collection.documents]


async def summarize_again(
    stored: StoredRun, request: Mapping[str, Any], options: SummaryOptions, runtime: Runtime
) -> Summary:
    """Go on with a summary; `options` are those it began with and what is different now."""
    started = time.perf_counter()
    order: Order = request["order"]
    given: SummaryOptions = {**options, "model": request["model"]}
    context = await _context(request["documents"], given, runtime, stored.id)
    return await _summarize(order, context, given, runtime, started=started, is_resumed=True)


def summarize(documents: Documents, **options: Unpack[SummaryOptions]) -> Summary:
    """Do as `summarize_async` does, from synchronous code or a notebook."""
    return run_verb(summarize_async(documents, **options), options)


def summarize_each(documents: Documents, **options: Unpack[SummaryOptions]) -> list[Summary]:
    """Do as `summarize_each_async` does, from synchronous code or a notebook."""
    return run_verb(summarize_each_async(documents, **options), options)


async def plan_summary_async(documents: Documents, **options: Unpack[SummaryOptions]) -> Plan:
    """Return what `summarize_async` would do and cost; no model is called.

    Raises:
        UsageError: As `summarize_async`.
    """
    order = _checked(options)
    async with open_runtime(options) as runtime:
        if _model(options, runtime) == QUOTE:
            context = await _quoting_context(documents, options, runtime)
        else:
            context = await _context(documents, options, runtime)
        return await plan_of(order, context)


def plan_summary(documents: Documents, **options: Unpack[SummaryOptions]) -> Plan:
    """Do as `plan_summary_async` does, from synchronous code or a notebook."""
    return run_verb(plan_summary_async(documents, **options), options)


def _checked(options: SummaryOptions) -> Order:
    order = order_of(**options)
    selected_pages(options)
    if order["output"]:
        check_output(order["output"])
    return order


def _model(options: SummaryOptions, runtime: Runtime) -> str:
    model = options.get("model") or runtime.settings.model
    return model if isinstance(model, str) else model.card.name


async def _context(
    documents: Documents, options: SummaryOptions, runtime: Runtime, run_id: str = ""
) -> RunContext:
    name = _model(options, runtime)
    return await context_of(documents, name, options, runtime, run_id=run_id)


async def _quoting_context(
    documents: Documents, options: SummaryOptions, runtime: Runtime
) -> RunContext:
    collection = await collect(documents, options, runtime)
    pages = selected_pages(options)
    check_selection(collection, pages)
    return RunContext(collection, runtime.retriever.over(collection.documents), pages, 1, "none")


async def _extract(
    documents: Documents, order: Order, options: SummaryOptions, runtime: Runtime, started: float
) -> Summary:
    run = await _quoting_context(documents, options, runtime)
    read = time.perf_counter()
    return await asyncio.to_thread(_extracted, order, run, runtime, started, read)


def _extracted(
    order: Order, run: RunContext, runtime: Runtime, started: float, read: float
) -> Summary:
    documents = run.collection.documents
    parts = merge_chapters(chapters(run), documents, max(1, order["words"] // WORDS_PER_CHAPTER))
    chosen = extract_sentences(
        documents, parts, run.pages, words=order["words"], focus=order["focus"]
    )
    made = extracted(chosen, parts, order, run, runtime)
    timings = {"read": read - started, "summarize": time.perf_counter() - read}
    summary = summary_of(made, order, run, uuid4().hex, timings)
    title = _title(order, run)
    runtime.runs.begin(summary.run_id, verb="summarize", question=title, strategy="extract")
    runtime.runs.update(summary.run_id, status="done", result=summary.as_json())
    _save(order, summary)
    return summary


async def _summarize(
    order: Order,
    context: RunContext,
    options: SummaryOptions,
    runtime: Runtime,
    *,
    started: float,
    is_resumed: bool = False,
) -> Summary:
    from lcagent.pipelines.graphs.summary_graph import initial_state  # noqa: PLC0415 -- LangGraph

    chain = await prepared(order, context)
    name = context.chat_model.card.name
    run = ModelRun(
        verb="summarize",
        title=_title(order, context),
        strategy="parallel" if order["is_parallel"] else "chain",
        state=initial_state(order),
        context=context,
        runtime=runtime,
        request=request_of(context, name, options, order=dict(order)),
        on_event=options.get("on_event"),
        is_resumed=is_resumed,
    )
    if run.on_event is not None:
        run.on_event(Planned(await plan_of(order, context)))
    read = time.perf_counter()

    def finish(_: "SummaryState") -> Summary:
        made = written(order, chain, context, runtime)
        timings = {"read": read - started, "summarize": time.perf_counter() - read}
        summary = summary_of(made, order, context, run.run_id, timings)
        _save(order, summary)
        return summary

    return await carry_out(run, _graph, finish)


def _graph(checkpointer: "Checkpointer") -> "SummaryGraph":
    from lcagent.pipelines.graphs.summary_graph import summary_graph  # noqa: PLC0415 -- LangGraph

    return summary_graph(checkpointer)


def _save(order: Order, summary: Summary) -> None:
    if order["output"]:
        save_text(order["output"], as_markdown(summary))


def _title(order: Order, run: RunContext) -> str:
    names = ", ".join(document.name for document in run.collection.documents)
    return f"{names}: {order['focus']}" if order["focus"] else names
