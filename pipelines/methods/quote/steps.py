"""Answering by quoting: the step."""

from typing import TYPE_CHECKING

from lcagent.agents.quoting import choose_quotes
from lcagent.pipelines.context import RunContext
from lcagent.pipelines.state import AskState, QuoteOutput, QuoteState

if TYPE_CHECKING:
    from langgraph.runtime import Runtime


async def quote(state: AskState, runtime: "Runtime[RunContext]") -> QuoteOutput:
    """Answer by quoting, as a node of the graph."""
    return await find_quotes(state["question"], runtime.context)


async def find_quotes(question: str, run: RunContext) -> QuoteOutput:
    """Find the sentences of the documents that answer best, or else those that come nearest."""
    found = await run.retriever.search(
        question,
        top_k=run.top_k,
        pages=run.pages,
        vectors=run.vectors,
    )
    best = choose_quotes(found)
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
        for chosen in best.quotes
    ]
    return QuoteOutput(
        quotes=quotes,
        outcome="answered" if best.are_answer else "nearest",
        notes=list(found.notes),
        chunks=found.chunks,
        chunks_read=found.chunks_read,
    )
