"""The graph of a summary and its nodes: each part that is read is a step, logged and resumed.

START -> read, one part after the other, or read_alone, all at the same time -> conclude -> END
"""

from typing import TypeAlias

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from langgraph.types import Checkpointer, Send

from lcagent.agents.summarize.abstractive import SummaryWriter, fit_points, points_budget_tokens
from lcagent.agents.token_budget import token_counter
from lcagent.pipelines.context import RunContext
from lcagent.pipelines.methods.chain.run import step_key, where
from lcagent.pipelines.methods.summarize.options import SummarizeOptions
from lcagent.pipelines.methods.summarize.run import (
    SUMMARY,
    SummaryState,
    chain_of_readers,
    focus_of,
    points_by_part,
)
from lcagent.pipelines.streaming import emit_step
from lcagent.storage.run_store import StoredStep


async def read(state: SummaryState, runtime: Runtime[RunContext]) -> dict[str, int]:
    """Let the next reader read its part, unless one in an earlier process did."""
    run, position = runtime.context, state["position"]
    chain = await chain_of_readers(run)
    (path,) = chain.paths
    chunk = chain.chunks[path.order[position]]
    if not chain.is_read(path, position):
        agent, metered = chain.worker(path)
        purpose = f"worker {position + 1} of {len(path.order)}"
        change = await agent.read(chunk, chain.notes_before(path, position), purpose)
        await chain.keep(step_key(path, position), change, metered, chunk)
    emit_step(runtime, "read", chain.reads_done(), chain.reads, where(chunk, run))
    return {"position": position + 1}


async def read_alone(state: SummaryState, runtime: Runtime[RunContext]) -> dict[str, list[int]]:
    """Read one of many parts that are read at the same time."""
    await read(state, runtime)
    return {"ended": [state["position"]]}


async def next_step(state: SummaryState, runtime: Runtime[RunContext]) -> list[Send] | str:
    """Return what comes next."""
    run = runtime.context
    total = len((await chain_of_readers(run)).chunks)
    if run.options(SummarizeOptions).is_parallel and total:
        return [Send("read_alone", {**state, "position": at}) for at in range(total)]
    return "read" if state["position"] < total else "conclude"


async def conclude(state: SummaryState, runtime: Runtime[RunContext]) -> dict[str, list[int]]:
    """Write the summary from all points, and log it; without any point no model is asked."""
    if SUMMARY not in runtime.context.log:
        await _write(runtime.context)
    emit_step(runtime, "summary", 1, 1, "")
    return {"ended": state["ended"][:0]}


async def _write(run: RunContext) -> None:
    chain, focus = await chain_of_readers(run), focus_of(run)
    model = run.metered()
    notes, left_out = fit_points(
        points_by_part(chain, run), points_budget_tokens(focus, model), token_counter(model)
    )
    flags = [f"{left_out} points had no room in the window and were not used"] if left_out else []
    text = ""
    if notes:
        words = run.options(SummarizeOptions).words
        written = await SummaryWriter(focus, notes, words, model).write()
        text = written.text
        flags.extend(written.flags)
    await run.log.add(StoredStep(SUMMARY, {"reply": text, "flags": flags}, model.calls))


SummaryGraph: TypeAlias = CompiledStateGraph[SummaryState, RunContext, SummaryState, SummaryState]


def summary_graph(checkpointer: Checkpointer = None) -> SummaryGraph:
    """Return the compiled graph.

    Args:
        checkpointer: Where each step is saved; by default where the graph round it saves.
    """
    targets = ["read", "read_alone", "conclude"]
    return (
        StateGraph(SummaryState, context_schema=RunContext)
        .add_node("read", read)
        .add_node("read_alone", read_alone)
        .add_node("conclude", conclude)
        .add_conditional_edges(START, next_step, targets)
        .add_conditional_edges("read", next_step, targets)
        .add_edge("read_alone", "conclude")
        .add_edge("conclude", END)
        .compile(checkpointer=checkpointer, name="summarize")
    )
