"""Trees of questions: the root is the question itself, its children ask for parts of it.

Questions are numbered so that parents stand before children, and children in their order; the
root is 0.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from lcagent.agents.probtree.references import UNKNOWN, substituted

MAX_DEPTH = 4
"""Questions from the root down; those of the paper's data sets have 2 to 4."""

MAX_NODES = 15


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
class Question:
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
        return tuple({one.node: None for one in self.references if one.node is not None})

    def asked(self, answers: Mapping[int, str]) -> str:
        """Return the question with the answers that it refers to put in."""
        known = {
            one.written: UNKNOWN if one.node is None else answers[one.node]
            for one in self.references
        }
        return substituted(self.text, known)


@dataclass(frozen=True, slots=True)
class Tree:
    """A question and all questions below it."""

    questions: tuple[Question, ...]
    flags: tuple[str, ...] = ()

    @property
    def root(self) -> Question:
        """The question that was asked."""
        return self.questions[0]

    def below(self, index: int) -> Iterator[Question]:
        """Yield the questions below one, those on the left first."""
        for child in self.questions[index].children:
            yield self.questions[child]
            yield from self.below(child)

    def level(self, index: int) -> int:
        """Return how many questions, this included, are answered one after the other for it."""
        question = self.questions[index]
        before = (*question.children, *question.needs)
        return 1 + max(map(self.level, before), default=0)

    def as_json(self) -> dict[str, Any]:
        """Return the tree as it is stored."""
        return asdict(self)

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> "Tree":
        """Undo `as_json`."""
        return _stored().validate_python(fields)


@cache
def _stored() -> TypeAdapter[Tree]:
    return TypeAdapter(Tree)
