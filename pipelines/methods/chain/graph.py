"""The graph of a chain and its nodes: each worker is a step, logged, streamed and resumed.

START -> path (one for each, at the same time; in it, a worker after the other) --+
      -> read (one for each chunk, at the same time) --> read_again -> conclude -> END
"""

import asyncio
import operator
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from typing import Annotated, Literal, TypeAlias, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from langgraph.types import Send

from lcagent.agents.chain.chain_of_agents import NOTHING_NEW
from lcagent.agents.chain.notes import Notes, NotesDelta, fact_key
from lcagent.agents.marks import find_marks, strip_marks
from lcagent.agents.replies import says_not_found
from lcagent.models.chat_model import OnText
from lcagent.models.limits import Metered
from lcagent.pipelines.context import RunContext
from lcagent.pipelines.methods.chain.run import (
    ChainRun,
    ReadingPass,
    chain_of,
    chunks_like,
    facts_like,
    step_key,
    unread_pages,
    where,
)
from lcagent.pipelines.methods.rag.steps import ANSWER
from lcagent.pipelines.state import MethodOutput, SourceState
from lcagent.pipelines.streaming import AnswerStreamer, emit_step
from lcagent.storage.run_store import StoredStep


class Question(TypedDict):
    """What a chain is given."""

    question: str


class PassesEnded(TypedDict):
    """Passes, or chunks where all are read at the same time, that have been read."""

    ended: Annotated[list[int], operator.add]


class ChainState(Question, PassesEnded, MethodOutput):
    """A chain; what its workers hand on is in the log of the run."""


class WorkerPlace(TypedDict):
    """Where a worker stands: the one at `position` of a pass over `total` chunks reads next."""

    question: str
    path: int
    position: int
    total: int


class PassState(WorkerPlace, PassesEnded):
    """One pass of a chain."""


async def readers(state: ChainState, runtime: Runtime[RunContext]) -> list[Send] | str:
    """Return a task for each pass, or for each chunk where all are read at the same time."""
    question = state["question"]
    chain = await chain_of(question, runtime.context)
    total = len(chain.chunks)
    if not total:
        return "conclude"
    if chain.options.reads_at_once:
        return [
            Send("read", WorkerPlace(question=question, path=0, position=at, total=total))
            for at in range(total)
        ]
    return [
        Send("path", WorkerPlace(question=question, path=path.number, position=0, total=total))
        for path in chain.paths
    ]


async def work(state: WorkerPlace, runtime: Runtime[RunContext]) -> dict[str, int]:
    """Let the next worker of a pass read; one that has read in an earlier process does not."""
    run = runtime.context
    chain = await chain_of(state["question"], run)
    path, position = chain.paths[state["path"]], state["position"]
    chunk = chain.chunks[path.order[position]]
    if not chain.is_read(path, position):
        agent, metered = chain.worker(path)
        purpose = f"worker {position + 1} of {len(path.order)}"
        if chain.options.baseline == "merge":
            change = NotesDelta(message=await agent.answer_alone(chunk, purpose))
        else:
            change = await agent.read(chunk, chain.notes_before(path, position), purpose)
        await chain.keep(step_key(path, position), change, metered, chunk)
    emit_step(runtime, "read", chain.reads_done(), chain.reads, where(chunk, run))
    return {"position": position + 1}


async def read(state: WorkerPlace, runtime: Runtime[RunContext]) -> PassesEnded:
    """Let one of many workers read that read at the same time.

    The first goes ahead: where the model cannot take notes, one worker finds it out, not each.
    """
    chain = await chain_of(state["question"], runtime.context)
    if state["position"] > 0 and chain.chain.takes_notes:
        await chain.first_read.wait()
    try:
        await work(state, runtime)
    finally:
        if state["position"] == 0:
            chain.first_read.set()
    return {"ended": [state["position"]]}


def next_worker(state: WorkerPlace) -> Literal["work", "end_path"]:
    """Return whether a pass goes on."""
    return "work" if state["position"] < state["total"] else "end_path"


def end_path(state: WorkerPlace) -> PassesEnded:
    """Say that a pass has come to its end."""
    return {"ended": [state["path"]]}


async def read_again(state: ChainState, runtime: Runtime[RunContext]) -> PassesEnded:
    """Read again the chunks most like what is still open."""
    run = runtime.context
    chain = await chain_of(state["question"], run)
    again = 0
    for path in chain.paths if chain.options.rereads else ():
        open_questions = chain.notes_when_read(path).open_questions
        if not open_questions or len(chain.chunks) < 2:
            continue
        likely = await chunks_like(" ".join(open_questions), chain.chunks, run)
        for place, index in enumerate(likely[: chain.options.rereads]):
            key, chunk = f"after/{path.number}/{place}", chain.chunks[index]
            if key not in chain.log:
                worker, metered = chain.worker(path)
                notes = chain.notes_after_reading(path)
                change = await worker.read(chunk, notes, f"re-reading {place + 1}")
                await chain.keep(key, change, metered, chunk)
            again += 1
    if again:
        emit_step(runtime, "read again", again, again, "")
    return {"ended": []}


async def conclude(state: ChainState, runtime: Runtime[RunContext]) -> MethodOutput:
    """Make the answer of what was noted on all passes."""
    chain = await chain_of(state["question"], runtime.context)
    on_text = AnswerStreamer(runtime.stream_writer, state["question"])
    if chain.options.baseline == "merge":
        return _written(chain, *_vote_of_members(chain))
    if chain.options.notes_with_quotes:
        await _add_found(chain, runtime.context)
    candidates = [await _chosen(chain, path) for path in chain.paths]
    reply = ""
    if any(candidates) or not chain.options.notes_with_quotes:
        reply = await _reply(chain, candidates, on_text)
    on_text.close()
    return _written(chain, reply, candidates)


