"""One run of Chain-of-Agents: its chunks, its passes over them, and the notes as they grow.

Every step is logged when it ends, so that the notes at any place of a pass can be made again
from the log, in a process that never saw them grow.
"""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import ceil
from typing import Any

from lcagent.agents.chain.chain_of_agents import NOTHING_NEW, ONLY_COPIES, Chain
from lcagent.agents.chain.chain_prompts import (
    ChainBudget,
    CitingManagerPrompt,
    ManagerPrompt,
    NoteTakerPrompt,
    WorkerPrompt,
    allocate_budget,
)
from lcagent.agents.chain.notes import (
    LABEL_PREFIXES,
    NotedFact,
    Notes,
    NotesDelta,
    cells_asked_for,
)
from lcagent.agents.chain.worker_chunks import WorkerChunk, split_for_workers
from lcagent.agents.chain.worker_replies import NOT_IN_THE_TEXT, label_facts
from lcagent.agents.quoting import choose_quotes
from lcagent.agents.support import find_support
from lcagent.agents.token_budget import token_counter
from lcagent.documents import Page, Span
from lcagent.models.limits import Metered
from lcagent.pipelines.context import RunContext
from lcagent.pipelines.cost import Cost, asked_pages, estimated_tokens
from lcagent.pipelines.methods.chain.options import ChainOptions, ReadingOrder
from lcagent.pipelines.run_log import RunLog
from lcagent.pipelines.state import UnreadState
from lcagent.retrieval.quotes.checking import QuoteChecker
from lcagent.retrieval.search.retriever import VectorUse
from lcagent.storage.run_store import StoredStep

FACTS_PER_CHUNK = 100
"""Labels kept for each chunk where workers do not know each other's notes."""

MAX_FOUND_FACTS = 8
"""Sentences that the program itself adds to notes of a model that cannot take any."""

SEED = 20_240_602
"""Of shuffled orders; fixed, so that a run can be repeated."""


async def chain_of(question: str, run: RunContext) -> "ChainRun":
    """Return the chain for a question, made once per run."""
    return await run.once(
        ("chain", question), lambda: asyncio.ensure_future(_prepare(question, run))
    )


def budget_for(question: str, run: RunContext) -> ChainBudget:
    """Return the token budget of a chain for a question."""
    if run.options(ChainOptions).notes_with_quotes:
        worker = NoteTakerPrompt(question, "", "").messages()
        manager = CitingManagerPrompt(question, "").messages()
    else:
        worker = WorkerPrompt(question, "", "").messages()
        manager = ManagerPrompt(question, "").messages()
    return allocate_budget(run.chat_model, worker=worker, manager=manager)


async def chunks_like(question: str, chunks: Sequence[WorkerChunk], run: RunContext) -> list[int]:
    """Return the indices of chunks with pages that fit a question, the best first."""
    found = await run.retriever.search(question, top_k=50, pages=run.pages, vectors=run.vectors)
    likely: dict[int, None] = {}
    for passage in found.passages:
        for chunk in chunks:
            if any(part.span.contains_start_of(passage.span) for part in chunk.segments):
                likely[chunk.index] = None
    return list(likely)


async def facts_like(question: str, notes: Notes, run: RunContext) -> tuple[NotedFact, ...]:
    """Return the sentences of the text that a search finds nearest to a question, as new facts.

    There are none where the quotes noted have all words of the question that the text has. A row
    of a table comes with the heads of its columns.
    """
    # No vectors are made for it: a chain over a long text would wait for them.
    vectors: VectorUse = "none" if run.vectors == "none" else "stored"
    found = await run.retriever.search(question, top_k=run.top_k, pages=run.pages, vectors=vectors)
    noted = "\n".join(fact.quote for fact in notes.proved_facts)
    if noted and found.query.terms_in(noted) >= found.query.weights.keys() - found.query.absent:
        return ()
    facts: list[NotedFact] = []
    for quote in (await asyncio.to_thread(choose_quotes, found, MAX_FOUND_FACTS)).quotes:
        page, heads = quote.span.page, quote.column_heads
        text = run.documents[page.document_id].pages[page.page_index].text
        above = text[heads.start : heads.end] if heads is not None else ""
        said = cells_asked_for(quote.text, above, question)
        above = above if said == quote.text else ""
        facts.append(NotedFact("", said, quote.text, page, "exact", "lcagent", above))
    return label_facts(facts, notes)


