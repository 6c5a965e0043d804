"""What a summary is made of: its chapters, its readers, and the points that these noted."""

import asyncio
import operator
from collections.abc import Sequence
from typing import Annotated, TypedDict

from lcagent.agents.chain.notes import NotedFact
from lcagent.agents.chain.worker_chunks import WorkerChunk, split_for_workers
from lcagent.agents.summarize.abstractive import (
    SummaryChain,
    allocate_summary_budget,
    points_per_part,
)
from lcagent.agents.summarize.book_chapters import Chapter, find_chapters, split_by_chapters
from lcagent.agents.token_budget import token_counter
from lcagent.pipelines.context import RunContext
from lcagent.pipelines.methods.chain.options import ChainOptions
from lcagent.pipelines.methods.chain.run import ChainRun, where
from lcagent.pipelines.methods.summarize.options import SummarizeOptions
from lcagent.retrieval.quotes.checking import QuoteChecker
from lcagent.tasks import SummarizeTask

SUMMARY = "summary"
"""The key of the step that writes the summary."""


class SummaryState(TypedDict):
    """How far a summary is; what was noted is in the log of the run.

    Attributes:
        position: The part to read next.
        ended: Parts that were read at the same time.
    """

    position: int
    ended: Annotated[list[int], operator.add]


async def chain_of_readers(run: RunContext) -> ChainRun:
    """Return the readers of a summary, made once per run."""
    return await run.once(
        "summary", lambda: asyncio.ensure_future(asyncio.to_thread(_prepare, run))
    )


def focus_of(run: RunContext) -> str:
    """Return what the summary is to be about; empty for everything."""
    task = run.task
    assert isinstance(task, SummarizeTask)
    return task.focus.strip()


def chapters(run: RunContext) -> list[Chapter]:
    """Return the chapters of all documents that have text on the selected pages."""
    return [
        one
        for document in run.collection.documents
        for one in find_chapters(document)
        if any(at + 1 in run.pages and document.pages[at].text.strip() for at in _pages(one))
    ]


def points_by_part(chain: ChainRun, run: RunContext) -> list[tuple[str, Sequence[NotedFact]]]:
    """Return the points of each part with its title."""
    titles = {(one.document_id, at): one.title for one in chapters(run) for at in _pages(one)}
    by_chapters = run.options(SummarizeOptions).by == "chapters"
    parts: list[tuple[str, Sequence[NotedFact]]] = []
    for chunk, change in chain.changes(chain.paths[0]):
        ref = chunk.pages[0]
        title = titles[ref.document_id, ref.page_index]
        parts.append((title if by_chapters else where(chunk, run), change.facts))
    return parts


def _pages(chapter: Chapter) -> range:
    return range(chapter.first, chapter.last + 1)


def _prepare(run: RunContext) -> ChainRun:
    options, focus = run.options(SummarizeOptions), focus_of(run)
    budget = allocate_summary_budget(focus, run.chat_model)
    chunks = _parts(options, budget.chunk_tokens, run)
    chain = SummaryChain(
        focus,
        run.chat_model,
        budget,
        QuoteChecker(run.collection.documents),
        points=points_per_part(options.words, len(chunks)),
    )
    return ChainRun(chain, chunks, ChainOptions(is_parallel=options.is_parallel), run.log)


def _parts(options: SummarizeOptions, chunk_tokens: int, run: RunContext) -> list[WorkerChunk]:
    count, documents = token_counter(run.chat_model), run.collection.documents
    if options.by == "chunks":
        return split_for_workers(documents, chunk_tokens, count, run.pages)
    return split_by_chapters(documents, chapters(run), chunk_tokens, count, run.pages)
