"""Notes: what workers hand on, as facts whose quotes were looked up in the text they come from.

Zhang et al., Chain of Agents, https://arxiv.org/abs/2406.02818, section 3.1, hand on a summary that
each worker writes anew. Here a worker says only what its chunk adds and the program keeps the rest,
so nothing is lost in copying.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from typing import Any, Literal, TypeAlias

import regex
from pydantic import TypeAdapter

from lcagent.agents.token_budget import CountTokens, truncate_end
from lcagent.documents import Span

FactStatus: TypeAlias = Literal["exact", "fuzzy", "not_found"]

FoundBy: TypeAlias = Literal["model", "lcagent"]
"""Who said which words of the text a fact rests on."""

LABEL_PREFIXES = "FGHJKLMNPQRTUVWXYZ"
"""The letter of the facts of each path, so that two paths never share a label."""


@dataclass(frozen=True, slots=True)
class NotedFact:
    """One thing that a worker noted.

    Attributes:
        label: How the manager refers to it ("F3").
        quote: The words it rests on, as the worker gave them.
        page: Where they were found, else the first page of the chunk.
        status: Whether the quote stands in the chunk.
        heads: The heads of its columns, where the quote is a row of a table.
    """

    label: str
    text: str
    quote: str
    page: Span
    status: FactStatus
    found_by: FoundBy = "model"
    heads: str = ""

    def labelled(self, label: str) -> "NotedFact":
        """Return the fact under another label."""
        return replace(self, label=label)

    @property
    def is_proved(self) -> bool:
        """Say whether its quote stands in the text."""
        return self.status != "not_found"


@dataclass(frozen=True, slots=True)
class NotesDelta:
    """What one step adds to the notes, or changes in them.

    Attributes:
        facts: New ones.
        message: A summary that takes the place of the one before, or None to keep that.
        open_questions, answer: As the worker sees them now; None to keep those before.
        kept: Labels of the facts to keep, where the notes were shortened.
        flags: What was wrong with the reply, for the report of the run.
    """

    facts: tuple[NotedFact, ...] = ()
    message: str | None = None
    open_questions: tuple[str, ...] | None = None
    answer: str | None = None
    kept: tuple[str, ...] | None = None
    flags: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the delta as it is stored."""
        fields = asdict(self)
        for fact in fields["facts"]:  # of a fact's place only the page is known
            del fact["page"]["start"], fact["page"]["end"]
        return fields

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> "NotesDelta":
        """Undo `as_json`."""
        return _stored_delta().validate_python(fields)


@dataclass(frozen=True, slots=True)
class Notes:
    """All that is known after some steps.

    Attributes:
        label_prefix: The letter of the facts' labels.
        labels_given: How many; labels of facts that were dropped are not given again.
    """

    label_prefix: str = LABEL_PREFIXES[0]
    facts: tuple[NotedFact, ...] = ()
    message: str = ""
    open_questions: tuple[str, ...] = ()
    answer: str = ""
    labels_given: int = field(default=0, repr=False)

    def apply(self, delta: NotesDelta) -> "Notes":
        """Return the notes with a step's changes."""
        facts = (*self.facts, *delta.facts)
        if delta.kept is not None:
            facts = tuple(fact for fact in facts if fact.label in delta.kept)
        return replace(
            self,
            facts=facts,
            message=self.message if delta.message is None else delta.message,
            open_questions=_or_before(delta.open_questions, self.open_questions),
            answer=self.answer if delta.answer is None else delta.answer,
            labels_given=self.labels_given + len(delta.facts),
        )

    def __bool__(self) -> bool:
        """Say whether anything was noted."""
        return bool(self.facts or self.message)

    @property
    def proved_facts(self) -> tuple[NotedFact, ...]:
        """Those whose quotes stand in the text."""
        return tuple(fact for fact in self.facts if fact.is_proved)

    def as_text(self, facts: Sequence[NotedFact], *, with_quotes: bool) -> str:
        """Return the notes, with some of their facts, as a model is shown them."""
        return "\n".join(self._lines(facts, with_quotes)) or "(none)"

    def _lines(self, facts: Sequence[NotedFact], with_quotes: bool) -> Iterator[str]:
        if self.message:
            yield self.message
        for fact in facts:
            yield format_fact(fact, with_quote=with_quotes)
        if self.open_questions:
            yield "Still open: " + " / ".join(self.open_questions)
        if self.answer:
            yield f"The answer as far as it is known: {self.answer}"


