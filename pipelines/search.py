"""Search documents: the passages that fit best, with their pages."""

from collections.abc import Sequence
from pathlib import Path
from typing import Unpack

from lcagent.concurrency import run_sync
from lcagent.documents import Passage
from lcagent.errors import UsageError
from lcagent.pipelines.coverage import check_selection, coverage_of, notes_on
from lcagent.pipelines.options import SearchOptions, collect, open_runtime, readable, selected_pages
from lcagent.results import Hit, SearchResult


async def search_async(
    documents: str | Path | Sequence[str | Path], query: str, **options: Unpack[SearchOptions]
) -> SearchResult:
    """Return the passages of `documents` that fit `query` best, best first.

    Raises:
        UsageError: A document or an option makes no sense, or no document can be read.
        StorageError: The store cannot be read or written.
    """
    query = readable(query)
    if not query.strip():
        raise UsageError("the query is empty")
    pages = selected_pages(options)
    async with open_runtime(options) as runtime:
        collection = await collect(documents, options, runtime)
        check_selection(collection, pages)
        found = await runtime.retriever.over(collection.documents).search(
            query,
            top_k=options.get("top_k", 10),
            pages=pages,
            vectors=runtime.vector_use(options.get("vectors"), by_default="needed"),
        )
    return SearchResult(
        query=query,
        hits=tuple(_hit(rank, passage) for rank, passage in enumerate(found.passages, 1)),
        coverage=coverage_of(collection, pages, found.chunks, found.chunks_read),
        notes=(*found.notes, *notes_on(collection.documents)),
    )


def search(
    documents: str | Path | Sequence[str | Path], query: str, **options: Unpack[SearchOptions]
) -> SearchResult:
    """Do as `search_async` does, from synchronous code or a notebook."""
    return run_sync(search_async(documents, query, **options))


def _hit(rank: int, passage: Passage) -> Hit:
    return Hit(
        rank=rank,
        document=passage.document_name,
        document_id=passage.span.document_id,
        page=passage.page.number,
        page_label=passage.page.label,
        section=passage.page.section,
        text=passage.text,
        start=passage.span.start,
        end=passage.span.end,
        score=round(passage.score, 4),
        lexical_rank=passage.lexical_rank,
        dense_rank=passage.dense_rank,
    )
