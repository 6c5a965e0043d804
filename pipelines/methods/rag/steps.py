"""Answering from retrieved passages in one call: the step, and what it costs."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from math import exp
from typing import TypedDict

from langgraph.runtime import Runtime

from lcagent.agents.answering import (
    PASSAGE_FRAME_TOKENS,
    LabelledPassage,
    all_pages_as_sources,
    answer_from_sources,
    pack_passages,
    reader_prompt,
)
from lcagent.agents.nearest import pack_nearest
from lcagent.agents.prompt_templates import Prompt
from lcagent.agents.quoting import choose_quotes
from lcagent.agents.token_budget import MARGIN_TOKENS, CountTokens, token_counter
from lcagent.models.chat_model import OnText, Reply
from lcagent.pipelines.context import RunContext
from lcagent.pipelines.cost import Cost
from lcagent.pipelines.methods.quote.steps import quote_state
from lcagent.pipelines.state import AskState, MethodOutput, QuoteState, SourceState
from lcagent.pipelines.streaming import AnswerStreamer
from lcagent.retrieval.search.retriever import SearchResults
from lcagent.storage.run_store import StoredStep

ANSWER = "answer"
"""The key of the step that writes the answer."""

SHARE_OF_WINDOW = 8
"""What small windows give to passages, one part in so many: the more a small model is shown, the
less it finds in it (docs/decisions/0017)."""

LEAST_TOKENS = 512
"""As much is shown whatever the window, if there is room."""

WHOLE_PAGES_TOKENS = 4_000
"""From so much room on, whole pages are shown instead of the sentences nearest to the question."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a model is shown: passages, in a prompt; and what the user should know of the choice."""

    sources: Sequence[LabelledPassage]
    prompt: Prompt
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReaderReply:
    """What a model replied when it had read some passages.

    Attributes:
        confidence: The lowest probability of a token, 0 to 1; None where the server tells none.
    """

    reply: str = ""
    confidence: float | None = None


async def rag(state: AskState, runtime: Runtime[RunContext]) -> MethodOutput:
    """Search, and answer from what was found; where nothing was, from the first pages."""
    run, question = runtime.context, state["question"]
    found = await run.retriever.search(
        question, top_k=run.top_k, pages=run.pages, vectors=run.vectors
    )
    shown = await asyncio.to_thread(_shown, found, question, run)
    on_text = AnswerStreamer(runtime.stream_writer, question)
    reading = await read(shown, run, on_text)
    on_text.close()
    cut = run.log.cut_notes(ANSWER)
    return MethodOutput(
        reply=reading.reply,
        finish="cut" if cut else "complete",
        confidence=reading.confidence,
        **nearest(found),
        sources=source_states(shown.sources),
        unread=[],
        notes=[*found.notes, *shown.notes, *cut],
        chunks=found.chunks,
        chunks_read=found.chunks_read,
    )


def lowest_probability(reply: Reply) -> float | None:
    """Return the probability of the least likely token of a reply, where the server tells them.

    A wrong answer has one that the model itself doubts, more often than a right one does.
    """
    if not reply.logprobs:
        return None
    return round(exp(min(token.logprob for token in reply.logprobs)), 4)


class Nearest(TypedDict):
    """What lcagent itself would quote."""

    nearest: list[QuoteState]
    is_near: bool


def nearest(found: SearchResults) -> Nearest:
    """Return what lcagent would quote of what was found."""
    best = choose_quotes(found)
    return Nearest(nearest=[quote_state(each) for each in best.quotes], is_near=best.are_answer)


async def read(shown: Shown, run: RunContext, on_text: OnText) -> ReaderReply:
    """Return the reply to a question with its passages, and log it; no reply without passages.

    A run that goes on and had its reply takes that from the log, whose costs are counted there.
    """
    if not shown.sources:
        return ReaderReply()
    if ANSWER in run.log:
        detail = run.log[ANSWER].detail
        on_text(str(detail["reply"]))
        return ReaderReply(str(detail["reply"]), detail.get("confidence"))
    model = run.metered()
    reply = await answer_from_sources(
        shown.prompt, model=model, max_tokens=run.reply_tokens, on_text=on_text
    )
    reading = ReaderReply(reply.text, lowest_probability(reply))
    pages = [[source.page.document_id, source.page.page_index] for source in shown.sources]
    detail = {"pages": pages, "reply": reply.text, "confidence": reading.confidence}
    await run.log.add(StoredStep(ANSWER, detail, model.calls))
    return reading


def _shown(found: SearchResults, question: str, run: RunContext) -> Shown:
    """Return what the model is shown of what was found."""
    room, count = room_for_passages(question, run), token_counter(run.chat_model)
    most = max(0, min(run.evidence_tokens, room))
    if not found.passages:
        return _beginning(question, most, run, count)
    if run.gives_marks:
        sources = pack_passages(found.passages, run.documents, most, count, run.pages)
        return Shown(sources, reader_prompt(question, sources, gives_marks=True))
    share = min(most, max(LEAST_TOKENS, run.chat_model.card.window_tokens // SHARE_OF_WINDOW))
    if share < WHOLE_PAGES_TOKENS:
        near = pack_nearest(found, run.documents, share, count)
        return Shown(near, reader_prompt(question, near, is_joined=True))
    sources = pack_passages(found.passages, run.documents, most, count, run.pages)
    return Shown(sources, reader_prompt(question, sources))


def _beginning(question: str, budget_tokens: int, run: RunContext, count: CountTokens) -> Shown:
    """Return the pages that fit from the first on: all of a short text.

    A question without a word that the text has ("What is said?", another language) can be answered
    by who reads it, but not be looked up.
    """
    pages = all_pages_as_sources(run.collection.documents, run.pages)
    sources: list[LabelledPassage] = []
    for page in pages:
        budget_tokens -= count(page.text) + PASSAGE_FRAME_TOKENS
        if budget_tokens < 0:
            break
        sources.append(page)
    if not sources:
        return Shown((), reader_prompt(question, ()))
    read = "all" if len(sources) == len(pages) else f"only the first {len(sources)} of {len(pages)}"
    note = f"no passage has words of the question: {read} of the pages were read"
    return Shown(sources, reader_prompt(question, sources), (note,))


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
    prompt = reader_prompt(question, (), gives_marks=run.gives_marks)
    empty = run.chat_model.count_tokens(prompt.messages())
    return run.chat_model.card.window_tokens - empty - run.reply_tokens - MARGIN_TOKENS


def cost(question: str, run: RunContext) -> Cost:
    """Return the most that answering from passages takes."""
    room = room_for_passages(question, run)
    # What is read from the beginning, where search finds nothing, may take all there is room for.
    evidence = max(0, min(run.evidence_tokens, room))
    window = run.chat_model.card.window_tokens
    prompt = window - run.reply_tokens - MARGIN_TOKENS - room
    return Cost(1, 1, prompt + evidence, run.reply_tokens)
