"""What is known of a question once it is answered: its candidates, and which of them was taken."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from lcagent.agents.probtree import deciding
from lcagent.agents.probtree.confidence import Method, folded
from lcagent.agents.probtree.deciding import FAILED, Kind, Scored
from lcagent.agents.probtree.references import insertable

UNCERTAIN = "two answers are nearly equally sure"


@dataclass(frozen=True, slots=True)
class Evidence:
    """Words that an answer rests on, and the page they were taken from.

    Attributes:
        document_id: Empty where the model named a passage that it was not shown.
    """

    document_id: str
    page_index: int
    quote: str


@dataclass(frozen=True, slots=True)
class Pick:
    """An answer to a question below, as one from below was put together from it (beam mode).

    Attributes:
        asked: The question as it was asked.
        chosen: The kind of the answer.
        nth: Which of its kind it is, from 0.
    """

    question: int
    asked: str
    chosen: Kind
    nth: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """An answer to a question, in one of the three ways.

    Attributes:
        score: How sure it is, children included.
        explanation: What the model said before it, without marks.
        evidence: What it quotes.
        pages: Those it was shown: ids of documents and indices of pages.
        used: The questions below whose answers it used.
        below: In beam mode, the answers below that it was shown; there may be others.
    """

    kind: Kind
    answer: str
    score: float
    explanation: str = ""
    evidence: tuple[Evidence, ...] = ()
    pages: tuple[tuple[str, int], ...] = ()
    used: tuple[int, ...] = ()
    flags: tuple[str, ...] = ()
    below: tuple[Pick, ...] = ()


@dataclass(frozen=True, slots=True)
class Answered:
    """A question with its answer.

    Attributes:
        asked: The question as it was asked.
        method: What all its confidences were measured by.
        chosen: The kind of the candidate that is its answer.
        nth: Which of that kind it is, from 0; in beam mode there may be several from below.
    """

    asked: str
    candidates: tuple[Candidate, ...]
    method: Method
    chosen: Kind
    flags: tuple[str, ...] = ()
    nth: int = 0

    @property
    def choice(self) -> Candidate:
        """The candidate that is the answer."""
        return [one for one in self.candidates if one.kind == self.chosen][self.nth]

    @property
    def is_answered(self) -> bool:
        """Say whether there is an answer."""
        return self.choice.score > FAILED

    def taking(self, candidate: Candidate) -> "Answered":
        """Return the same question with another of its candidates as the answer."""
        of_kind = [one for one in self.candidates if one.kind == candidate.kind]
        return replace(self, chosen=candidate.kind, nth=of_kind.index(candidate))

    def as_json(self) -> dict[str, Any]:
        """Return it as it is stored."""
        return asdict(self)

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> "Answered":
        """Undo `as_json`."""
        return _stored().validate_python(fields)


def decided(asked: str, candidates: Sequence[Candidate], method: Method) -> Answered:
    """Return a question with the surest of its candidates as the answer."""
    ordered = sorted(candidates, key=lambda one: _ORDER.index(one.kind))
    scored = [Scored(one.kind, one.answer, one.score) for one in ordered]
    flags = (UNCERTAIN,) if deciding.is_close(scored) else ()
    chosen = _surest_first(ordered, method)[0]
    return Answered(asked, tuple(ordered), method, chosen.kind, flags).taking(chosen)


def alternatives(answered: Answered, most: int) -> list[Answered]:
    """Return a question with each of its surest answers taken, no two alike, the surest first.

    What is no answer is no alternative; where there is nothing else, the choice stays alone.
    """
    ordered = _surest_first(answered.candidates, answered.method)
    different: dict[str, Candidate] = {}
    for one in ordered:
        if one.score > FAILED:
            different.setdefault(folded(insertable(one.answer)), one)
    kept = list(different.values())[:most]
    return [answered.taking(one) for one in kept] or [answered]


def comparable(answers: Iterable[Answered], method: Method) -> list[Answered]:
    """Return the answers whose scores were measured in one way; failures always can be compared."""
    return [one for one in answers if one.method == method or not one.is_answered]


def _surest_first(candidates: Sequence[Candidate], method: Method) -> list[Candidate]:
    first = _ORDER if method == "logprobs" else _CHECKABLE_FIRST
    given = sorted(candidates, key=lambda one: first.index(one.kind))
    return [given[place] for place in deciding.surest_first([one.score for one in given])]


@cache
def _stored() -> TypeAdapter[Answered]:
    return TypeAdapter(Answered)


_ORDER: tuple[Kind, ...] = ("closed_book", "open_book", "child_aggregating")
"""Of equals the first is taken, as in the authors' code."""

_CHECKABLE_FIRST: tuple[Kind, ...] = ("open_book", "child_aggregating", "closed_book")
"""The same where there are no log-probabilities. What is measured then has few values, so equals
are the rule, and what can be looked up goes before what the model merely knows."""
