"""Answering by quoting."""

from lcagent.agents.quoting import choose_quotes
from lcagent.pipelines.context import RunContext
from lcagent.pipelines.steps.state import AskState, Quoted, QuoteState


async def quote(state: AskState, run: RunContext) -> Quoted:
    """Find the sentences of the documents that answer best; none where nothing does."""
    found = await run.retriever.search(
        state["question"],
        top_k=run.top_k,
        pages=run.pages,
        vectors=run.vectors,
    )
    quotes = [
        QuoteState(
            document_id=chosen.span.document_id,
            page_index=chosen.span.page_index,
            spans=[
                (span.start, span.end)
                for span in (chosen.column_heads, chosen.span)
                if span is not None
            ],
            score=round(chosen.score, 4),
        )
        for chosen in choose_quotes(found)
    ]
    return Quoted(
        quotes=quotes,
        notes=list(found.notes),
        chunks=found.chunks,
        chunks_read=found.chunks_read,
    )
