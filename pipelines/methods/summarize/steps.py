"""The steps of a summary: reading a part, and writing the summary from what was noted.

The functions that take a state are the nodes of the graph.
"""

from langgraph.runtime import Runtime
from langgraph.types import Send

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
