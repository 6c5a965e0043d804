"""Workers' replies: from what a model wrote about a chunk to facts with quotes that stand in it.

Two forms are asked for. Notes are a JSON object of facts with quotes, which only abler models
manage; a copied sentence is what the weakest can give. Whatever comes, each quote and each
sentence is looked up in the chunk by program: what stands there becomes a fact, and what does not
is handed on as the unproved message that it is, or left out with a flag.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import regex
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from lcagent.agents.chain.notes import (
    FactStatus,
    NotedFact,
    Notes,
    NotesDelta,
    fact_key,
    rank_by_use,
)
from lcagent.agents.chain.worker_chunks import WorkerChunk
from lcagent.agents.marks import strip_marks
from lcagent.agents.replies import carries_nothing, clean_reply
from lcagent.agents.reply_json import extract_json_object
from lcagent.documents import Span
from lcagent.retrieval.quotes.checking import QuoteChecker, is_evidence
from lcagent.retrieval.quotes.normalizing import on_one_line
from lcagent.retrieval.sentences import sentences

FindSupport: TypeAlias = Callable[[str, str, WorkerChunk], tuple[str, Span] | None]
"""Returns the words of a chunk that say what a statement says, and their page; None without any.
Given are the statement, the question and the chunk."""

MAX_COPIED_FACTS = 3
"""Of one chunk. A model that copies more has not chosen, so those nearest to the question count."""

MAX_COPIED_CHARACTERS = 400
"""A longer sentence is no sentence: the model ran on."""

NOT_IN_FORM = "not in the form asked for"
QUOTES_NOT_FOUND = "quotes not found"
NOT_IN_THE_TEXT = "what a reader wrote was not found in its part, so it was left out"

NOTES_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "facts": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"text": {"type": "string"}, "quote": {"type": "string"}},
                "required": ["text", "quote"],
                "additionalProperties": False,
            },
        },
        "open_questions": {"type": "array", "items": {"type": "string"}},
        "answer": {"type": "string"},
    },
    "required": ["facts", "open_questions", "answer"],
    "additionalProperties": False,
}
"""The form of a note-taker's reply."""


def parse_notes_reply(
    text: str, chunk: WorkerChunk, notes: Notes, checker: QuoteChecker
) -> NotesDelta:
    """Return what a note-taker's reply changes, its quotes looked up in the chunk.

    A fact that was noted before, in the same words, is left out. A reply in another form takes the
    place of the message before, as in the paper.
    """
    reply = _notes_reply(text)
    if reply is None:
        return NotesDelta(message=text.strip(), flags=(NOT_IN_FORM,))
    stated = [(each.text, each.quote) for each in reply.facts]
    facts = _new_facts(stated, chunk, notes, checker)
    return NotesDelta(
        facts=facts,
        open_questions=tuple(filter(None, map(str.strip, reply.open_questions))),
        answer=reply.answer.strip(),
        flags=(QUOTES_NOT_FOUND,) if any(not fact.is_proved for fact in facts) else (),
    )


def cannot_take_notes(delta: NotesDelta) -> bool:
    """Say whether a note-taker's reply shows that its model is asked for too much.

    That is a reply in another form, or one whose quotes are all made up.
    """
    return NOT_IN_FORM in delta.flags or (
        bool(delta.facts) and not any(fact.is_proved for fact in delta.facts)
    )


def parse_copied_reply(
    text: str,
    question: str,
    chunk: WorkerChunk,
    notes: Notes,
    checker: QuoteChecker,
    find_support: FindSupport,
) -> NotesDelta:
    """Return what a copier's reply changes: each of its sentences that the chunk says.

    A sentence that was put into other words rests on those of the chunk that say the same, where
    the program finds any.
    """
    stated: list[tuple[str, str]] = []
    supported: list[NotedFact] = []
    missed = False
    text = clean_reply(text, question, [chunk.text]).text
    for sentence in dict.fromkeys(_copied_sentences(text, question)):
        copied = _copied_parts(sentence, chunk, checker)
        support = None if copied else find_support(on_one_line(sentence), question, chunk)
        if support is not None:
            # The text's own words are noted: the model's may say less, or say it to no purpose.
            supported.append(NotedFact("", on_one_line(support[0]), *support, "exact", "lcagent"))
        stated.extend((part, part) for part in copied)
        missed = missed or not (copied or support)
    facts = [*_new_facts(stated, chunk, notes, checker), *supported]
    chosen = rank_by_use(facts, question)[:MAX_COPIED_FACTS]
    return NotesDelta(
        facts=label_facts([fact for fact in facts if fact in chosen], notes),
        flags=(NOT_IN_THE_TEXT,) if missed else (),
    )


