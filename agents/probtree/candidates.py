"""What is known of a question once it is answered: its candidates, and which of them was taken."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from lcagent.agents.probtree import deciding
from lcagent.agents.probtree.confidence import Method
from lcagent.agents.probtree.deciding import FAILED, Kind, Scored

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
class Candidate:
    """An answer to a question, in one of the three ways.

    Attributes:
        score: How sure it is, children included.
        explanation: What the model said before it, without marks.
        evidence: What it quotes.
        pages: Those it was shown: ids of documents and indices of pages.
        used: The questions below whose answers it used.
    """

    kind: Kind
    answer: str
    score: float
    explanation: str = ""
    evidence: tuple[Evidence, ...] = ()
    pages: tuple[tuple[str, int], ...] = ()
    used: tuple[int, ...] = ()
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answered:
    """A question with its answer.

    Attributes:
        asked: The question as it was asked.
        method: What all its confidences were measured by.
        chosen: The kind of the candidate that is its answer.
    """

    asked: str
    candidates: tuple[Candidate, ...]
    method: Method
    chosen: Kind
    flags: tuple[str, ...] = ()

    @property
    def choice(self) -> Candidate:
        """The candidate that is the answer."""
        return next(one for one in self.candidates if one.kind == self.chosen)

    @property
    def is_answered(self) -> bool:
        """Say whether there is an answer."""
        return self.choice.score > FAILED

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
    scored = {one.kind: Scored(one.kind, one.answer, one.score) for one in ordered}
    flags = (UNCERTAIN,) if deciding.is_close(list(scored.values())) else ()
    first = _ORDER if method == "logprobs" else _CHECKABLE_FIRST
    chosen = deciding.choose([scored[kind] for kind in first if kind in scored])
    return Answered(asked, tuple(ordered), method, chosen.kind, flags)


@cache
def _stored() -> TypeAdapter[Answered]:
    return TypeAdapter(Answered)


_ORDER: tuple[Kind, ...] = ("closed_book", "open_book", "child_aggregating")
"""Of equals the first is taken, as in the authors' code."""

_CHECKABLE_FIRST: tuple[Kind, ...] = ("open_book", "child_aggregating", "closed_book")
"""The same where there are no log-probabilities. What is measured then has few values, so equals
are the rule, and what can be looked up goes before what the model merely knows."""
