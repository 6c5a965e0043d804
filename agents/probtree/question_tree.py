"""Trees of questions, and the references of a question to the answers of earlier ones.

The root is the question that was asked; its children ask for parts of it. Nodes are numbered so
that parents stand before children, and children in their order; the root is 0. A reference is
written "#1" or "<1>", as children are numbered. What an answer puts in the place of a reference
carries no stop at its end, and is never empty: a question with a gap in it asks for something else.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

import regex
from pydantic import TypeAdapter

from lcagent.agents.probtree.explained_replies import clean_answer, is_no_answer

MAX_DEPTH = 4
"""Questions from the root down; those of the paper's data sets have 2 to 4."""

MAX_NODES = 15
"""Questions of a tree; each takes two or three calls."""

UNKNOWN_ANSWER = "unknown"
"""What stands where an answer is missing."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A place in a question that stands for the answer to another.

    Attributes:
        written: As it is written ("#1").
        node: The question whose answer it stands for; None where there is none.
    """

    written: str
    node: int | None


@dataclass(frozen=True, slots=True)
class QuestionNode:
    """A question of a tree.

    Attributes:
        score: How sure the model is of the list of `children`; None for a leaf.
        flags: What was wrong with it in the model's reply.
    """

    index: int
    text: str
    parent: int | None = None
    children: tuple[int, ...] = ()
    references: tuple[Reference, ...] = ()
    score: float | None = None
    flags: tuple[str, ...] = ()

    @property
    def is_leaf(self) -> bool:
        """Say whether it is answered as it is."""
        return not self.children

    @property
    def needs(self) -> tuple[int, ...]:
        """The questions whose answers its text refers to."""
        return tuple(dict.fromkeys(each.node for each in self.references if each.node is not None))

    def resolve(self, answers: Mapping[int, str]) -> str:
        """Return the question with the answers that it refers to put in."""
        known = {
            each.written: UNKNOWN_ANSWER if each.node is None else answers[each.node]
            for each in self.references
        }
        return substitute_references(self.text, known)


@dataclass(frozen=True, slots=True)
class QuestionTree:
    """A question and all questions below it."""

    questions: tuple[QuestionNode, ...]
    flags: tuple[str, ...] = ()

    @property
    def root(self) -> QuestionNode:
        """The question that was asked."""
        return self.questions[0]

    def descendants(self, index: int) -> Iterator[QuestionNode]:
        """Yield the questions below that with this index, depth first."""
        for child in self.questions[index].children:
            yield self.questions[child]
            yield from self.descendants(child)

    def level(self, index: int) -> int:
        """Return how many questions, this included, are answered one after the other for it."""
        question = self.questions[index]
        before = (*question.children, *question.needs)
        return 1 + max(map(self.level, before), default=0)

    def as_json(self) -> dict[str, Any]:
        """Return the tree as it is stored."""
        return asdict(self)

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> "QuestionTree":
        """Undo `as_json`."""
        return _stored().validate_python(fields)


def find_references(question: str) -> dict[str, int]:
    """Return the references of a question as they are written, and the numbers they name."""
    return {
        found.group(): int(found["hash"] or found["angle"])
        for found in _REFERENCE.finditer(question)
    }


def substitute_references(question: str, answers: Mapping[str, str]) -> str:
    """Return a question with answers in the place of its references, each as it is written.

    A reference that is not in `answers` stays.
    """

    def answer_for(found: regex.Match[str]) -> str:
        if found.group() not in answers:
            return found.group()
        return insertable_answer(answers[found.group()])

    return _REFERENCE.sub(answer_for, question)


def insertable_answer(answer: str) -> str:
    """Return an answer as it stands in the middle of a question."""
    bare = clean_answer(answer)
    return UNKNOWN_ANSWER if is_no_answer(bare) else bare


@cache
def _stored() -> TypeAdapter[QuestionTree]:
    return TypeAdapter(QuestionTree)


_REFERENCE = regex.compile(r"(?<![\w&/])#(?<hash>\d{1,2})(?!\w)|<(?<angle>\d{1,2})>")
