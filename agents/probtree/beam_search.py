"""Beam mode: several assignments of answers to the questions of one list, followed side by side.

Not in the paper, where each question has one answer. An assignment takes one answer for each
question of a list, and a question that refers to another is asked once for each answer of that one
that is kept. Questions of a list that do not refer to each other, not even over others, are kept
apart until all are answered. Below a question that refers to others, and so is itself asked
several times, one assignment is kept: that is what bounds the calls.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from math import inf
from typing import TypeAlias

from lcagent.agents.probtree.confidence import ConfidenceMethod, weaker_method
from lcagent.agents.probtree.node_result import NodeResult, list_alternatives, select_comparable
from lcagent.agents.probtree.question_tree import MAX_NODES, QuestionNode, QuestionTree

MAX_BEAM_WIDTH = 8
"""A question without others below it has two answers; more assignments only cost more."""

Assignment: TypeAlias = Mapping[int, NodeResult]
"""Questions of a list, each with one of its answers taken."""


@dataclass(frozen=True, slots=True)
class BoundQuestion:
    """A question with answers in the place of its references.

    Attributes:
        answers: By the questions that they answer, those it refers to and no others.
    """

    question: QuestionNode
    answers: Mapping[int, str]

    @property
    def text(self) -> str:
        """The question as it is asked."""
        return self.question.asked(self.answers)


@dataclass(frozen=True, slots=True)
class PendingQuestion:
    """What can be asked now.

    Attributes:
        beam: The assignments that were kept for the questions below, the best first.
    """

    wording: BoundQuestion
    beam: tuple[Assignment, ...] = ()


@dataclass(frozen=True, slots=True)
class BeamSearch:
    """A tree that is answered in beam mode.

    Attributes:
        width: How many assignments are kept for a list.
        answer_to: Gives the answer to a question in a wording, None as long as there is none.
    """

    tree: QuestionTree
    width: int
    answer_to: Callable[[QuestionNode, str], NodeResult | None]

    def open(self) -> list[PendingQuestion]:
        """Return all that can be asked now, some of it perhaps twice."""
        found: list[PendingQuestion] = []
        self._visit(BoundQuestion(self.tree.root, {}), found)
        return found

    def _visit(self, wording: BoundQuestion, found: list[PendingQuestion]) -> NodeResult | None:
        """Return an answer, or find what can be asked for it."""
        known = self.answer_to(wording.question, wording.text)
        if known is not None:
            return known
        beam = self._beam(wording, found)
        if beam or wording.question.is_leaf:
            found.append(PendingQuestion(wording, tuple(beam)))
        return None

    def _beam(self, wording: BoundQuestion, found: list[PendingQuestion]) -> list[Assignment]:
        """Return what is kept for the questions below; nothing while answers are missing."""
        children = [self.tree.questions[child] for child in wording.question.children]
        kept = [self._kept(wording, group, found) for group in _groups(children)]
        if not kept or not all(kept):
            return []
        whole: Sequence[Assignment] = [{}]
        for assignments in kept:
            whole = _joined(whole, assignments, self._width(wording))
        return [{child.index: one[child.index] for child in children} for one in whole]

    def _kept(
        self, wording: BoundQuestion, group: Sequence[QuestionNode], found: list[PendingQuestion]
    ) -> list[Assignment]:
        """Return what is kept for questions that refer to each other, those referred to first."""
        kept: list[Assignment] = [{}]
        waiting = list(group)
        while waiting and kept:
            unknown = {one.index for one in waiting}
            now = [one for one in waiting if unknown.isdisjoint(one.needs)]
            waiting = [one for one in waiting if one not in now]
            grown = [self._grown(wording, one, now, found) for one in kept]
            kept = (
                best_assignments([*chain.from_iterable(grown)], self._width(wording))
                if all(grown)
                else []
            )
        return kept

    def _grown(
        self,
        wording: BoundQuestion,
        assignment: Assignment,
        now: Sequence[QuestionNode],
        found: list[PendingQuestion],
    ) -> list[Assignment]:
        """Return an assignment with the best answers to more questions."""
        taken = {index: one.choice.answer for index, one in assignment.items()}
        known = {**wording.answers, **taken}
        wordings = [BoundQuestion(one, {index: known[index] for index in one.needs}) for one in now]
        answers = [self._visit(one, found) for one in wordings]
        grown: list[Assignment] = [assignment]
        for question, answer in zip(now, answers, strict=True):
            if answer is None:
                return []
            each = [
                {question.index: one} for one in list_alternatives(answer, self._width(wording))
            ]
            grown = _joined(grown, each, self._width(wording))
        return grown

    def _width(self, wording: BoundQuestion) -> int:
        return 1 if wording.question.needs else self.width


def best_assignments(assignments: Sequence[Assignment], most: int) -> list[Assignment]:
    """Return the surest assignments, the surest first; those with the fewest gaps, if there are.

    One is as sure as its answers on average; those that were measured otherwise than the least well
    measured are left out.
    """
    method: ConfidenceMethod = "logprobs"
    for answered in chain.from_iterable(one.values() for one in assignments):
        method = weaker_method(method, answered.method)
    gaps = [sum(not answer.is_answered for answer in one.values()) for one in assignments]
    fewest = min(gaps, default=0)
    fullest = [one for one, count in zip(assignments, gaps, strict=True) if count == fewest]
    return sorted(fullest, key=lambda one: _mean(one, method), reverse=True)[:most]


def max_beam_calls(beam: int) -> int:
    """Return the calls that the largest tree takes.

    One makes the tree. The root takes two and one for each assignment. Another question has at most
    `beam` wordings that take three, and one of them, with none below it, two.
    """
    return 1 + (2 + beam) + 3 * beam * (MAX_NODES - 1) - beam


def _mean(assignment: Assignment, method: ConfidenceMethod) -> float:
    scores = [one.choice.score for one in select_comparable(assignment.values(), method)]
    return sum(scores) / len(scores) if scores else -inf


def _joined(
    assignments: Sequence[Assignment], others: Sequence[Assignment], most: int
) -> list[Assignment]:
    return best_assignments([{**one, **other} for one in assignments for other in others], most)


def _groups(children: Sequence[QuestionNode]) -> list[list[QuestionNode]]:
    """Return questions in groups that do not refer to each other."""
    groups: list[list[QuestionNode]] = []
    for child in children:
        joined = [one for one in groups if any(other.index in child.needs for other in one)]
        apart = [one for one in groups if one not in joined]
        groups = [*apart, [*chain.from_iterable(joined), child]]
    return groups
