"""The steps of answering a question: small state in, small changes out.

`ask_graph.py` makes a LangGraph graph of them. Each step is a plain function, so that it can be
tested, and run, without LangGraph.
"""

from typing import TypedDict, cast

from lcagent.agents.quoting import choose_quotes
from lcagent.pipelines import routing
from lcagent.pipelines.context import RunContext


class QuoteState(TypedDict):
    """Where a quote stands: offsets into the text of one page.

    Attributes:
        spans: The quote itself; before it, if it is a table row, the heads of its columns.
    """

    document_id: str
    page_index: int
    spans: list[tuple[int, int]]
    score: float


class AskState(TypedDict):
    """A question on its way to an answer."""

    question: str
    wanted: str
    model: str
    strategy: str
    reason: str
    quotes: list[QuoteState]
    notes: list[str]
    chunks: int
    chunks_read: int


class Routed(TypedDict):
    """What routing adds."""

    strategy: str
    reason: str


class Quoted(TypedDict):
    """What quoting adds."""

    quotes: list[QuoteState]
    notes: list[str]
    chunks: int
    chunks_read: int


def initial_state(question: str, wanted: str = "auto", model: str = "quote") -> AskState:
    """Return the state before the first step."""
    return AskState(
        question=question,
        wanted=wanted,
        model=model,
        strategy="",
        reason="",
        quotes=[],
        notes=[],
        chunks=0,
        chunks_read=0,
    )


def merged(state: AskState, change: Routed | Quoted) -> AskState:
    """Return the state after a step, as LangGraph would merge it."""
    return cast("AskState", {**state, **change})


def route(state: AskState) -> Routed:
    """Choose the method."""
    chosen = routing.choose(state["wanted"], state["model"])
    return Routed(strategy=chosen.strategy, reason=chosen.reason)


async def quote(state: AskState, run: RunContext) -> Quoted:
    """Find the sentences of the documents that answer best; none where nothing does."""
    found = await run.retriever.search(
        state["question"],
        run.collection.documents,
        top_k=run.top_k,
        pages=run.pages,
        vectors=run.vectors,
    )
    quotes = [
        QuoteState(
            document_id=chosen.document_id,
            page_index=chosen.page_index,
            spans=[*filter(None, [chosen.column_heads]), (chosen.start, chosen.end)],
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
