"""The steps of a summary: reading a part, and writing the summary from what was noted."""

import asyncio
from collections.abc import Sequence

from lcagent.agents.chain.notes import NotedFact
from lcagent.agents.chain.worker_chunks import WorkerChunk, split_for_workers
from lcagent.agents.summarize.abstractive import (
    SummaryChain,
    SummaryWriter,
    allocate_summary_budget,
    fit_points,
    points_budget_tokens,
    points_per_part,
)
from lcagent.agents.summarize.book_chapters import Chapter, find_chapters, split_by_chapters
from lcagent.agents.token_budget import token_counter
from lcagent.pipelines.context import RunContext
from lcagent.pipelines.methods.chain_options import ChainOptions
from lcagent.pipelines.methods.chain_run import ChainRun
from lcagent.pipelines.methods.summary_options import Order
from lcagent.pipelines.steps.chain import where
from lcagent.retrieval.quotes.checking import QuoteChecker
from lcagent.storage.run_store import StoredStep

SUMMARY = "summary"
"""The key of the step that writes the summary."""


async def prepared(order: Order, run: RunContext) -> ChainRun:
    """Return the readers of a summary, made once per run."""
    key = f"summary of {order['words']} words by {order['by']}: {order['focus']}"
    if key not in run.chains:
        run.chains[key] = asyncio.ensure_future(asyncio.to_thread(_prepare, order, run))
    return await run.chains[key]


async def read(order: Order, position: int, run: RunContext) -> str:
    """Let one reader read its part; return where, in words."""
    chain = await prepared(order, run)
    chunk = await chain.read(chain.paths[0], position)
    return where(chunk, run)


async def conclude(order: Order, run: RunContext) -> None:
    """Write the summary from all points, and record it; without any point no model is asked."""
    chain = await prepared(order, run)
    model = run.metered()
    notes, left_out = fit_points(
        points_by_part(order, chain, run),
        points_budget_tokens(order["focus"], model),
        token_counter(model),
    )
    flags = [f"{left_out} points had no room in the window and were not used"] if left_out else []
    text = ""
    if notes:
        writer = SummaryWriter(order["focus"], notes, order["words"], model)
        written = await writer.write()
        text = written.text
        flags.extend(written.flags)
    await run.record.add(StoredStep(SUMMARY, {"reply": text, "flags": flags}, model.calls))


def chapters(run: RunContext) -> list[Chapter]:
    """Return the chapters of all documents that have text on the selected pages."""
    return [
        one
        for document in run.collection.documents
        for one in find_chapters(document)
        if any(at + 1 in run.pages and document.pages[at].text.strip() for at in _pages(one))
    ]


def points_by_part(
    order: Order, chain: ChainRun, run: RunContext
) -> list[tuple[str, Sequence[NotedFact]]]:
    """Return the points of each part with its title."""
    titles = {(one.document_id, at): one.title for one in chapters(run) for at in _pages(one)}
    parts: list[tuple[str, Sequence[NotedFact]]] = []
    for chunk, change in chain.changes(chain.paths[0]):
        ref = chunk.pages[0]
        title = titles[ref.document_id, ref.page_index]
        parts.append((title if order["by"] == "chapters" else where(chunk, run), change.facts))
    return parts


def _pages(chapter: Chapter) -> range:
    return range(chapter.first, chapter.last + 1)


def _prepare(order: Order, run: RunContext) -> ChainRun:
    budget = allocate_summary_budget(order["focus"], run.chat_model)
    documents = run.collection.documents
    chunks = _parts(order, budget.chunk_tokens, run)
    chain = SummaryChain(
        order["focus"],
        run.chat_model,
        budget,
        QuoteChecker(documents),
        points=points_per_part(order["words"], len(chunks)),
    )
    return ChainRun(chain, chunks, ChainOptions(is_parallel=order["is_parallel"]), run.record)


def _parts(order: Order, chunk_tokens: int, run: RunContext) -> list[WorkerChunk]:
    count, documents = token_counter(run.chat_model), run.collection.documents
    if order["by"] == "chunks":
        return split_for_workers(documents, chunk_tokens, count, run.pages)
    return split_by_chapters(documents, chapters(run), chunk_tokens, count, run.pages)
