"""What the log of a run says of its question tree.

A step is named by its key: "tree/plan" makes the tree, "tree/try/3" looks for the answer to
question 3 in passages alone (lazy mode), and "tree/node/3" answers it. In beam mode a question that
refers to others may be asked in several wordings; then that of the wording is added to its key.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from lcagent.agents.probtree.confidence import normalize_answer
from lcagent.agents.probtree.node_result import ChildChoice, NodeResult
from lcagent.agents.probtree.question_tree import QuestionNode, QuestionTree
from lcagent.pipelines.run_log import RunLog

PLAN, TRY, NODE = "tree/plan", "tree/try/", "tree/node/"
DIGEST_CHARACTERS = 12


@dataclass(frozen=True, slots=True)
class TreeLog:
    """A tree and its answers, as far as they are recorded."""

    question: str
    log: RunLog

    @property
    def tree(self) -> QuestionTree:
        """The tree; before it is made, the question alone."""
        if PLAN in self.log:
            return QuestionTree.from_json(self.log[PLAN].detail["tree"])
        return QuestionTree((QuestionNode(0, self.question),))

    @property
    def is_plain(self) -> bool:
        """Whether the model had to be asked in plain words for an answer."""
        return any(one.is_plain for answered in self.every() for one in answered.candidates)

    def answer_to(self, index: int) -> NodeResult | None:
        """Return the answer to a question, or None as long as there is none."""
        if f"{NODE}{index}" in self.log:
            return self.recorded(f"{NODE}{index}")
        is_accepted = f"{TRY}{index}" in self.log and self.is_accepted(index)
        return self.tried(index) if is_accepted else None

    def answers(self) -> dict[int, NodeResult]:
        """Return all answers so far by their questions."""
        known = {one.index: self.answer_to(one.index) for one in self.tree.questions}
        return {index: answer for index, answer in known.items() if answer is not None}

    def tried(self, index: int) -> NodeResult | None:
        """Return what passages alone gave for a question, or None where that was not tried."""
        key = f"{TRY}{index}"
        return self.recorded(key) if key in self.log else None

    def is_accepted(self, index: int) -> bool:
        """Say whether a question that was tried needs nothing more."""
        return bool(self.log[f"{TRY}{index}"].detail["is_accepted"])

    def worded(self, question: QuestionNode, asked: str) -> NodeResult | None:
        """Return the answer to a question in a wording, or None as long as there is none.

        Two questions with none below them that read the same have one answer.
        """
        key = key_of(question, asked)
        if key in self.log:
            return self.recorded(key)
        wanted, questions = sharing(question, asked), self.tree.questions
        for step in self.log.steps(NODE) if question.is_leaf else ():
            found = questions[index_of(step.key)], str(step.detail["answered"]["asked"])
            if sharing(*found) == wanted:
                return self.recorded(step.key)
        return None

    def followed(self, answers: Mapping[int, NodeResult]) -> dict[int, NodeResult]:
        """Return answers and, in beam mode, those below that they were put together from.

        Below an answer that was put together from none it is the best that were kept.
        """
        found = dict(answers)
        for question in self.tree.questions:  # what stands above comes first
            found.update(self.picked(_picks(found.get(question.index))))
        return found

    def picked(self, picks: Sequence[ChildChoice]) -> dict[int, NodeResult]:
        """Return the answers that one from below was put together from, by their questions."""
        found: dict[int, NodeResult] = {}
        for pick in picks:
            answered = self.worded(self.tree.questions[pick.question], pick.asked)
            assert answered is not None
            found[pick.question] = replace(answered, chosen=pick.chosen, nth=pick.nth)
        return found

    def every(self) -> list[NodeResult]:
        """Return all that was answered, in beam mode questions in all their wordings."""
        steps = [self.recorded(step.key) for step in self.log.steps(NODE)]
        return list(dict.fromkeys([*self.answers().values(), *steps]))

    def progress(self) -> tuple[int, int]:
        """Return how many questions are answered and how many there are."""
        answered = {index_of(step.key) for step in self.log.steps(NODE)}
        return len(answered.union(self.followed(self.answers()))), len(self.tree.questions)

    def recorded(self, step: str) -> NodeResult:
        """Return what a step that ended answered."""
        return NodeResult.from_json(self.log[step].detail["answered"])


def key_of(question: QuestionNode, asked: str) -> str:
    """Return the key of the step that answers a question in a wording, in beam mode."""
    key = f"{NODE}{question.index}"
    if not question.needs:
        return key
    return f"{key}/{sha256(normalize_answer(asked).encode()).hexdigest()[:DIGEST_CHARACTERS]}"


def index_of(step: str) -> int:
    """Return the question that a step is for."""
    return int(step.split("/")[2])


def sharing(question: QuestionNode, asked: str) -> tuple[int | None, str]:
    """Return what is the same for all wordings that are asked only once."""
    return None if question.is_leaf else question.index, normalize_answer(asked)


def _picks(answered: NodeResult | None) -> tuple[ChildChoice, ...]:
    """Return what the answer was put together from, else what the best from below was."""
    if answered is None:
        return ()
    chosen = [answered.choice, *answered.candidates]
    return next((one.below for one in chosen if one.below), ())