def label_facts(facts: Sequence[NotedFact], notes: Notes) -> tuple[NotedFact, ...]:
    """Return new facts with the labels that follow those given, without what is noted already."""
    quoted = {fact_key(fact.quote) for fact in notes.facts if fact.is_proved}
    new: list[NotedFact] = []
    for fact in facts:
        if fact_key(fact.quote) not in quoted:
            quoted.add(fact_key(fact.quote))
            new.append(fact.labelled(f"{notes.label_prefix}{notes.labels_given + len(new) + 1}"))
    return tuple(new)


def _new_facts(
    stated: Sequence[tuple[str, str]], chunk: WorkerChunk, notes: Notes, checker: QuoteChecker
) -> tuple[NotedFact, ...]:
    """Return statements with their quotes as facts, those that are new, each quote looked up."""
    known = {fact_key(fact.text) for fact in notes.facts}
    facts: list[NotedFact] = []
    for text, quote in stated:
        if text.strip() and fact_key(text) not in known:
            known.add(fact_key(text))
            label = f"{notes.label_prefix}{notes.labels_given + len(facts) + 1}"
            facts.append(_checked_fact(label, text.strip(), quote.strip(), chunk, checker))
    return tuple(facts)


def _checked_fact(
    label: str, text: str, quote: str, chunk: WorkerChunk, checker: QuoteChecker
) -> NotedFact:
    location = checker.locate_among(quote, chunk.pages)
    page = location.spans[0].page if location.spans else chunk.pages[0]
    status: FactStatus = "not_found"
    if location.status in ("exact", "fuzzy"):
        status = "exact" if location.status == "exact" else "fuzzy"
    return NotedFact(label, text, quote, page, status)


def _copied_sentences(text: str, question: str) -> list[str]:
    """Return the sentences of a reply that may be copied ones, without bullets and fences."""
    bare = _FENCE.sub("\n", strip_marks(text))
    found = (
        _BULLET.sub("", bare[start:end]).strip(" \t\n\"'“”*_`") for start, end in sentences(bare)
    )
    return [
        sentence
        for sentence in found
        if is_evidence(sentence)
        and len(sentence) <= MAX_COPIED_CHARACTERS
        and not sentence.endswith((":", "："))
        and not carries_nothing(sentence)
        and fact_key(sentence).rstrip("?？؟ ") != fact_key(question).rstrip("?？؟ ")
    ]


def _copied_parts(sentence: str, chunk: WorkerChunk, checker: QuoteChecker) -> list[str]:
    """Return a sentence that the chunk has, else those of its lines that the chunk has."""
    lines = [line for line in sentence.splitlines() if is_evidence(line)]
    for parts in ([sentence], lines):
        found = [part for part in parts if checker.locate_among(part, chunk.pages).spans]
        if found:
            return found
    return []


class _FactReply(BaseModel):
    text: str
    quote: str = ""


class _Reply(BaseModel):
    model_config = ConfigDict(extra="ignore")

    facts: list[_FactReply] = Field(default_factory=list[_FactReply])
    open_questions: list[str] = Field(default_factory=list[str])
    answer: str = ""

    @field_validator("facts", mode="before")
    @classmethod
    def _bare_sentences(cls, given: Any) -> Any:
        """Take a fact that is a mere string for one that is its own quote."""
        if not isinstance(given, list):
            return given
        return [{"text": one, "quote": one} if isinstance(one, str) else one for one in given]


def _notes_reply(text: str) -> _Reply | None:
    found = extract_json_object(text)
    try:
        return _Reply.model_validate(found) if found is not None else None
    except ValidationError:
        return None


_FENCE = regex.compile(r"</?\w+ [0-9a-f]{8}>?|```\w*")
_BULLET = regex.compile(r"^\s*(?:[-*•–—]|\(?\d{1,3}[.):])\s+")
