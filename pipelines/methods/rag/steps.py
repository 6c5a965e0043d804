"""Answering from retrieved passages in one call: the step, and what it costs."""

import asyncio
from collections.abc import Sequence

from langgraph.runtime import Runtime

from lcagent.agents.answering import (
    LabelledPassage,
    ReaderPrompt,
    answer_from_sources,
    pack_passages,
)
from lcagent.agents.token_budget import MARGIN_TOKENS, token_counter
from lcagent.models.chat_model import OnText
from lcagent.pipelines.context import RunContext
from lcagent.pipelines.cost import Cost
from lcagent.pipelines.state import AskState, MethodOutput, SourceState
from lcagent.pipelines.streaming import AnswerStreamer
from lcagent.storage.run_store import StoredStep

ANSWER = "answer"
"""The key of the step that writes the answer."""


async def rag(state: AskState, runtime: Runtime[RunContext]) -> MethodOutput:
    """Search, then answer from what was found; where nothing was, no model is called."""
    run, question = runtime.context, state["question"]
    found = await run.retriever.search(
        question, top_k=run.top_k, pages=run.pages, vectors=run.vectors
    )
    budget = min(run.evidence_tokens, room_for_passages(question, run))
    sources = await asyncio.to_thread(
        pack_passages,
        found.passages,
        run.documents,
        budget,
        token_counter(run.chat_model),
        run.pages,
    )
    on_text = AnswerStreamer(runtime.stream_writer)
    reply = await answer(question, sources, run, on_text)
    cut = run.log.cut_notes(ANSWER)
    return MethodOutput(
        reply=reply,
        finish="cut" if cut else "complete",
        sources=source_states(sources),
        unread=[],
        notes=[*found.notes, *cut],
        chunks=found.chunks,
        chunks_read=found.chunks_read,
    )


async def answer(
    question: str, sources: Sequence[LabelledPassage], run: RunContext, on_text: OnText
) -> str:
    """Return the reply to a question with its passages, and log it; no reply without passages.

    A run that goes on and had its reply takes that from the log, whose costs are counted there.
    """
    if not sources:
        return ""
    if ANSWER in run.log:
        reply = str(run.log[ANSWER].detail["reply"])
        on_text(reply)
        return reply
    model = run.metered()
    reply = await answer_from_sources(
        sources, question, model=model, max_tokens=run.reply_tokens, on_text=on_text
    )
    pages = [[source.page.document_id, source.page.page_index] for source in sources]
    await run.log.add(StoredStep(ANSWER, {"pages": pages, "reply": reply}, model.calls))
    return reply


def source_states(sources: Sequence[LabelledPassage]) -> dict[str, SourceState]:
    """Return what the marks of a reply stand for, as the state of the graph keeps it."""
    return {
        source.label: SourceState(
            document_id=source.page.document_id, page_index=source.page.page_index, quote=""
        )
        for source in sources
    }


def room_for_passages(question: str, run: RunContext) -> int:
    """Return how many tokens of passages fit the window beside the question and the reply."""
    empty = run.chat_model.count_tokens(ReaderPrompt(question, ()).messages())
    return run.chat_model.card.window_tokens - empty - run.reply_tokens - MARGIN_TOKENS


def cost(question: str, run: RunContext) -> Cost:
    """Return the most that answering from passages takes."""
    room = room_for_passages(question, run)
    evidence = min(run.evidence_tokens, room)
    window = run.chat_model.card.window_tokens
    prompt = window - run.reply_tokens - MARGIN_TOKENS - room
    return Cost(1, 1, prompt + max(0, evidence), run.reply_tokens)
