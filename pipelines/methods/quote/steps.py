"""Answering by quoting: the step."""

from typing import TYPE_CHECKING

from lcagent.agents.quoting import Quote, choose_quotes
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
    return QuoteOutput(
        quotes=[quote_state(chosen) for chosen in best.quotes],
        outcome="answered" if best.are_answer else "nearest",
        notes=list(found.notes),
        chunks=found.chunks,
        chunks_read=found.chunks_read,
    )


def quote_state(quote: Quote) -> QuoteState:
    """Return a quote as the state of the graph keeps it."""
    spans = (quote.column_heads, quote.span)
    return QuoteState(
        document_id=quote.span.document_id,
        page_index=quote.span.page_index,
        spans=[(span.start, span.end) for span in spans if span is not None],
        score=round(quote.score, 4),
    )
