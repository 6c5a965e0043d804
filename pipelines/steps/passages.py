"""Answering in one call: from retrieved passages ("rag"), or from all of the text ("whole")."""

import asyncio
from collections.abc import Sequence

from lcagent.agents.answering import (
    LabelledPassage,
    ReaderPrompt,
    all_pages_as_sources,
    answer_from_sources,
    pack_passages,
)
from lcagent.agents.token_budget import MARGIN_TOKENS, token_counter
from lcagent.models.chat_model import OnText
from lcagent.pipelines.context import RunContext
from lcagent.pipelines.steps.state import AskState, SourceState, Written
from lcagent.storage.run_store import StoredStep

ANSWER = "answer"
"""The key of the step that writes the answer."""


async def answer_from_passages(
    state: AskState, run: RunContext, on_text: OnText | None = None
) -> Written:
    """Search, then answer from what was found; where nothing was, no model is called."""
    found = await run.retriever.search(
        state["question"],
        top_k=run.top_k,
        pages=run.pages,
        vectors=run.vectors,
    )
    budget = min(run.evidence_tokens, room_for_passages(state["question"], run))
    sources = await asyncio.to_thread(
        pack_passages,
        found.passages,
        run.documents,
        budget,
        token_counter(run.chat_model),
        run.pages,
    )
    reply = await _answer(state["question"], sources, run, on_text) if sources else ""
    return Written(
        reply=reply,
        sources=_states(sources),
        unread=[],
        notes=list(found.notes),
        chunks=found.chunks,
        chunks_read=found.chunks_read,
    )


async def answer_from_all(
    state: AskState, run: RunContext, on_text: OnText | None = None
) -> Written:
    """Answer from all of the text at once."""
    sources = await asyncio.to_thread(all_pages_as_sources, run.collection.documents, run.pages)
    reply = await _answer(state["question"], sources, run, on_text) if sources else ""
    return Written(
        reply=reply,
        sources=_states(sources),
        unread=[],
        notes=[],
        chunks=len(sources),
        chunks_read=len(sources),
    )


def room_for_passages(question: str, run: RunContext) -> int:
    """Return how many tokens of passages fit the window beside the question and the reply."""
    empty = run.chat_model.count_tokens(ReaderPrompt(question, ()).messages())
    return run.chat_model.card.window_tokens - empty - run.reply_tokens - MARGIN_TOKENS


async def _answer(
    question: str, sources: Sequence[LabelledPassage], run: RunContext, on_text: OnText | None
) -> str:
    model = run.metered()
    reply = await answer_from_sources(
        sources, question, model=model, max_tokens=run.reply_tokens, on_text=on_text
    )
    pages = [[source.page.document_id, source.page.page_index] for source in sources]
    await run.record.add(StoredStep(ANSWER, {"pages": pages, "reply": reply}, model.calls))
    return reply


def _states(sources: Sequence[LabelledPassage]) -> dict[str, SourceState]:
    return {
        source.label: SourceState(
            document_id=source.page.document_id, page_index=source.page.page_index, quote=""
        )
        for source in sources
    }
