"""Beam search over a tree of questions: several answers to each are followed side by side.

Not in the paper, where each question has one answer. An assignment takes one answer for each of
several siblings. A question that refers to another is asked once for each answer of that one that
is kept. Siblings that do not refer to each other, not even over others, are kept apart until all
are answered. Below a question that refers to others, and so is itself asked several times, one
assignment is kept: that is what bounds the calls.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from math import inf
from typing import TypeAlias

from lcagent.agents.probtree.confidence import ConfidenceMethod, weaker_method
from lcagent.agents.probtree.node_result import (
    NodeResult,
    list_alternatives,
    select_comparable,
)
from lcagent.agents.probtree.question_tree import MAX_NODES, QuestionNode, QuestionTree

MAX_BEAM_WIDTH = 8
"""A question without others below it has two answers; more assignments only cost more."""

Assignment: TypeAlias = Mapping[int, NodeResult]
"""Siblings by their index, each with one of its answers taken."""


@dataclass(frozen=True, slots=True)
class BoundQuestion:
    """A node with answers bound to its references.

    Attributes:
        answers: By the nodes that they answer: those it refers to and no others, so that two
            assignments that agree on these ask one and the same question.
    """

    node: QuestionNode
    answers: Mapping[int, str]

    @property
    def text(self) -> str:
        """The question as it is asked."""
        return self.node.resolve(self.answers)


@dataclass(frozen=True, slots=True)
class PendingQuestion:
    """A question that can be asked now.

    Attributes:
        beam: The assignments that were kept for the questions below, the best first.
    """

    question: BoundQuestion
    beam: tuple[Assignment, ...] = ()


@dataclass(frozen=True, slots=True)
class BeamSearch:
    """A tree that is answered by beam search, replayed from the answers so far.

    It keeps no state: each call walks the tree anew, takes what is answered, and stops where
    something has to be asked first. That makes a run resumable at any place.

    Attributes:
        width: How many assignments are kept for siblings.
        find_answer: Gives the answer to a node worded like this, None as long as there is none.
    """

    tree: QuestionTree
    width: int
    find_answer: Callable[[QuestionNode, str], NodeResult | None]

    def pending(self) -> list[PendingQuestion]:
        """Return all that can be asked now, some of it perhaps twice."""
        found: list[PendingQuestion] = []
        self._visit(BoundQuestion(self.tree.root, {}), found)
        return found

    def _visit(self, question: BoundQuestion, found: list[PendingQuestion]) -> NodeResult | None:
        """Return the answer to a question, or add to `found` what can be asked for it."""
        known = self.find_answer(question.node, question.text)
        if known is not None:
            return known
        beam = self._beam_below(question, found)
        if beam or question.node.is_leaf:
            found.append(PendingQuestion(question, tuple(beam)))
        return None

    def _beam_below(
        self, question: BoundQuestion, found: list[PendingQuestion]
    ) -> list[Assignment]:
        """Return the assignments kept for the children; none while answers are missing."""
        children = [self.tree.questions[child] for child in question.node.children]
        # Groups share no reference, so the best of the whole are made of the best of each. All
        # are visited even if one is not complete: what they ask can be asked at the same time.
        kept = [self._beam_of_group(question, group, found) for group in _groups(children)]
        if not kept or not all(kept):
            return []
        whole: Sequence[Assignment] = [{}]
        for assignments in kept:
            whole = _combine(whole, assignments, self._width(question))
        return [{child.index: each[child.index] for child in children} for each in whole]

    def _beam_of_group(
        self, parent: BoundQuestion, group: Sequence[QuestionNode], found: list[PendingQuestion]
    ) -> list[Assignment]:
        """Return the assignments kept for siblings that refer to each other.

        Each round extends the beam by the siblings whose references are all answered; those of a
        round have the same depth, so they are ranked together and not one after the other.
        """
        kept: list[Assignment] = [{}]
        waiting = list(group)
        while waiting and kept:
            unknown = {node.index for node in waiting}
            ready = [node for node in waiting if unknown.isdisjoint(node.needs)]
            waiting = [node for node in waiting if node not in ready]
            extended = [self._extend(parent, each, ready, found) for each in kept]
            # An assignment whose questions are still open may yet win: wait for all of them.
            is_complete = all(extended)
            kept = (
                best_assignments([*chain.from_iterable(extended)], self._width(parent))
                if is_complete
                else []
            )
        return kept

    def _extend(
        self,
        parent: BoundQuestion,
        assignment: Assignment,
        ready: Sequence[QuestionNode],
        found: list[PendingQuestion],
    ) -> list[Assignment]:
        """Return an assignment with the best answers to more siblings; none if one is open."""
        taken = {index: result.choice.answer for index, result in assignment.items()}
        known = {**parent.answers, **taken}
        questions = [
            BoundQuestion(node, {index: known[index] for index in node.needs}) for node in ready
        ]
        results = [self._visit(question, found) for question in questions]
        extended: list[Assignment] = [assignment]
        for node, result in zip(ready, results, strict=True):
            if result is None:
                return []
            width = self._width(parent)
            each = [{node.index: taking} for taking in list_alternatives(result, width)]
            extended = _combine(extended, each, width)
        return extended

    def _width(self, question: BoundQuestion) -> int:
        # A question with references is itself asked in `width` wordings; with as many assignments
        # below each, the calls would grow by that factor at every level.
        return 1 if question.node.needs else self.width


def best_assignments(assignments: Sequence[Assignment], most: int) -> list[Assignment]:
    """Return the surest assignments, the surest first, of those with the fewest gaps.

    An assignment is as sure as its answers on average; scores that were measured otherwise than
    the least well measured are left out of the average.
    """
    method: ConfidenceMethod = "logprobs"
    for result in chain.from_iterable(each.values() for each in assignments):
        method = weaker_method(method, result.method)
    gaps = [sum(not result.is_answered for result in each.values()) for each in assignments]
    fewest = min(gaps, default=0)
    fullest = [each for each, count in zip(assignments, gaps, strict=True) if count == fewest]
    return sorted(fullest, key=lambda each: _mean_score(each, method), reverse=True)[:most]


def max_beam_calls(width: int) -> int:
    """Return the calls that the largest tree takes.

    One makes the tree. The root takes two and one for each assignment. Another question has at most
    `width` wordings that take three, and one of them, with none below it, two.
    """
    return 1 + (2 + width) + 3 * width * (MAX_NODES - 1) - width


def _mean_score(assignment: Assignment, method: ConfidenceMethod) -> float:
    scores = [result.choice.score for result in select_comparable(assignment.values(), method)]
    return sum(scores) / len(scores) if scores else -inf


def _combine(
    assignments: Sequence[Assignment], others: Sequence[Assignment], most: int
) -> list[Assignment]:
    """Return the best pairs of two beams; cut at once, so that products of beams stay small."""
    return best_assignments([{**each, **other} for each in assignments for other in others], most)


def _groups(children: Sequence[QuestionNode]) -> list[list[QuestionNode]]:
    """Return siblings in groups that do not refer to each other, not even over others."""
    groups: list[list[QuestionNode]] = []
    for child in children:
        joined = [group for group in groups if any(node.index in child.needs for node in group)]
        apart = [group for group in groups if group not in joined]
        groups = [*apart, [*chain.from_iterable(joined), child]]
    return groups
