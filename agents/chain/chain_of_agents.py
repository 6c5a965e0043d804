"""Chain-of-Agents: workers read one chunk each and hand on what they know; a manager answers.

Zhang et al., "Chain of Agents: Large Language Models Collaborating on Long-Context Tasks",
NeurIPS 2024, https://arxiv.org/abs/2406.02818: algorithm 1, table 8, appendix F.4.

Two forms of what is handed on: a summary, as in the paper, or notes (`notes.py`). A model that
cannot take notes is asked for one thing only, to copy the sentence that answers, and its manager to
answer from such sentences. Unlike the paper's, a worker's budget leaves room for both the message
it gets and its own reply, and a reply that carries nothing never takes the place of what was known
before.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import regex

from lcagent.agents.chain.chain_prompts import (
    ChainBudget,
    CitingManagerPrompt,
    CopierPrompt,
    JudgePrompt,
    ManagerPrompt,
    MemberPrompt,
    NoteTakerPrompt,
    PlainManagerPrompt,
    SelectorPrompt,
    WorkerPrompt,
)
from lcagent.agents.chain.notes import (
    NotedFact,
    Notes,
    NotesDelta,
    fit_to_budget,
    format_fact,
    format_sentences,
)
from lcagent.agents.chain.worker_chunks import WorkerChunk, halve_chunk
from lcagent.agents.chain.worker_replies import (
    NOTES_SCHEMA,
    FindSupport,
    cannot_take_notes,
    parse_copied_reply,
    parse_notes_reply,
)
from lcagent.agents.prompt_templates import Prompt
from lcagent.agents.replies import carries_nothing, is_refusal
from lcagent.agents.token_budget import token_counter, truncate_end
from lcagent.errors import ContextTooLong, UnusableReply
from lcagent.models.chat_model import ChatModel, OnText, Reply, Request
from lcagent.retrieval.quotes.checking import QuoteChecker

NOTHING_NEW = "nothing on the question"
"""The flag of a chunk of which a worker says so, in whatever words."""

ONLY_COPIES = "the model cannot take notes, so it was asked to copy sentences"
"""The flag of a step that found this out."""

MAX_COPY_TOKENS, MAX_PLAIN_ANSWER_TOKENS = 160, 256
"""A sentence or two, and an answer from such. A model that writes on has begun to repeat itself."""

SAMPLES_PER_PATH = 10
"""Sample numbers that each path has: one for each time that a worker may be asked. Paths with the
same order ask the very same thing; the numbers keep their replies apart in the cache."""


@dataclass(frozen=True, slots=True)
class Chain:
    """One chain of workers: its question, its model, and how it works.

    Attributes:
        takes_notes: Hand on notes instead of a summary.
        only_copies: The model has shown that it cannot take notes.
        find_support: Looks for what a sentence that a worker put into other words rests on.
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
    only_copies: bool = False
    find_support: FindSupport = lambda _sentence, _question, _chunk: None

    async def read(self, chunk: WorkerChunk, notes: Notes, purpose: str = "worker") -> NotesDelta:
        """Let a worker read `chunk`, and return what it adds to `notes`.

        A chunk that does not fit the window after all is read in two halves, one after the other.
        A model that is found unable to take notes is asked to copy sentences instead.

        Args:
            purpose: What the call is for, as progress and the record of the run name it.

        Raises:
            ContextTooLong: A single character does not fit.
        """
        flags: list[str] = []
        for draw in range(2 if self.reasks else 1):
            try:
                reply = await self.model.complete(self._worker_request(chunk, notes, purpose, draw))
            except UnusableReply as error:
                flags.append(str(error))
                continue
            except ContextTooLong:
                halves = halve_chunk(chunk)
                if halves is None:
                    raise
                return await self._read_halves(*halves, notes, purpose)
            objection = _objection(reply)
            # "Nothing is said of it" is an answer, and asking again would not change the text. A
            # refusal is none: handed on, it is repeated to the end of the chain (appendix F.4).
            if objection is None and carries_nothing(reply.text):
                return NotesDelta(flags=(*flags, NOTHING_NEW))
            if objection is None:
                delta = self._parse_delta(reply, chunk, notes)
                if self.takes_notes and not self.only_copies and cannot_take_notes(delta):
                    return await self._copy_instead(delta, chunk, notes, purpose)
                return replace(delta, flags=(*flags, *delta.flags))
            flags.append(objection)
        return NotesDelta(flags=tuple(flags))

    async def _copy_instead(
        self, noted: NotesDelta, chunk: WorkerChunk, notes: Notes, purpose: str
    ) -> NotesDelta:
        """Return what a worker copies of a chunk; what it wrote before where it copies nothing.

        Made-up facts, and what such a model calls open or known, are not kept.
        """
        kept = NotesDelta(message=noted.message, flags=noted.flags)
        if self.reasks:
            worker = replace(self, only_copies=True)
            copied = await worker.read(chunk, notes, f"{purpose}, again")
            kept = copied if copied.facts else kept
        return replace(kept, flags=(ONLY_COPIES, *kept.flags))

    def worker_prompt(self, notes: str, chunk: str) -> Prompt:
        """Return what a worker is shown."""
        if self.takes_notes and self.only_copies:
            return CopierPrompt(self.question, chunk)
        if self.takes_notes:
            return NoteTakerPrompt(self.question, notes, chunk)
        return WorkerPrompt(self.question, notes, chunk)

    def _worker_request(self, chunk: WorkerChunk, notes: Notes, purpose: str, draw: int) -> Request:
        count = token_counter(self.model)
        shown = fit_to_budget(notes, self.budget.message_tokens, count, self.question)
        return Request(
            self.worker_prompt(shown.text, chunk.text).messages(),
            max_tokens=self._reply_tokens(MAX_COPY_TOKENS),
            temperature=self.temperature,
            schema=NOTES_SCHEMA if self.takes_notes and not self.only_copies else None,
            sample=self.sample * SAMPLES_PER_PATH + draw,
            purpose=purpose,
        )

    async def _read_halves(
        self, first_half: WorkerChunk, second_half: WorkerChunk, notes: Notes, purpose: str
    ) -> NotesDelta:
        first = await self.read(first_half, notes, purpose)
        second = await self.read(second_half, notes.apply(first), purpose)
        return _joined_deltas(first, second)

    def _parse_delta(self, reply: Reply, chunk: WorkerChunk, notes: Notes) -> NotesDelta:
        if self.takes_notes and self.only_copies:
            return parse_copied_reply(
                reply.text, self.question, chunk, notes, self.checker, self.find_support
            )
        delta = NotesDelta(message=reply.text.strip())
        if self.takes_notes:
            delta = parse_notes_reply(reply.text, chunk, notes, self.checker)
        if delta.message is not None:
            kept = truncate_end(
                delta.message, self.budget.message_tokens, token_counter(self.model)
            )
            is_cut = len(kept) < len(delta.message)
            flags = (*delta.flags, "summary cut to its budget") if is_cut else delta.flags
            delta = replace(delta, message=kept, flags=flags)
        return delta

    async def select_facts(self, notes: Notes, purpose: str = "selector") -> NotesDelta:
        """Let the model choose facts that an answer can be written from; no change where all fit.

        Not in the paper, whose manager is shown one summary. The facts are shown in groups that
        fit a prompt, and each group may keep its share of what the manager has room for.
        """
        count = token_counter(self.model)
        budget = self.budget.notes_tokens
        if not fit_to_budget(notes, budget, count, self.question, with_quotes=True).left_out:
            return NotesDelta()
        kept: list[str] = []
        groups = _split_by_tokens(notes.facts, budget, count)
        most = max(1, self.budget.max_facts // len(groups))
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

    async def condense_summaries(self, message: str, purpose: str = "condenser") -> str:
        """Return summaries that are too long for the manager as one, by a chain over them.

        Workers that read at the same time hand on a summary each, which together may not fit.
        """
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

    async def answer_from_notes(self, notes: Notes, on_text: OnText | None = None) -> str:
        """Return the manager's answer, with marks where the model can take notes.

        The manager sees the last notes and the question, and nothing of the text (table 7 of the
        paper: without it, or with all summaries, answers are worse).
        """
        count = token_counter(self.model)
        prompt: Prompt
        if self.takes_notes and self.only_copies:
            text = format_sentences(notes, self.budget.notes_tokens, count, self.question)
            prompt = PlainManagerPrompt(self.question, text)
        elif self.takes_notes:
            shown = fit_to_budget(
                notes, self.budget.notes_tokens, count, self.question, with_quotes=True
            )
            prompt = CitingManagerPrompt(self.question, shown.text)
        else:
            prompt = ManagerPrompt(self.question, notes.message or "(none)")
        return await self._answer(prompt, "manager", on_text)

    async def judge_paths(self, candidates: Sequence[Notes], on_text: OnText | None = None) -> str:
        """Return the answer from the most reliable of several paths' notes (table 8)."""
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
            max_tokens=self._reply_tokens(MAX_PLAIN_ANSWER_TOKENS),
            temperature=self.temperature,
            sample=self.sample * SAMPLES_PER_PATH,
            purpose=purpose,
        )
        return (await self.model.complete(request, on_text)).text

    def _reply_tokens(self, most_when_copying: int) -> int:
        """Return the longest reply; reasoning before it may take more than the reply itself."""
        if self.only_copies and not self.model.card.is_reasoning:
            return min(most_when_copying, self.budget.reply_tokens)
        return self.budget.reply_tokens


def _objection(reply: Reply) -> str | None:
    """Say why a reply cannot be used, or return None."""
    if reply.finish == "filtered":
        return "withheld by the server"
    return "the model declined to read it" if is_refusal(reply.text) else None


def _joined_deltas(first: NotesDelta, second: NotesDelta) -> NotesDelta:
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


def _split_by_tokens(
    facts: Sequence[NotedFact], budget_tokens: int, count: Callable[[str], int]
) -> list[list[NotedFact]]:
    groups: list[list[NotedFact]] = [[]]
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
