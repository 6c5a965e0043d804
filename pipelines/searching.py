"""Searching documents: the passages that fit best, with their pages."""

from lcagent.documents import Passage
from lcagent.pipelines.context import RunContext
from lcagent.pipelines.coverage import coverage_of, notes_on
from lcagent.results import Hit, SearchResult
from lcagent.tasks import SearchTask


async def found_passages(task: SearchTask, run: RunContext) -> SearchResult:
    """Return the passages of the documents of a run that fit best, best first."""
    found = await run.retriever.search(
        task.query,
        top_k=task.top_k,
        pages=run.pages,
        vectors=run.vectors,
    )
    return SearchResult(
        query=task.query,
        hits=tuple(_hit(rank, passage) for rank, passage in enumerate(found.passages, 1)),
        coverage=coverage_of(run.collection, run.pages, found.chunks, found.chunks_read),
        notes=(*found.notes, *notes_on(run.collection.documents)),
    )


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
