"""The proof of an answer that was found by a tree of questions."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class ProofCandidate:
    """One of the answers to a question of a tree.

    Attributes:
        kind: Where it is from: the model's own knowledge ("closed_book"), passages ("open_book"),
            or the answers to the questions below ("child_aggregating").
        score: How sure it is, as a logarithm; -100 for what is no answer.
        evidence: The ids of the citations it rests on; one from own knowledge has none.
        used: The ids of the questions below whose answers it used.
    """

    kind: Literal["closed_book", "open_book", "child_aggregating"]
    answer: str
    score: float
    explanation: str
    evidence: tuple[str, ...] = ()
    used: tuple[int, ...] = ()
    flags: tuple[str, ...] = ()


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


@dataclass(frozen=True, slots=True)
class Proof:
    """How an answer came about: the question, and those it was broken down into."""

    nodes: tuple[ProofNode, ...]
    flags: tuple[str, ...] = ()
