"""Chain-of-Agents: workers read one chunk each and hand on what they know; a manager answers.

Zhang et al., "Chain of Agents: Large Language Models Collaborating on Long-Context Tasks",
NeurIPS 2024, https://arxiv.org/abs/2406.02818: algorithm 1, table 8, appendix F.4.

Two forms of what is handed on: a summary, as in the paper, or notes (`notes.py`). Unlike the
paper's, a worker's budget leaves room for both the message it gets and its own reply, and a reply
that carries nothing never takes the place of what was known before.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import regex

from lcagent.agents.chain.chain_prompts import (
    ChainBudget,
    CitingManagerPrompt,
    JudgePrompt,
    ManagerPrompt,
    MemberPrompt,
    NoteTakerPrompt,
    SelectorPrompt,
    WorkerPrompt,
)
from lcagent.agents.chain.notes import (
    NOTES_SCHEMA,
    Fact,
    Notes,
    NotesDelta,
    fit_to_budget,
    format_fact,
    parse_notes_reply,
)
from lcagent.agents.chain.worker_chunks import WorkerChunk, halve_chunk
from lcagent.agents.prompt_templates import Prompt
from lcagent.agents.refusals import carries_nothing, is_refusal
from lcagent.agents.token_budget import token_counter, truncate_end
from lcagent.errors import ContextTooLong, UnusableReply
from lcagent.models.base import ChatModel, OnText, Reply, Request
from lcagent.retrieval.quotes.checking import QuoteChecker

NOTHING_NEW = "nothing on the question"
"""The flag of a chunk of which a worker says so, in whatever words."""

SAMPLES_PER_PATH = 10
"""Numbers of draws that each path has: one for each time that a worker may be asked."""


@dataclass(frozen=True, slots=True)
class Chain:
    """One chain of workers: its question, its model, and how it works.

    Attributes:
        takes_notes: Hand on notes instead of a summary.
        reasks: Ask once more where a reply carries nothing.
        temperature: Above 0 only where several paths are to differ.
        sample: Which of several paths with the same order this is.
    """

    question: str
    model: ChatModel
    budget: ChainBudget
    checker: QuoteChecker
    takes_notes: bool = True
    reasks: bool = True
    temperature: float = 0.0
    sample: int = 0

    async def read(self, chunk: WorkerChunk, notes: Notes, purpose: str = "worker") -> NotesDelta:
        """Return what a worker adds to `notes` after reading `chunk`.

        A chunk that does not fit after all is read in two halves, one after the other.
        """
        try:
            return await self._read_whole(chunk, notes, purpose)
        except ContextTooLong:
            halves = halve_chunk(chunk)
            if halves is None:
                raise
            first = await self.read(halves[0], notes, purpose)
            second = await self.read(halves[1], notes.after(first), purpose)
            return _in_turn(first, second)

    async def _read_whole(self, chunk: WorkerChunk, notes: Notes, purpose: str) -> NotesDelta:
        flags: list[str] = []
        for draw in range(2 if self.reasks else 1):
            try:
                reply = await self._ask(chunk, notes, purpose, draw)
            except UnusableReply as error:
                flags.append(str(error))
                continue
            objection = _objection(reply)
            if objection is None and carries_nothing(reply.text):
                return NotesDelta(flags=(*flags, NOTHING_NEW))
            if objection is None:
                change = self._understood(reply, chunk, notes)
                return replace(change, flags=(*flags, *change.flags))
            flags.append(objection)
        return NotesDelta(flags=tuple(flags))

    async def _ask(self, chunk: WorkerChunk, notes: Notes, purpose: str, draw: int) -> Reply:
        count = token_counter(self.model)
        shown = fit_to_budget(notes, self.budget.message_tokens, count, self.question)
        request = Request(
            self.prompt(shown.text, chunk.text).messages(),
            max_tokens=self.budget.reply_tokens,
            temperature=self.temperature,
            schema=NOTES_SCHEMA if self.takes_notes else None,
            sample=self.sample * SAMPLES_PER_PATH + draw,
            purpose=purpose,
        )
        return await self.model.complete(request)

    def prompt(self, notes: str, chunk: str) -> Prompt:
        """Return what a worker is shown."""
        if self.takes_notes:
            return NoteTakerPrompt(self.question, notes, chunk)
        return WorkerPrompt(self.question, notes, chunk)

    def _understood(self, reply: Reply, chunk: WorkerChunk, notes: Notes) -> NotesDelta:
        change = NotesDelta(message=reply.text.strip())
        if self.takes_notes:
            change = parse_notes_reply(reply.text, chunk, notes, self.checker)
        if change.message is not None:
            kept = truncate_end(
                change.message, self.budget.message_tokens, token_counter(self.model)
            )
            is_cut = len(kept) < len(change.message)
            flags = (*change.flags, "summary cut to its budget") if is_cut else change.flags
            change = replace(change, message=kept, flags=flags)
        return change

    async def select(self, notes: Notes, purpose: str = "selector") -> NotesDelta:
        """Return the choice of facts that an answer can be written from; empty where all fit."""
        count = token_counter(self.model)
        budget = self.budget.notes_tokens
        if not fit_to_budget(notes, budget, count, self.question, with_quotes=True).left_out:
            return NotesDelta()
        kept: list[str] = []
        groups = _groups(notes.facts, budget, count)
        most = max(1, self.budget.facts_at_most // len(groups))
        for group in groups:
            facts = "\n".join(format_fact(fact) for fact in group)
            prompt = SelectorPrompt(self.question, facts, most)
            request = Request(
                prompt.messages(), max_tokens=self.budget.reply_tokens, purpose=purpose
            )
            known = {fact.label for fact in group}
            named = _LABEL.findall((await self.model.complete(request)).text)
            kept.extend([label for label in dict.fromkeys(named) if label in known][:most])
        if not kept:
            return NotesDelta(flags=("the choice among too many notes named none of them",))
        dropped = len(notes.facts) - len(kept)
        return NotesDelta(kept=tuple(kept), flags=(f"{dropped} notes were not chosen",))

    async def condense(self, message: str, purpose: str = "condenser") -> str:
        """Return summaries that are too long for the manager as one: by a chain over them."""
        count = token_counter(self.model)
        if count(message) <= self.budget.notes_tokens:
            return message
        condensed, rest = "", message
        while rest:
            part = truncate_end(rest, self.budget.chunk_tokens, count)
            rest = rest[len(part) :].lstrip()
            request = Request(
                WorkerPrompt(self.question, condensed or "(none)", part).messages(),
                max_tokens=self.budget.reply_tokens,
                purpose=purpose,
            )
            text = (await self.model.complete(request)).text.strip()
            if not carries_nothing(text):
                condensed = truncate_end(text, self.budget.message_tokens, count)
        return condensed

    async def conclude(self, notes: Notes, on_text: OnText | None = None) -> str:
        """Return the manager's answer, with marks where there are notes."""
        count = token_counter(self.model)
        prompt: Prompt
        if self.takes_notes:
            view = fit_to_budget(
                notes, self.budget.notes_tokens, count, self.question, with_quotes=True
            )
            prompt = CitingManagerPrompt(self.question, view.text)
        else:
            prompt = ManagerPrompt(self.question, notes.message or "(none)")
        return await self._answer(prompt, "manager", on_text)

    async def judge(self, candidates: Sequence[Notes], on_text: OnText | None = None) -> str:
        """Return the answer from the most reliable of several paths' notes."""
        count = token_counter(self.model)
        share = self.budget.notes_tokens // len(candidates)
        views = [
            fit_to_budget(notes, share, count, self.question, with_quotes=self.takes_notes)
            for notes in candidates
        ]
        texts = tuple(truncate_end(view.text, share, count) for view in views)
        return await self._answer(JudgePrompt(self.question, texts), "judge", on_text)

    async def answer_alone(self, chunk: WorkerChunk, purpose: str = "member") -> str:
        """Return the answer from one chunk alone, for the merge baseline."""
        return await self._answer(MemberPrompt(self.question, chunk.text), purpose, None)

    async def _answer(self, prompt: Prompt, purpose: str, on_text: OnText | None) -> str:
        request = Request(
            prompt.messages(),
            max_tokens=self.budget.reply_tokens,
            temperature=self.temperature,
            sample=self.sample * SAMPLES_PER_PATH,
            purpose=purpose,
        )
        return (await self.model.complete(request, on_text)).text


def _objection(reply: Reply) -> str | None:
    """Say why a reply cannot be used, or return None."""
    if reply.finish == "filtered":
        return "withheld by the server"
    return "the model declined to read it" if is_refusal(reply.text) else None


def _in_turn(first: NotesDelta, second: NotesDelta) -> NotesDelta:
    """Return two changes as one."""
    return replace(
        second,
        facts=(*first.facts, *second.facts),
        message=first.message if second.message is None else second.message,
        open_questions=(
            first.open_questions if second.open_questions is None else second.open_questions
        ),
        answer=first.answer if second.answer is None else second.answer,
        flags=("read in two halves", *first.flags, *second.flags),
    )


def _groups(
    facts: Sequence[Fact], budget_tokens: int, count: Callable[[str], int]
) -> list[list[Fact]]:
    groups: list[list[Fact]] = [[]]
    tokens = 0
    for fact in facts:
        size = count(format_fact(fact)) + 1
        if groups[-1] and tokens + size > budget_tokens:
            groups.append([])
            tokens = 0
        groups[-1].append(fact)
        tokens += size
    return groups


_LABEL = regex.compile(r"\b\p{Lu}\d{1,6}\b")
