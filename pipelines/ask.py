"""Answer a question about documents, or say what that would take."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Unpack
from uuid import uuid4

from lcagent.errors import UsageError
from lcagent.pipelines import planning, routing
from lcagent.pipelines.answers import answer_of
from lcagent.pipelines.context import RunContext
from lcagent.pipelines.coverage import check_selection
from lcagent.pipelines.model_runs import answer_with_model, ready
from lcagent.pipelines.options import (
    AskOptions,
    collect,
    open_runtime,
    readable,
    run_verb,
    selected_pages,
)
from lcagent.pipelines.routing import QUOTE
from lcagent.pipelines.runtime import Runtime
from lcagent.pipelines.steps.quote import quote
from lcagent.pipelines.steps.state import AskState, initial_state, merged
from lcagent.results import Answer, Plan, as_json
from lcagent.selection import PageSelection


async def ask_async(
    documents: str | Path | Sequence[str | Path], question: str, **options: Unpack[AskOptions]
) -> Answer:
    """Answer `question` from `documents`: files, folders, globs, or ids of stored documents.

    Raises:
        UsageError: A document or an option makes no sense, or no document can be read.
        ModelError: The model failed; what was paid for is kept.
        BudgetExceeded: A limit was reached; what was paid for is kept.
        StorageError: The store cannot be read or written.
    """
    started = time.perf_counter()
    pages = selected_pages(options)  # before anything is read: a wrong option costs nothing
    async with open_runtime(options) as runtime:
        state = _initial(question, options, runtime)
        if not _is_quoting(state):
            run = await ready(documents, state, options, runtime)
            return await answer_with_model(run, started=started)
        context = await _quoting_context(documents, options, pages, runtime)
        read = time.perf_counter()
        state = merged(state, {"strategy": QUOTE, **await quote(state, context)})
        timings = {"read": read - started, "answer": time.perf_counter() - read}
        return await asyncio.to_thread(_recorded, state, context, runtime, timings)


def ask(
    documents: str | Path | Sequence[str | Path], question: str, **options: Unpack[AskOptions]
) -> Answer:
    """Do as `ask_async` does, from synchronous code or a notebook."""
    return run_verb(ask_async(documents, question, **options), options)


async def plan_async(
    documents: str | Path | Sequence[str | Path], question: str, **options: Unpack[AskOptions]
) -> Plan:
    """Return what `ask_async` would do and what it would cost; no model is called.

    Raises:
        UsageError: As `ask_async`.
    """
    pages = selected_pages(options)
    async with open_runtime(options) as runtime:
        state = _initial(question, options, runtime)
        if _is_quoting(state):
            context = await _quoting_context(documents, options, pages, runtime)
        else:
            context = (await ready(documents, state, options, runtime)).context
        return await asyncio.to_thread(planning.plan, state, context)


def plan(
    documents: str | Path | Sequence[str | Path], question: str, **options: Unpack[AskOptions]
) -> Plan:
    """Do as `plan_async` does, from synchronous code or a notebook."""
    return run_verb(plan_async(documents, question, **options), options)


def _initial(question: str, options: AskOptions, runtime: Runtime) -> AskState:
    question = readable(question)
    if not question.strip():
        raise UsageError("the question is empty")
    wanted = options.get("strategy", "auto")
    model = options.get("model") or runtime.settings.model
    name = model if isinstance(model, str) else model.card.name
    if wanted == QUOTE:
        name = QUOTE
    routing.check(wanted)
    return initial_state(question, wanted, name)


def _is_quoting(state: AskState) -> bool:
    """Say whether no model is asked, not even the one that is none."""
    return state["model"] == QUOTE and state["wanted"] in ("auto", QUOTE)


async def _quoting_context(
    documents: str | Path | Sequence[str | Path],
    options: AskOptions,
    pages: PageSelection,
    runtime: Runtime,
) -> RunContext:
    collection = await collect(documents, options, runtime)
    check_selection(collection, pages)
    # Quotes are chosen by words, so a page that only means the same gives none.
    vectors = runtime.vector_use(options.get("vectors"), by_default="stored")
    return RunContext(collection, runtime.retriever, pages, options.get("top_k", 12), vectors)


def _recorded(
    state: AskState, run: RunContext, runtime: Runtime, timings_s: dict[str, float]
) -> Answer:
    answer = answer_of(state, run, runtime, run_id=uuid4().hex, timings_s=timings_s)
    runtime.runs.begin(
        answer.run_id, verb="ask", question=answer.question, strategy=answer.strategy
    )
    runtime.runs.update(answer.run_id, status="done", result=as_json(answer))
    return answer
