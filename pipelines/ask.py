"""Answer a question about documents."""

import asyncio
import time
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Unpack
from uuid import uuid4

from lcagent.agents.citations import AttributedQuote, cite, claim
from lcagent.concurrency import run_sync
from lcagent.errors import UsageError
from lcagent.pipelines.ask_steps import AskState, initial_state, merged, quote, route
from lcagent.pipelines.context import RunContext
from lcagent.pipelines.coverage import check_selection, coverage_of, notes_on
from lcagent.pipelines.options import AskOptions, collect, open_runtime, readable, selected_pages
from lcagent.pipelines.runtime import Runtime
from lcagent.results import Answer, Citation, as_json
from lcagent.retrieval.quotes.checking import PageRef

NOT_FOUND = "Not in the document: nothing in it answers the question."
QUOTING_ONLY = "no language model is configured: the answer is quoted from the document"


async def ask_async(
    documents: str | Path | Sequence[str | Path], question: str, **options: Unpack[AskOptions]
) -> Answer:
    """Answer `question` from `documents`: files, folders, globs, or ids of stored documents.

    Raises:
        UsageError: A document or an option makes no sense, or no document can be read.
        StorageError: The store cannot be read or written.
    """
    question = readable(question)
    if not question.strip():
        raise UsageError("the question is empty")
    started = time.perf_counter()
    pages = selected_pages(options)
    wanted, model = options.get("strategy", "auto"), options.get("model", "quote")
    state = initial_state(question, wanted, model)
    state = merged(state, route(state))  # before anything is read: a wrong option costs nothing
    async with open_runtime(options) as runtime:
        collection = await collect(documents, options, runtime)
        check_selection(collection, pages)
        read = time.perf_counter()
        # Quotes are chosen by words, so a page that only means the same gives none.
        vectors = runtime.vector_use(options.get("vectors"), by_default="stored")
        top_k = options.get("top_k", 12)
        run = RunContext(collection, runtime.retriever, pages, top_k, vectors)
        state = merged(state, await quote(state, run))
        timings = {"read": read - started, "answer": time.perf_counter() - read}
        answer = await asyncio.to_thread(_answer, state, run, runtime, timings)
        await asyncio.to_thread(_record, answer, runtime)
    return answer


def ask(
    documents: str | Path | Sequence[str | Path], question: str, **options: Unpack[AskOptions]
) -> Answer:
    """Do as `ask_async` does, from synchronous code or a notebook."""
    return run_sync(ask_async(documents, question, **options))


def _answer(
    state: AskState, run: RunContext, runtime: Runtime, timings: dict[str, float]
) -> Answer:
    """Make the answer of the quotes in the state, each of them checked."""
    citations = _citations(state, run, runtime)
    claims = [claim(_quoted(found), found) for found in citations]
    notes = [QUOTING_ONLY, *state["notes"], *notes_on(run.collection.documents)]
    marked = (f"{one.text} [{', '.join(one.citations)}]" for one in claims)
    return Answer(
        run_id=uuid4().hex,
        question=state["question"],
        answer="\n".join(marked) or NOT_FOUND,
        abstained=not claims,
        strategy=state["strategy"],
        model=state["model"],
        claims=tuple(claims),
        citations=tuple(citation for found in citations for citation in found),
        coverage=coverage_of(run.collection, run.pages, state["chunks"], state["chunks_read"]),
        timings_s={name: round(seconds, 3) for name, seconds in timings.items()},
        notes=tuple(notes),
    )


def _citations(state: AskState, run: RunContext, runtime: Runtime) -> list[list[Citation]]:
    """Return the checked citations of each quote."""
    documents = {document.id: document for document in run.collection.documents}
    quotes = [
        [
            AttributedQuote(
                documents[found["document_id"]].pages[found["page_index"]].text[start:end],
                PageRef(found["document_id"], found["page_index"]),
            )
            for start, end in found["spans"]
        ]
        for found in state["quotes"]
    ]
    flat = [quote for group in quotes for quote in group]
    citations = iter(cite(flat, run.collection.documents, runtime.documents.with_lines))
    return [list(islice(citations, len(group))) for group in quotes]


def _quoted(citations: Sequence[Citation]) -> str:
    """Return the quotes of a claim as a person would write them, on one line."""
    return " … ".join(f"“{' '.join(citation.quote.split())}”" for citation in citations)


def _record(answer: Answer, runtime: Runtime) -> None:
    runtime.runs.begin(
        answer.run_id, verb="ask", question=answer.question, strategy=answer.strategy
    )
    runtime.runs.update(answer.run_id, status="done", result=as_json(answer))