@dataclass(frozen=True, slots=True)
class ReadingPass:
    """One pass over the chunks, in an order of its own.

    Attributes:
        order: The indices of the chunks as they are read.
    """

    number: int
    order: tuple[int, ...]

    @property
    def label_prefix(self) -> str:
        """The letter of its facts' labels."""
        return LABEL_PREFIXES[self.number % len(LABEL_PREFIXES)]


@dataclass(slots=True)
class ChainRun:
    """The chunks of a run, and what is known after reading some of them.

    Attributes:
        likeness: Indices of chunks, those most like the question first.
        first_read: Set once the first of the workers that read at the same time has read.
    """

    chain: Chain
    chunks: Sequence[WorkerChunk]
    options: ChainOptions
    log: RunLog
    likeness: Sequence[int] = ()
    first_read: asyncio.Event = field(default_factory=asyncio.Event)
    _known: dict[int, tuple[int, Notes]] = field(default_factory=dict[int, tuple[int, Notes]])

    @property
    def paths(self) -> list[ReadingPass]:
        """The passes over the chunks, one for each order."""
        orders = ("ltr",) if self.options.reads_at_once else self.options.orders
        return [
            ReadingPass(number, self._order(order, number)) for number, order in enumerate(orders)
        ]

    @property
    def reads(self) -> int:
        """How many times a worker reads."""
        return len(self.paths) * len(self.chunks)

    def is_read(self, path: ReadingPass, position: int) -> bool:
        """Say whether the worker at `position` of a pass has read."""
        return step_key(path, position) in self.log

    def worker(self, path: ReadingPass) -> tuple[Chain, Metered]:
        """Return the chain as one step of a path uses it, and what counts its calls."""
        metered = Metered(self.chain.model)
        only_copies = self.chain.takes_notes and self.only_copies(path)
        worker = replace(self.chain, model=metered, sample=path.number, only_copies=only_copies)
        return worker, metered

    def only_copies(self, path: ReadingPass) -> bool:
        """Say whether a reader of a path found that the model cannot take notes."""
        steps = (*self.log.steps(f"read/{path.number}/"), *self.log.steps(f"after/{path.number}/"))
        return any(ONLY_COPIES in step.detail["change"]["flags"] for step in steps)

    def notes_before(self, path: ReadingPass, position: int) -> Notes:
        """Return what is known on a path before the worker at `position` reads."""
        if self.options.reads_at_once:
            return Notes(path.label_prefix, labels_given=position * FACTS_PER_CHUNK)
        done, notes = self._known.get(path.number, (0, Notes(path.label_prefix)))
        if done > position:
            done, notes = 0, Notes(path.label_prefix)
        for place in range(done, position):
            notes = notes.apply(self.change(step_key(path, place)))
        self._known[path.number] = (position, notes)
        return notes

    def notes_when_read(self, path: ReadingPass) -> Notes:
        """Return all that the workers of a pass noted, once all have read."""
        if self.options.reads_at_once:
            return self._joined(path)
        return self.notes_before(path, len(path.order))

    def notes_after_reading(self, path: ReadingPass) -> Notes:
        """Return what the workers of a pass noted, and what was read again or chosen since."""
        notes = self.notes_when_read(path)
        for step in self.log.steps(f"after/{path.number}/"):
            notes = notes.apply(self.change(step.key))
        return notes

    async def keep(
        self, key: str, change: NotesDelta, metered: Metered, chunk: WorkerChunk | None = None
    ) -> None:
        """Record a step that ended."""
        pages = [] if chunk is None else [[p.document_id, p.page_index] for p in chunk.pages]
        detail: dict[str, Any] = {"pages": pages, "change": change.as_json()}
        if chunk is not None:
            detail["chunk"] = chunk.index
        await self.log.add(StoredStep(key, detail, metered.calls))

    def change(self, key: str) -> NotesDelta:
        """Return what a recorded step changed."""
        return NotesDelta.from_json(self.log[key].detail["change"])

    def changes(self, path: ReadingPass) -> list[tuple[WorkerChunk, NotesDelta]]:
        """Return what each worker of a path noted, with its chunk, in the order of reading."""
        return [
            (self.chunks[index], self.change(step_key(path, position)))
            for position, index in enumerate(path.order)
        ]

    def reads_done(self) -> int:
        """Return how many workers have read so far."""
        return sum(1 for _ in self.log.steps("read/"))

    def _joined(self, path: ReadingPass) -> Notes:
        """Return the notes of workers who read at the same time."""
        changes = [change for _, change in self.changes(path)]
        notes = Notes(path.label_prefix, labels_given=len(changes) * FACTS_PER_CHUNK)
        for change in changes:
            notes = notes.apply(replace(change, message=None, open_questions=None, answer=None))
        messages = [change.message for change in changes if change.message]
        return replace(notes, message="\n".join(messages))

    def _order(self, order: ReadingOrder, number: int) -> tuple[int, ...]:
        indices = list(range(len(self.chunks)))
        if order == "rtl":
            indices.reverse()
        elif order == "random":
            random.Random(SEED + number).shuffle(indices)  # noqa: S311 -- an order, no secret
        elif order == "similarity":
            indices = list(dict.fromkeys([*self.likeness, *indices]))
        return tuple(indices)


