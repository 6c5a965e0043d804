"""From the answers to the questions of a tree to the answer that is given, and its proof.

What a claim cites was quoted for it: an answer from passages cites their words, an answer from the
questions below cites what theirs do, and an answer from the model's own knowledge cites nothing and
is called so. A claim that rests on own knowledge in part cites nothing either; what it rests on
besides is claimed by itself.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lcagent.agents.marks import Mark, MarkNumbers
from lcagent.agents.probtree.confidence import ConfidenceMethod
from lcagent.agents.probtree.node_result import Candidate, Evidence, NodeResult
from lcagent.agents.probtree.question_tree import QuestionTree
from lcagent.pipelines.methods.tree.tree_log import TreeLog
from lcagent.pipelines.state import SourceState
from lcagent.proofs import Proof, ProofCandidate, ProofNode, ProofStep
from lcagent.results import FoundBy

OWN = "the model's own knowledge, not from the documents"
PARTLY_OWN = "in part the model's own knowledge, not from the documents"

PLAIN = "the model explains no answer, so each is as sure as its least likely word"
PLAIN_AND_STATED = (
    "the model explains no answer and the server tells no log-probabilities: answers that passages "
    "say go before others"
)

_HOW: dict[ConfidenceMethod, str] = {
    "samples": "the server tells no log-probabilities: how sure answers are is how many samples "
    "agree",
    "stated": "the server tells no log-probabilities: how sure answers are is what the model says",
}


@dataclass(frozen=True, slots=True)
class Findings:
    """All answers of a tree, and the labels of the pages they quote.

    Attributes:
        answers: One for each question; in beam mode those that the answer to the root follows.
    """

    known: TreeLog
    answers: dict[int, NodeResult]
    labels: dict[tuple[str, int, FoundBy], str]

    @classmethod
    def of(cls, known: TreeLog) -> "Findings":
        """Return what was found."""
        answers = known.followed(known.answers())
        pages: dict[tuple[str, int, FoundBy], None] = {
            (one.document_id, one.page_index, one.found_by): None
            for answered in known.every()
            for candidate in answered.candidates
            for one in candidate.evidence
            if one.document_id
        }
        labels: dict[tuple[str, int, FoundBy], str] = {
            page: f"S{at}" for at, page in enumerate(pages, 1)
        }
        return cls(known, answers, labels)

    def reply(self) -> str:
        """Return the answer to the root with marks; empty where there is none."""
        root = self.answers.get(0)
        if root is None or not root.is_answered:
            return ""
        choice = root.choice
        if choice.kind == "closed_book":
            return f"{choice.answer} ({OWN})"
        steps = list(_resting(0, self.known.tree, self.answers).values())
        if any(step.choice.kind == "closed_book" for step in steps):
            lines = [f"{choice.answer} ({PARTLY_OWN})", *map(self._line, steps)]
            return "\n\n".join(lines)
        marks = [mark for step in steps for mark in self.marks(step.choice)]
        return f"{choice.answer}{_written(marks)}"

    def sources(self) -> dict[str, SourceState]:
        """Return what the marks stand for."""
        return {
            label: SourceState(
                document_id=document_id, page_index=page_index, quote="", found_by=found_by
            )
            for (document_id, page_index, found_by), label in self.labels.items()
        }

    def notes(self) -> list[str]:
        """Return what one should know before trusting the answer."""
        root = self.answers.get(0)
        notes = list(self.known.tree.flags)
        if root is not None and self.known.is_plain and root.method != "samples":
            notes.append(PLAIN if root.method == "logprobs" else PLAIN_AND_STATED)
        elif root is not None and root.method in _HOW:
            notes.append(_HOW[root.method])
        if root is not None and root.is_answered and root.flags:
            notes.append(f"the choice of the answer is uncertain: {'; '.join(root.flags)}")
        return notes

    def proof(self, numbers: MarkNumbers) -> Proof:
        """Return the tree; `numbers` gives each mark the id of its citation."""
        questions = [one for one in self.known.tree.questions if one.index in self.answers]
        return Proof(
            tuple(
                ProofNode(
                    id=question.index,
                    parent=question.parent,
                    question=question.text,
                    asked=self.answers[question.index].asked,
                    candidates=self._candidates(question.index, numbers),
                    choice=self.answers[question.index].chosen,
                    confidence=self.answers[question.index].method,
                    decomposition_score=question.score,
                    flags=(*question.flags, *self.answers[question.index].flags),
                    nth=self.answers[question.index].nth,
                )
                for question in questions
            ),
            self.known.tree.flags,
        )

    def marks(self, candidate: Candidate) -> list[Mark]:
        """Return what a candidate quotes as marks."""
        return [Mark(self._label(one), one.quote) for one in candidate.evidence]

    def _candidates(self, index: int, numbers: MarkNumbers) -> tuple[ProofCandidate, ...]:
        return tuple(
            ProofCandidate(
                kind=one.kind,
                answer=one.answer,
                score=one.score,
                explanation=one.explanation,
                evidence=tuple(str(numbers(mark)) for mark in self._inherited(one)),
                used=one.used,
                flags=one.flags,
                below=self._steps(one),
            )
            for one in self.answers[index].candidates
        )

    def _steps(self, candidate: Candidate) -> tuple[ProofStep, ...]:
        return tuple(
            ProofStep(index, one.asked, one.choice.answer, one.choice.score)
            for index, one in self.known.picked(candidate.below).items()
        )

    def _inherited(self, candidate: Candidate) -> list[Mark]:
        """Return what a candidate quotes, and what those quote whose answers it used."""
        answers = self.answers
        if candidate.below:
            answers = {**answers, **self.known.followed(self.known.picked(candidate.below))}
        rests = [_resting(index, self.known.tree, answers) for index in candidate.used]
        steps = {at: one for found in rests for at, one in found.items()}
        inherited = [mark for step in steps.values() for mark in self.marks(step.choice)]
        return list(dict.fromkeys([*self.marks(candidate), *inherited]))

    def _line(self, step: NodeResult) -> str:
        choice = step.choice
        if choice.kind == "closed_book":
            return f"{choice.answer} ({OWN}; asked: {step.asked})"
        return f"{choice.answer} ({step.asked}){_written(self.marks(choice))}"

    def _label(self, evidence: Evidence) -> str:
        page = evidence.document_id, evidence.page_index
        return self.labels.get((*page, evidence.found_by), "S0")


def _resting(
    index: int, tree: QuestionTree, answers: Mapping[int, NodeResult]
) -> dict[int, NodeResult]:
    """Return the answers that were not put together from others and on which one rests.

    It rests on those that its question refers to, too.
    """
    answered, question = answers[index], tree.questions[index]
    found: dict[int, NodeResult] = {}
    for other in (*question.needs, *answered.choice.used):
        found.update(_resting(other, tree, answers))
    if answered.chosen != "child_aggregating":
        found[index] = answered
    return found


def _written(marks: Iterable[Mark]) -> str:
    """Return marks as they stand behind a statement."""
    entries = [
        f'{mark.source} "{mark.quote}"' if mark.quote else mark.source
        for mark in dict.fromkeys(marks)
    ]
    return f" [{'; '.join(entries)}]" if entries else ""
