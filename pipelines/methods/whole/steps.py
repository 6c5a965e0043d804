"""Answering from all of the text in one call: the step, when it can be taken, what it costs."""

import asyncio

from langgraph.runtime import Runtime

from lcagent.agents.answering import all_pages_as_sources, reader_prompt
from lcagent.agents.token_budget import MARGIN_TOKENS
from lcagent.pipelines.context import RunContext
from lcagent.pipelines.cost import Cost, asked_pages
from lcagent.pipelines.methods.rag.steps import ANSWER, Shown, nearest, read, source_states
from lcagent.pipelines.state import AskState, MethodOutput
from lcagent.pipelines.streaming import AnswerStreamer

CHARACTERS_PER_TOKEN_AT_MOST = 12
"""No language has so few tokens; a longer text need not be counted to know that it is too long."""


async def whole(state: AskState, runtime: Runtime[RunContext]) -> MethodOutput:
    """Answer from all of the text at once."""
    run = runtime.context
    sources = await asyncio.to_thread(all_pages_as_sources, run.collection.documents, run.pages)
    question = state["question"]
    found = await run.retriever.search(question, top_k=run.top_k, pages=run.pages, vectors="none")
    shown = Shown(sources, reader_prompt(question, sources, gives_marks=run.gives_marks))
    on_text = AnswerStreamer(runtime.stream_writer, question)
    reading = await read(shown, run, on_text)
    on_text.close()
    cut = run.log.cut_notes(ANSWER)
    return MethodOutput(
        reply=reading.reply,
        confidence=reading.confidence,
        **nearest(found),
        finish="cut" if cut else "complete",
        sources=source_states(sources),
        unread=[],
        notes=cut,
        chunks=len(sources),
        chunks_read=len(sources),
    )


def fits_window(question: str, run: RunContext) -> bool:
    """Say whether the model can be shown all of the text at once, beside the question."""
    window = run.chat_model.card.window_tokens
    characters = sum(len(page.text) for page in asked_pages(run))
    if characters > window * CHARACTERS_PER_TOKEN_AT_MOST:
        return False
    return _prompt_tokens(question, run) + run.reply_tokens + MARGIN_TOKENS <= window


def cost(question: str, run: RunContext) -> Cost:
    """Return what reading all of the text takes."""
    return Cost(1, 1, _prompt_tokens(question, run), run.reply_tokens)


def _prompt_tokens(question: str, run: RunContext) -> int:
    sources = all_pages_as_sources(run.collection.documents, run.pages)
    prompt = reader_prompt(question, sources, gives_marks=run.gives_marks)
    return run.chat_model.count_tokens(prompt.messages())
