"""Runs with a language model, of whatever verb: bounded, recorded step by step, and resumed."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, cast
from uuid import uuid4

from lcagent.agents.prompt_templates import check_overrides
from lcagent.errors import BudgetExceeded, LcagentError
from lcagent.models.limits import Budget
from lcagent.pipelines.context import RunContext
from lcagent.pipelines.coverage import check_selection
from lcagent.pipelines.methods.chain_options import ChainOptions
from lcagent.pipelines.options import ModelOptions, collect, selected_pages
from lcagent.pipelines.running.events import Event, OnEvent
from lcagent.pipelines.running.recording import Record
from lcagent.pipelines.runtime import Runtime
from lcagent.results import Usage
from lcagent.retrieval.library import Collection
from lcagent.storage.run_store import RunStatus

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig
    from langgraph.graph.state import CompiledStateGraph
    from langgraph.types import Checkpointer

STEPS_AT_MOST = 1_000_000
"""Steps of a graph; each worker is one, and a long book has hundreds."""

KEPT_OPTIONS = (
    "base_url", "window", "pages", "top_k", "vectors",
    "max_usd", "max_calls", "max_time_s", "use_cache",
)  # fmt: skip
"""What every run is resumed with. No password and no key is among them."""

StateT = TypeVar("StateT")
ResultT = TypeVar("ResultT", bound="Result")


class Result(Protocol):
    """What a verb returns."""

    @property
    def strategy(self) -> str:
        """The method that was taken."""
        ...

    def as_json(self) -> dict[str, Any]:
        """Return it as `--json` prints it."""
        ...


@dataclass(frozen=True, slots=True)
class ModelRun(Generic[StateT]):
    """A run that is ready to begin, or to go on.

    Attributes:
        title: The question, or what else the run is listed by.
        strategy: The method wanted.
        request: What it takes to resume it; None where the model is a value of the caller's.
        is_resumed: It began before.
    """

    verb: str
    title: str
    strategy: str
    state: StateT
    context: RunContext
    runtime: Runtime
    request: dict[str, Any] | None
    on_event: OnEvent | None = None
    is_resumed: bool = False

    @property
    def run_id(self) -> str:
        """The id under which it is recorded."""
        return self.context.record.run_id


async def context_of(
    documents: str | Path | Sequence[str | Path],
    model_name: str,
    options: ModelOptions,
    runtime: Runtime,
    *,
    run_id: str = "",
    chain: ChainOptions | None = None,
) -> RunContext:
    """Return what a run works with: its model built, then its documents read, which costs most.

    Args:
        documents: An empty sequence for a run without any.
        run_id: Of a run to resume, whose steps are taken in; by default a new one.
    """
    pages = selected_pages(options)
    check_overrides()
    record = Record(run_id or uuid4().hex, runtime.runs)
    await record.load()
    budget = _budget(options, record.usage)
    model = runtime.model(
        options.get("model") or model_name,
        base_url=options.get("base_url"),
        window_tokens=options.get("window"),
        budget=budget,
        namespace="" if options.get("use_cache", True) else record.run_id,
    )
    collection = await collect(documents, options, runtime) if documents else Collection(())
    if collection.documents:
        check_selection(collection, pages)
    return RunContext(
        collection,
        runtime.retriever.over(collection.documents),
        pages,
        top_k=options.get("top_k", 12),
        vectors=runtime.vector_use(options.get("vectors"), by_default="needed"),
        model=model,
        budget=budget,
        chain=chain or ChainOptions(),
        record=record,
    )


def request_of(
    context: RunContext, model_name: str, options: Mapping[str, Any], **more: Any
) -> dict[str, Any] | None:
    """Return what it takes to resume a run, or None where its model is a value of the caller's."""
    if not isinstance(options.get("model", ""), str):
        return None
    return {
        "documents": list(context.documents),
        "model": model_name,
        "options": {name: options[name] for name in KEPT_OPTIONS if name in options},
        **more,
    }


async def carry_out(
    run: ModelRun[StateT],
    build: "Callable[[Checkpointer], CompiledStateGraph[Any, RunContext, Any, Any]]",
    finish: Callable[[StateT], ResultT],
) -> ResultT:
    """Run a graph to its end, and record how it ended, whatever that is.

    Args:
        build: Makes the graph; called with where its steps are saved.
        finish: Makes the result of the last state; called in a thread.
    """
    await _begin(run)
    try:
        state = await _last_state(run, build)
        result = await asyncio.to_thread(finish, state)
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
    await _update(run, status="done", strategy=result.strategy, result=result.as_json())
    return result


async def _last_state(
    run: ModelRun[StateT],
    build: "Callable[[Checkpointer], CompiledStateGraph[Any, RunContext, Any, Any]]",
) -> StateT:
    """Run the graph from its last checkpoint, telling whoever watches what happens."""
    from lcagent.pipelines.running.checkpoints import checkpoints, forget  # noqa: PLC0415 -- quoting

    folder = run.runtime.settings.checkpoints  # does without LangGraph
    async with checkpoints(folder, run.run_id, run.runtime.postgres_url) as saver:
        graph = build(saver)
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
    return cast("StateT", state)


async def _begin(run: ModelRun[Any]) -> None:
    if run.is_resumed:
        await _update(run, status="running", error=None)
        return
    await asyncio.to_thread(
        run.runtime.runs.begin,
        run.run_id,
        verb=run.verb,
        question=run.title,
        strategy=run.strategy,
        request=run.request,
    )


async def _update(run: ModelRun[Any], **changes: Any) -> None:
    await asyncio.to_thread(lambda: run.runtime.runs.update(run.run_id, **changes))


def _budget(options: ModelOptions, spent: Usage) -> Budget:
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
