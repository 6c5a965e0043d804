"""The proof of an answer that was found by a tree of questions."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class ProofStep:
    """An answer below that another was put together from.

    Attributes:
        id: Of the question that it answers.
        asked: The question as it was asked.
        score: How sure it is.
    """

    id: int
    asked: str
    answer: str
    score: float


@dataclass(frozen=True, slots=True)
class ProofCandidate:
    """One of the answers to a question of a tree.

    Attributes:
        kind: Where it is from: the model's own knowledge ("closed_book"), passages ("open_book"),
            or the answers to the questions below ("child_aggregating").
        score: How sure it is, as a logarithm; -100 for what is no answer.
        evidence: The ids of the citations it rests on; one from own knowledge has none.
        used: The ids of the questions below whose answers it used.
        below: In beam mode, the answers below that it was put together from; one candidate for
            each assignment of answers that was kept.
    """

    kind: Literal["closed_book", "open_book", "child_aggregating"]
    answer: str
    score: float
    explanation: str
    evidence: tuple[str, ...] = ()
    used: tuple[int, ...] = ()
    flags: tuple[str, ...] = ()
    below: tuple[ProofStep, ...] = ()


@dataclass(frozen=True, slots=True)
class ProofNode:
    """A question of a tree with its answers.

    Attributes:
        parent: The id of the question it is a part of; None for the one that was asked.
        asked: The question with the answers that it refers to put in.
        choice: The kind of the candidate that is its answer.
        confidence: What the scores of the candidates were measured by.
        decomposition_score: How sure the model was of the questions below; None where there are
            none, or where that was not measured.
        nth: Which of the candidates of that kind is its answer, from 0.
    """

    id: int
    parent: int | None
    question: str
    asked: str
    candidates: tuple[ProofCandidate, ...]
    choice: Literal["closed_book", "open_book", "child_aggregating"]
    confidence: Literal["logprobs", "samples", "stated"]
    decomposition_score: float | None
    flags: tuple[str, ...] = ()
    nth: int = 0

    @property
    def taken(self) -> ProofCandidate:
        """The candidate that is its answer."""
        return [one for one in self.candidates if one.kind == self.choice][self.nth]


@dataclass(frozen=True, slots=True)
class Proof:
    """How an answer came about: the question, and those it was broken down into."""

    nodes: tuple[ProofNode, ...]
    flags: tuple[str, ...] = ()
