"""What the record of a run says of its question tree.

A step is named by its key: "tree/plan" makes the tree, "tree/try/3" looks for the answer to
question 3 in passages alone (lazy mode), and "tree/node/3" answers it.
"""

from dataclasses import dataclass

from lcagent.agents.probtree.candidates import Answered
from lcagent.agents.probtree.trees import Question, Tree
from lcagent.pipelines.running.recording import Record

PLAN, TRY, NODE = "tree/plan", "tree/try/", "tree/node/"


@dataclass(frozen=True, slots=True)
class TreeRecord:
    """A tree and its answers, as far as they are recorded."""

    question: str
    record: Record

    @property
    def tree(self) -> Tree:
        """The tree; before it is made, the question alone."""
        if PLAN in self.record:
            return Tree.from_json(self.record[PLAN].detail["tree"])
        return Tree((Question(0, self.question),))

    def answer_to(self, index: int) -> Answered | None:
        """Return the answer to a question, or None as long as there is none."""
        if f"{NODE}{index}" in self.record:
            return self.recorded(f"{NODE}{index}")
        is_accepted = f"{TRY}{index}" in self.record and self.is_accepted(index)
        return self.tried(index) if is_accepted else None

    def answers(self) -> dict[int, Answered]:
        """Return all answers so far by their questions."""
        known = {one.index: self.answer_to(one.index) for one in self.tree.questions}
        return {index: answer for index, answer in known.items() if answer is not None}

    def tried(self, index: int) -> Answered | None:
        """Return what passages alone gave for a question, or None where that was not tried."""
        key = f"{TRY}{index}"
        return self.recorded(key) if key in self.record else None

    def is_accepted(self, index: int) -> bool:
        """Say whether a question that was tried needs nothing more."""
        return bool(self.record[f"{TRY}{index}"].detail["is_accepted"])

    def progress(self) -> tuple[int, int]:
        """Return how many questions are answered and how many there are."""
        return len(self.answers()), len(self.tree.questions)

    def recorded(self, step: str) -> Answered:
        """Return what a step that ended answered."""
        return Answered.from_json(self.record[step].detail["answered"])
