"""Answer a question about documents, or say what that would take."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack
from uuid import uuid4

from lcagent.agents.quoting_model import QUOTE
from lcagent.errors import UsageError
from lcagent.pipelines.answers import answer_of
from lcagent.pipelines.ask_options import AskOptions
from lcagent.pipelines.context import RunContext
from lcagent.pipelines.coverage import check_selection
from lcagent.pipelines.methods.chain_options import ChainOptions
from lcagent.pipelines.methods.tree_options import TreeOptions
from lcagent.pipelines.model_runs import ModelRun, carry_out, context_of, request_of
from lcagent.pipelines.options import (
    collect,
    open_runtime,
    readable,
    run_verb,
    selected_pages,
)
from lcagent.pipelines.routing import planning
from lcagent.pipelines.routing.methods import AUTO, check
from lcagent.pipelines.running.events import Planned
from lcagent.pipelines.runtime import Runtime
from lcagent.pipelines.steps.quote import quote
from lcagent.pipelines.steps.state import AskState, initial_state, merged
from lcagent.results import Answer, Plan
from lcagent.selection import PageSelection
from lcagent.storage.run_store import StoredRun

if TYPE_CHECKING:
    from langgraph.types import Checkpointer

    from lcagent.pipelines.graphs.ask_graph import AskGraph


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
            return await _ask_model(documents, state, options, runtime, started=started)
        context = await _quoting_context(documents, options, pages, runtime)
        read = time.perf_counter()
        chosen = planning.route(state, context)
        state = merged(state, {"strategy": QUOTE, "reason": chosen.reason})
        state = merged(state, await quote(state, context))
        timings = {"read": read - started, "answer": time.perf_counter() - read}
        return await asyncio.to_thread(_recorded, state, context, runtime, timings)


async def ask_again(
    stored: StoredRun, request: Mapping[str, Any], options: AskOptions, runtime: Runtime
) -> Answer:
    """Go on with a run; `options` are those it began with and what is different now."""
    given: AskOptions = {
        **options,
        "chain": ChainOptions.from_json(request["chain"]),
        "tree": TreeOptions.from_json(request.get("tree", {})),
    }
    state = initial_state(stored.question, request["strategy"], request["model"])
    return await _ask_model(
        request["documents"],
        state,
        given,
        runtime,
        started=time.perf_counter(),
        run_id=stored.id,
    )


async def _ask_model(
    documents: str | Path | Sequence[str | Path],
    state: AskState,
    options: AskOptions,
    runtime: Runtime,
    *,
    started: float,
    run_id: str = "",
) -> Answer:
    context = await _model_context(documents, state, options, runtime, run_id)
    kept = {
        "strategy": state["wanted"],
        "chain": asdict(context.chain),
        "tree": asdict(context.tree),
    }
    run = ModelRun(
        verb="ask",
        title=state["question"],
        strategy=state["wanted"],
        state=state,
        context=context,
        runtime=runtime,
        request=request_of(context, state["model"], options, **kept),
        on_event=options.get("on_event"),
        is_resumed=bool(run_id),
    )
    if run.on_event is not None:
        run.on_event(Planned(await asyncio.to_thread(planning.plan, state, context)))
    read = time.perf_counter()

    def finish(last: AskState) -> Answer:
        timings = {"read": read - started, "answer": time.perf_counter() - read}
        return answer_of(last, context, runtime, run_id=run.run_id, timings_s=timings)

    return await carry_out(run, _graph, finish)


def _graph(checkpointer: "Checkpointer") -> "AskGraph":
    from lcagent.pipelines.graphs.ask_graph import ask_graph  # noqa: PLC0415 -- quoting needs none

    return ask_graph(checkpointer)


async def _model_context(
    documents: str | Path | Sequence[str | Path],
    state: AskState,
    options: AskOptions,
    runtime: Runtime,
    run_id: str = "",
) -> RunContext:
    chain = options.get("chain") or ChainOptions.of(options.get("preset", "default"))
    context = await context_of(
        documents, state["model"], options, runtime, run_id=run_id, chain=chain
    )
    return replace(context, tree=options.get("tree") or TreeOptions())


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
            context = await _model_context(documents, state, options, runtime)
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
    wanted = options.get("strategy", AUTO)
    model = options.get("model") or runtime.settings.model
    name = model if isinstance(model, str) else model.card.name
    if wanted == QUOTE:
        name = QUOTE
    check(wanted)
    return initial_state(question, wanted, name)


def _is_quoting(state: AskState) -> bool:
    """Say whether no model is asked, not even the one that is none."""
    return state["model"] == QUOTE and state["wanted"] in (AUTO, QUOTE)


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
    return RunContext(
        collection,
        runtime.retriever.over(collection.documents),
        pages,
        options.get("top_k", 12),
        vectors,
    )


def _recorded(
    state: AskState, run: RunContext, runtime: Runtime, timings_s: dict[str, float]
) -> Answer:
    answer = answer_of(state, run, runtime, run_id=uuid4().hex, timings_s=timings_s)
    runtime.runs.begin(
        answer.run_id, verb="ask", question=answer.question, strategy=answer.strategy
    )
    runtime.runs.update(answer.run_id, status="done", result=answer.as_json())
    return answer
