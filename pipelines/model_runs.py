"""Runs with a language model: planned, bounded, recorded step by step, and resumed."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

from lcagent.errors import BudgetExceeded, LcagentError
from lcagent.models.budget import Budget
from lcagent.pipelines import planning
from lcagent.pipelines.answers import answer_of
from lcagent.pipelines.chain_options import ChainOptions
from lcagent.pipelines.context import RunContext
from lcagent.pipelines.coverage import check_selection
from lcagent.pipelines.events import Event, OnEvent, Planned
from lcagent.pipelines.options import AskOptions, collect, selected_pages
from lcagent.pipelines.recording import Record
from lcagent.pipelines.runtime import Runtime
from lcagent.pipelines.steps.state import AskState
from lcagent.results import Answer, Plan, Usage, as_json
from lcagent.storage.runs import RunStatus

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

STEPS_AT_MOST = 1_000_000
"""Steps of a graph; each worker is one, and a long book has hundreds."""

KEPT_OPTIONS = (
    "strategy", "base_url", "window", "pages", "top_k", "vectors", "preset",
    "max_usd", "max_calls", "max_time_s", "use_cache",
)  # fmt: skip
"""What a run is resumed with. No password and no key is among them."""


@dataclass(frozen=True, slots=True)
class ModelRun:
    """A run that is ready to begin, or to go on.

    Attributes:
        request: What it takes to resume it; None where the model is a value of the caller's.
        is_resumed: It began before.
    """

    run_id: str
    state: AskState
    context: RunContext
    runtime: Runtime
    request: dict[str, Any] | None
    on_event: OnEvent | None
    is_resumed: bool = False

    async def plan(self) -> Plan:
        """Return what the run will take."""
        return await asyncio.to_thread(planning.plan, self.state, self.context)


async def ready(
    documents: str | Path | Sequence[str | Path],
    state: AskState,
    options: AskOptions,
    runtime: Runtime,
    run_id: str = "",
) -> ModelRun:
    """Return a run: its documents read, its model built, what was recorded of it taken in."""
    chain = options.get("chain") or ChainOptions.of(options.get("preset", "default"))
    pages = selected_pages(options)
    record = Record(run_id or uuid4().hex, runtime.runs)
    await record.load()
    model = runtime.model(
        options.get("model") or state["model"],
        base_url=options.get("base_url"),
        window_tokens=options.get("window"),
        budget=_budget(options, record.usage),
        namespace="" if options.get("use_cache", True) else record.run_id,
    )
    collection = await collect(documents, options, runtime)  # the costly part comes last
    check_selection(collection, pages)
    context = RunContext(
        collection,
        runtime.retriever,
        pages,
        top_k=options.get("top_k", 12),
        vectors=runtime.vector_use(options.get("vectors"), by_default="needed"),
        model=model,
        chain=chain,
        record=record,
    )
    return ModelRun(
        record.run_id,
        state,
        context,
        runtime,
        _request(context, state, options),
        options.get("on_event"),
        is_resumed=bool(run_id),
    )


async def answer_with_model(run: ModelRun, *, started: float) -> Answer:
    """Carry a run out, and record how it ended, whatever that is."""
    read = time.perf_counter()
    if run.on_event is not None:
        run.on_event(Planned(await run.plan()))
    await _begin(run)
    try:
        state = await _carried_out(run)
    except asyncio.CancelledError:
        await asyncio.shield(_update(run, status="stopped", error="interrupted"))
        raise
    except Exception as error:
        first = _first(error)
        status: RunStatus = "stopped" if isinstance(first, BudgetExceeded) else "failed"
        await _update(run, status=status, error=str(first))
        if isinstance(first, LcagentError) and run.request is not None:
            first.go_on_with = f"lcagent runs resume {run.run_id[:12]}"
        raise first from error
    timings = {"read": read - started, "answer": time.perf_counter() - read}
    answer = await asyncio.to_thread(
        answer_of, state, run.context, run.runtime, run_id=run.run_id, timings_s=timings
    )
    await _update(run, status="done", strategy=answer.strategy, result=as_json(answer))
    return answer


async def _carried_out(run: ModelRun) -> AskState:
    """Run the graph from its last checkpoint, telling whoever watches what happens."""
    from lcagent.pipelines.graphs.ask_graph import ask_graph  # noqa: PLC0415 -- quoting has none
    from lcagent.pipelines.graphs.checkpoints import checkpoints, forget  # noqa: PLC0415

    folder = run.runtime.settings.checkpoints
    async with checkpoints(folder, run.run_id, run.runtime.postgres_url) as saver:
        graph = ask_graph(saver)
        config: RunnableConfig = {
            "configurable": {"thread_id": run.run_id},
            "recursion_limit": STEPS_AT_MOST,
        }
        begun = run.is_resumed and await saver.aget_tuple(config) is not None
        events = graph.astream(
            None if begun else run.state,
            config,
            context=run.context,
            stream_mode="custom",
            subgraphs=True,
            durability="async",
        )
        async for _, event in events:
            if run.on_event is not None:
                run.on_event(cast("Event", event))
        state = (await graph.aget_state(config)).values
        await forget(saver, folder, run.run_id)
    return cast("AskState", state)


async def _begin(run: ModelRun) -> None:
    if run.is_resumed:
        await _update(run, status="running", error=None)
        return
    await asyncio.to_thread(
        run.runtime.runs.begin,
        run.run_id,
        verb="ask",
        question=run.state["question"],
        strategy=run.state["wanted"],
        request=run.request,
    )


async def _update(run: ModelRun, **changes: Any) -> None:
    await asyncio.to_thread(lambda: run.runtime.runs.update(run.run_id, **changes))


def _request(
    context: RunContext, state: AskState, options: Mapping[str, Any]
) -> dict[str, Any] | None:
    if not isinstance(options.get("model", ""), str):
        return None
    return {
        "documents": list(context.documents),
        "model": state["model"],
        "options": {name: options[name] for name in KEPT_OPTIONS if name in options},
        "chain": asdict(context.chain),
    }


def _budget(options: AskOptions, spent: Usage) -> Budget:
    """Return the limits of a run, less what it has spent before it was resumed."""
    max_usd, max_calls = options.get("max_usd"), options.get("max_calls")
    return Budget(
        max_usd=None if max_usd is None else max(0.0, max_usd - (spent.usd or 0.0)),
        max_calls=None if max_calls is None else max(0, max_calls - spent.calls),
        max_time_s=options.get("max_time_s"),
    )


def _first(error: BaseException) -> BaseException:
    """Return the first of the errors that a task group collected, ours before others'."""
    if not isinstance(error, BaseExceptionGroup):
        return error
    inner = [_first(one) for one in error.exceptions]
    return next((one for one in inner if isinstance(one, LcagentError)), inner[0])