def step_key(path: ReadingPass, position: int) -> str:
    """Return the key of the step in which a worker of a pass reads."""
    return f"read/{path.number}/{position}"


def where(chunk: WorkerChunk, run: RunContext) -> str:
    """Say in words which pages a chunk is from."""
    documents = run.documents
    pages = [documents[ref.document_id].pages[ref.page_index] for ref in chunk.pages]
    return _from_to(pages[0], pages[-1])


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


async def _prepare(question: str, run: RunContext) -> ChainRun:
    options, model = run.options(ChainOptions), run.chat_model
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
        find_support=_support_in,
    )
    by_likeness = "similarity" in options.orders
    likeness = await chunks_like(question, chunks, run) if by_likeness else []
    return ChainRun(chain, chunks, options, run.log, likeness)


def _support_in(sentence: str, question: str, chunk: WorkerChunk) -> tuple[str, Span] | None:
    found = find_support(sentence, question, chunk.segments)
    return (found[0].text, found[0].page) if found else None


def _is_unusable(change: NotesDelta) -> bool:
    said = change.facts or change.message or change.answer is not None
    read = {NOTHING_NEW, NOT_IN_THE_TEXT, ONLY_COPIES}.intersection(change.flags)
    return bool(change.flags) and not said and not read


def _from_to(first: Page, last: Page) -> str:
    if first.number is None or last.number is None:
        return first.section or ""
    return f"p. {first.number}" if first is last else f"p. {first.number}-{last.number}"


def cost(question: str, run: RunContext) -> Cost:
    """Return the most that a chain takes: its workers, what they read again, and the answer."""
    budget, options = budget_for(question, run), run.options(ChainOptions)
    tokens = estimated_tokens([page.text for page in asked_pages(run)], run)
    chunks = ceil(tokens / (0.9 * budget.chunk_tokens))
    paths = 1 if options.reads_at_once else len(options.orders)
    rereads = options.rereads * paths if chunks > 1 else 0
    concluding = paths if paths > 1 and options.combine == "vote" else 1
    workers = chunks * paths
    if options.reads_at_once:
        concluding += _condensing_calls(workers, budget)
    window = run.chat_model.card.window_tokens
    frame = window - budget.chunk_tokens - budget.reply_tokens
    noted = min(budget.notes_tokens, workers * budget.reply_tokens)
    prompt = tokens * paths + workers * frame
    prompt += rereads * (frame + min(tokens, budget.chunk_tokens)) + concluding * (frame + noted)
    return Cost(
        calls=workers + rereads + concluding,
        depth=(min(2, chunks) if options.reads_at_once else chunks) + rereads // paths + 1,
        prompt_tokens=prompt,
        completion_tokens=(workers + rereads + concluding) * budget.reply_tokens,
    )


def _condensing_calls(workers: int, budget: ChainBudget) -> int:
    """Return how many calls make one of all messages that were written at the same time."""
    messages = workers * budget.reply_tokens
    return ceil(messages / budget.chunk_tokens) if messages > budget.notes_tokens else 0