@dataclass(frozen=True, slots=True)
class FittedNotes:
    """Notes within a budget: what a model is shown of them, and which facts had no room."""

    text: str
    left_out: tuple[NotedFact, ...] = ()


def fit_to_budget(
    notes: Notes,
    budget_tokens: int,
    count: CountTokens,
    question: str,
    *,
    with_quotes: bool = False,
) -> FittedNotes:
    """Return the notes with as many facts as fit, chosen by their use for the question.

    All facts stay in the notes: only what a model is shown of them is limited. A summary, open
    questions and an answer so long that they alone have no room are cut short.

    Args:
        budget_tokens: The most tokens that the text may have.
        with_quotes: Show the quote of each fact, as the manager needs them and workers do not.
    """
    # Each line is counted by itself. Joined, they have as many tokens or fewer, so the budget
    # holds without counting the whole again for every fact.
    used = count(notes.as_text((), with_quotes=with_quotes))
    chosen: set[str] = set()
    for fact in rank_by_use(notes.facts, question):
        size = count(format_fact(fact, with_quote=with_quotes)) + 1
        if used + size <= budget_tokens:
            used += size
            chosen.add(fact.label)
    # In the order of reading, whatever was chosen first.
    shown = [fact for fact in notes.facts if fact.label in chosen]
    left_out = tuple(fact for fact in notes.facts if fact.label not in chosen)
    text = notes.as_text(shown, with_quotes=with_quotes)
    return FittedNotes(truncate_end(text, budget_tokens, count), left_out)


def format_sentences(notes: Notes, budget_tokens: int, count: CountTokens, question: str) -> str:
    """Return what the notes say that is proved, as many sentences as fit, in their order.

    Without labels and quotes, for a model that cannot make use of these. A message takes their
    place where nothing is proved.
    """
    proved = notes.proved_facts
    if not proved:
        return truncate_end(notes.message or "(none)", budget_tokens, count)
    lines = {fact.label: f"- {' '.join(f'{fact.heads} {fact.text}'.split())}" for fact in proved}
    left, chosen = budget_tokens, set[str]()
    for fact in rank_by_use(proved, question):
        size = count(lines[fact.label]) + 1
        if size <= left:
            left -= size
            chosen.add(fact.label)
    return "\n".join(line for label, line in lines.items() if label in chosen)


def format_fact(fact: NotedFact, *, with_quote: bool = False) -> str:
    """Return a fact as a model is shown it."""
    quote = " ".join(fact.quote.split())
    shown = f' -- "{quote}"' if with_quote and quote else ""
    doubt = "" if fact.is_proved else " (its words were not found in the text)"
    return f"[{fact.label}] {' '.join(fact.text.split())}{shown}{doubt}"


def cells_asked_for(row: str, heads: str, question: str) -> str:
    """Return the cells of a row under the heads that a question names, else the row as it is.

    Small models cannot count columns.
    """
    names, words = heads.split(), row.split()
    label = " ".join(words[: -len(names)]) if names else ""
    cells = zip(names, words[-len(names) :], strict=True) if label else ()
    wanted = {word.strip(".,;:?!") for word in question.split()}
    asked = [f"{label}, {name}: {cell}" for name, cell in cells if name in wanted]
    return "; ".join(asked) or row


def rank_by_use(facts: Sequence[NotedFact], question: str) -> list[NotedFact]:
    """Return facts, those with a quote that was found first, then by words of the question.

    Of equals the newest comes first: where the budget is small, the next worker goes on from what
    was read last. Words are found as parts of others, which no stemmer has to know a language for.
    """
    wanted = {word.lower() for word in _WORDS.findall(question)}

    def rank(place: int) -> tuple[bool, int, int]:
        fact = facts[place]
        said = f"{fact.text} {fact.quote}".lower()
        return not fact.is_proved, -sum(word in said for word in wanted), -place

    return [facts[place] for place in sorted(range(len(facts)), key=rank)]


def fact_key(text: str) -> str:
    """Return what is the same for two facts in the same words, whatever their case and stops."""
    return " ".join(text.lower().split()).strip(" .")


def _or_before(new: tuple[str, ...] | None, old: tuple[str, ...]) -> tuple[str, ...]:
    return old if new is None else new


@cache
def _stored_delta() -> TypeAdapter[NotesDelta]:
    return TypeAdapter(NotesDelta)


# Two characters of a script without blanks are about a word.
_WORDS = regex.compile(
    r"[\p{Han}\p{Hiragana}\p{Katakana}]{2}|[^\W_\p{Han}\p{Hiragana}\p{Katakana}]{3,}"
)
