"""The steps of a chain: preparing it, reading, reading again, and the answer."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from lcagent.agents.chain.chain_of_agents import NOTHING_NEW, Chain
from lcagent.agents.chain.chain_prompts import (
    ChainBudget,
    CitingManagerPrompt,
    ManagerPrompt,
    NoteTakerPrompt,
    WorkerPrompt,
    allocate_budget,
)
from lcagent.agents.chain.notes import Notes, NotesDelta
from lcagent.agents.chain.worker_chunks import WorkerChunk, split_for_workers
from lcagent.agents.citations import find_marks, strip_marks
from lcagent.agents.refusals import says_not_found
from lcagent.agents.token_budget import token_counter
from lcagent.documents import Page
from lcagent.models.chat_model import OnText
from lcagent.pipelines.context import RunContext
from lcagent.pipelines.methods.chain_run import ChainRun, Path
from lcagent.pipelines.steps.passages import ANSWER
from lcagent.pipelines.steps.state import SourceState, UnreadState, Written
from lcagent.retrieval.quotes.checking import QuoteChecker
from lcagent.storage.run_store import StoredStep


async def prepared(question: str, run: RunContext) -> ChainRun:
    """Return the chain for a question, made once per run."""
    if question not in run.chains:
        run.chains[question] = asyncio.ensure_future(_prepare(question, run))
    return await run.chains[question]


async def read(question: str, path: int, position: int, run: RunContext) -> str:
    """Let one worker read; return where, in words."""
    chain = await prepared(question, run)
    chunk = await chain.read(chain.paths[path], position)
    return where(chunk, run)


async def read_again(question: str, run: RunContext) -> int:
    """Read again the chunks most like what is still open; return how many were read."""
    chain = await prepared(question, run)
    again = 0
    for path in chain.paths if chain.options.rereads else ():
        notes = chain.notes_after_reading(path)
        if not notes.open_questions or len(chain.chunks) < 2:
            continue
        likely = await _like(" ".join(notes.open_questions), chain.chunks, run)
        for place, index in enumerate(likely[: chain.options.rereads]):
            worker, metered = chain.worker(path)
            notes = chain.notes_after_reading(path)
            chunk = chain.chunks[index]
            change = await worker.read(chunk, notes, f"re-reading {place + 1}")
            await chain.keep(f"after/{path.number}/{place}", change, metered, chunk)
            again += 1
    return again


async def answer(question: str, run: RunContext, on_text: OnText | None = None) -> Written:
    """Make the answer of what was noted on all paths."""
    chain = await prepared(question, run)
    if chain.options.baseline == "merge":
        return _written(chain, *_vote_of_members(chain))
    candidates = [await _chosen(chain, path) for path in chain.paths]
    reply = ""
    if any(candidates) or not chain.options.notes_with_quotes:
        reply = await _reply(chain, candidates, on_text)
    return _written(chain, reply, candidates)


def where(chunk: WorkerChunk, run: RunContext) -> str:
    """Say in words which pages a chunk is from."""
    documents = run.documents
    pages = [documents[ref.document_id].pages[ref.page_index] for ref in chunk.pages]
    return _from_to(pages[0], pages[-1])


async def _prepare(question: str, run: RunContext) -> ChainRun:
    options, model = run.chain, run.chat_model
    budget = budget_for(question, run)
    documents = run.collection.documents
    chunks = await asyncio.to_thread(
        split_for_workers, documents, budget.chunk_tokens, token_counter(model), run.pages
    )
    chain = Chain(
        question,
        model,
        budget,
        QuoteChecker(documents),
        takes_notes=options.notes_with_quotes,
        reasks=options.reasks,
        temperature=options.temperature,
    )
    likeness = await _like(question, chunks, run) if "similarity" in options.orders else []
    return ChainRun(chain, chunks, options, run.record, likeness)


def budget_for(question: str, run: RunContext) -> ChainBudget:
    """Return the budget of a chain for a question."""
    if run.chain.notes_with_quotes:
        worker = NoteTakerPrompt(question, "", "").messages()
        manager = CitingManagerPrompt(question, "").messages()
    else:
        worker = WorkerPrompt(question, "", "").messages()
        manager = ManagerPrompt(question, "").messages()
    return allocate_budget(run.chat_model, worker=worker, manager=manager)


async def _chosen(chain: ChainRun, path: Path) -> Notes:
    """Return a path's notes, fewer of them where the manager cannot be shown all."""
    key = f"after/{path.number}/select"
    if key not in chain.record:
        worker, metered = chain.worker(path)
        notes = chain.notes_after_reading(path)
        change = await worker.select_facts(notes)
        condensed = await worker.condense_summaries(notes.message)
        change = replace(change, message=condensed if condensed != notes.message else None)
        if change != NotesDelta():
            await chain.keep(key, change, metered)
    return chain.notes_after_reading(path)