async def _add_found(chain: ChainRun, run: RunContext) -> None:
    """Add what a search finds to notes that readers made little of, or none.

    A model that cannot take notes misses what its parts say, and one that can may say of every part
    that it says nothing: then its manager sees for itself what comes nearest.
    """
    for path in chain.paths:
        key, notes = f"after/{path.number}/search", chain.notes_after_reading(path)
        if key in chain.log or (notes.proved_facts and not chain.only_copies(path)):
            continue
        facts = await facts_like(chain.chain.question, notes, run)
        if facts:
            await chain.keep(key, NotesDelta(facts=facts), Metered(chain.chain.model))


async def _chosen(chain: ChainRun, path: ReadingPass) -> Notes:
    """Return a path's notes, fewer of them where the manager cannot be shown all."""
    key = f"after/{path.number}/select"
    if key not in chain.log:
        worker, metered = chain.worker(path)
        notes = chain.notes_after_reading(path)
        change = await worker.select_facts(notes)
        condensed = await worker.condense_summaries(notes.message)
        change = replace(change, message=condensed if condensed != notes.message else None)
        if change != NotesDelta():
            await chain.keep(key, change, metered)
    return chain.notes_after_reading(path)


async def _reply(chain: ChainRun, candidates: Sequence[Notes], on_text: OnText) -> str:
    if len(candidates) > 1 and any(map(chain.only_copies, chain.paths)):
        candidates = [_joined(candidates)]
    if len(candidates) == 1:
        return await _conclude(chain, chain.paths[0], candidates[0], ANSWER, on_text)
    if chain.options.combine == "judge":
        judge, metered = chain.worker(chain.paths[0])
        return await _logged(
            chain, ANSWER, metered, on_text, lambda: judge.judge_paths(candidates, on_text)
        )
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(_conclude(chain, path, notes, f"{ANSWER}/{path.number}", None))
            for path, notes in zip(chain.paths, candidates, strict=True)
        ]
    reply = vote([task.result() for task in tasks])
    on_text(reply)
    return reply


def _joined(candidates: Sequence[Notes]) -> Notes:
    """Return what several passes noted as one: a model that cannot take notes judges none."""
    facts = {fact_key(fact.quote): fact for notes in candidates for fact in notes.proved_facts}
    return replace(candidates[0], facts=tuple(facts.values()))


async def _conclude(
    chain: ChainRun, path: ReadingPass, notes: Notes, key: str, on_text: OnText | None
) -> str:
    manager, metered = chain.worker(path)
    return await _logged(
        chain, key, metered, on_text, lambda: manager.answer_from_notes(notes, on_text)
    )


async def _logged(
    chain: ChainRun,
    key: str,
    metered: Metered,
    on_text: OnText | None,
    ask: Callable[[], Awaitable[str]],
) -> str:
    """Return a reply of the log, or ask for it and log it."""
    if key in chain.log:
        reply = str(chain.log[key].detail["reply"])
        if on_text is not None:
            on_text(reply)
        return reply
    reply = await ask()
    await chain.log.add(StoredStep(key, {"reply": reply}, metered.calls))
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


def _written(chain: ChainRun, reply: str, candidates: Iterable[Notes]) -> MethodOutput:
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
    cut = chain.log.cut_notes(ANSWER)
    return MethodOutput(
        reply=reply,
        finish="cut" if cut else "complete",
        sources=sources,
        unread=unread_pages(chain),
        notes=[*_notes(chain), *cut],
        chunks=len(chain.chunks),
        chunks_read=len(chain.chunks),
    )


def _notes(chain: ChainRun) -> list[str]:
    flags = Counter(
        flag for path in chain.paths for _, change in chain.changes(path) for flag in change.flags
    )
    flags.update(
        flag for step in chain.log.steps("after/") for flag in chain.change(step.key).flags
    )
    del flags[NOTHING_NEW]
    return [f"{flag} ({times} times)" if times > 1 else flag for flag, times in flags.items()]


ChainGraph: TypeAlias = CompiledStateGraph[ChainState, RunContext, Question, MethodOutput]
PassGraph: TypeAlias = CompiledStateGraph[PassState, RunContext, WorkerPlace, PassesEnded]


def path_graph() -> PassGraph:
    """Return the graph of one pass: a worker after the other."""
    return (
        StateGraph(
            PassState,
            context_schema=RunContext,
            input_schema=WorkerPlace,
            output_schema=PassesEnded,
        )
        .add_node("work", work)
        .add_node("end_path", end_path)
        .add_edge(START, "work")
        .add_conditional_edges("work", next_worker, ["work", "end_path"])
        .add_edge("end_path", END)
        .compile(name="path")
    )


def chain_graph() -> ChainGraph:
    """Return the compiled graph of a chain."""
    return (
        StateGraph(
            ChainState, context_schema=RunContext, input_schema=Question, output_schema=MethodOutput
        )
        .add_node("path", path_graph())
        .add_node("read", read)
        .add_node("read_again", read_again)
        .add_node("conclude", conclude)
        .add_conditional_edges(START, readers, ["path", "read", "conclude"])
        .add_edge("path", "read_again")
        .add_edge("read", "read_again")
        .add_edge("read_again", "conclude")
        .add_edge("conclude", END)
        .compile(name="chain")
    )