async def _reply(chain: ChainRun, candidates: Sequence[Notes], on_text: OnText | None) -> str:
    if len(candidates) == 1:
        return await _conclude(chain, chain.paths[0], candidates[0], ANSWER, on_text)
    if chain.options.combine == "judge":
        judge, metered = chain.worker(chain.paths[0])
        reply = await judge.judge_paths(candidates, on_text)
        await chain.record.add(StoredStep(ANSWER, {"reply": reply}, metered.calls))
        return reply
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(_conclude(chain, path, notes, f"{ANSWER}/{path.number}", None))
            for path, notes in zip(chain.paths, candidates, strict=True)
        ]
    reply = vote([task.result() for task in tasks])
    if on_text is not None:
        on_text(reply)
    return reply


async def _conclude(
    chain: ChainRun, path: Path, notes: Notes, key: str, on_text: OnText | None
) -> str:
    manager, metered = chain.worker(path)
    reply = await manager.answer_from_notes(notes, on_text)
    await chain.record.add(StoredStep(key, {"reply": reply}, metered.calls))
    return reply


def vote(answers: Sequence[str]) -> str:
    """Return the answer that most agree on; of equals the first. Refusals have no vote."""
    valid = [answer for answer in answers if not says_not_found(answer)] or list(answers)
    counts = Counter(map(_folded, valid))
    return max(valid, key=lambda answer: counts[_folded(answer)], default="")


def _folded(answer: str) -> str:
    words = strip_marks(answer).lower().split()
    kept = [word.strip(".,;:!?\"'()") for word in words if word not in ("a", "an", "the")]
    return " ".join(filter(None, kept)) or " ".join(words)


def _vote_of_members(chain: ChainRun) -> tuple[str, list[Notes]]:
    answers = [change.message or "" for _, change in chain.changes(chain.paths[0])]
    return vote(answers), []


def _written(chain: ChainRun, reply: str, candidates: Iterable[Notes]) -> Written:
    facts = {fact.label: fact for notes in candidates for fact in notes.facts}
    cited = dict.fromkeys(mark.source for mark in find_marks(reply))
    sources = {
        label: SourceState(
            document_id=facts[label].page.document_id,
            page_index=facts[label].page.page_index,
            quote=facts[label].quote,
        )
        for label in cited
        if label in facts
    }
    return Written(
        reply=reply,
        sources=sources,
        unread=unread_pages(chain),
        notes=_notes(chain),
        chunks=len(chain.chunks),
        chunks_read=len(chain.chunks),
    )


def unread_pages(chain: ChainRun) -> list[UnreadState]:
    """Return the pages whose readers gave nothing that could be used, on any path."""
    lost: list[dict[int, str]] = []
    for path in chain.paths:
        unusable = {
            chunk.index: change.flags[-1]
            for chunk, change in chain.changes(path)
            if _is_unusable(change)
        }
        lost.append(unusable)
    common = set[int].intersection(*map(set[int], lost)) if lost else set[int]()
    return [
        UnreadState(document_id=ref.document_id, page_index=ref.page_index, reason=lost[0][index])
        for index in sorted(common)
        for ref in chain.chunks[index].pages
    ]


def _is_unusable(change: NotesDelta) -> bool:
    said = change.facts or change.message or change.answer is not None
    return bool(change.flags) and not said and NOTHING_NEW not in change.flags


def _notes(chain: ChainRun) -> list[str]:
    flags = Counter(
        flag for path in chain.paths for _, change in chain.changes(path) for flag in change.flags
    )
    flags.update(
        flag for step in chain.record.steps("after/") for flag in chain.change(step.key).flags
    )
    del flags[NOTHING_NEW]
    return [f"{flag} ({times} times)" if times > 1 else flag for flag, times in flags.items()]


async def _like(question: str, chunks: Sequence[WorkerChunk], run: RunContext) -> list[int]:
    """Return the indices of chunks with pages that fit a question, the best first."""
    found = await run.retriever.search(question, top_k=50, pages=run.pages, vectors=run.vectors)
    likely: dict[int, None] = {}
    for passage in found.passages:
        for chunk in chunks:
            if any(part.span.contains_start_of(passage.span) for part in chunk.segments):
                likely[chunk.index] = None
    return list(likely)


def _from_to(first: Page, last: Page) -> str:
    if first.number is None or last.number is None:
        return first.section or ""
    return f"p. {first.number}" if first is last else f"p. {first.number}-{last.number}"
