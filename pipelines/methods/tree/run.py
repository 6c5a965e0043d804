"""One run of ProbTree: what can be asked next, and asking it.

Every step is recorded when it ends, so that a run goes on in a process that never saw it begin.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lcagent.agents.probtree.beam_search import BeamSearch, PendingQuestion
from lcagent.agents.probtree.candidate_drafts import CandidateKind, LogprobClient, ResolvedQuestion
from lcagent.agents.probtree.decomposition import decompose
from lcagent.agents.probtree.node_answerer import NodeAnswerer
from lcagent.agents.probtree.node_result import NodeResult
from lcagent.agents.probtree.passage_retriever import PassageRetriever, RetrievalQuery
from lcagent.agents.probtree.question_tree import QuestionNode
from lcagent.models.chat_model import ChatModel
from lcagent.models.limits import Metered
from lcagent.pipelines.methods.tree.options import TreeOptions
from lcagent.pipelines.methods.tree.tree_log import (
    NODE,
    PLAN,
    TRY,
    TreeLog,
    index_of,
    key_of,
    sharing,
)
from lcagent.pipelines.run_log import RunLog
from lcagent.storage.run_store import StoredStep


@dataclass(slots=True)
class TreeRun:
    """A question tree that is being answered.

    Attributes:
        reply_tokens: Of an answer with its explanation, at most.
        has_logprobs: What is known of the server, as an `LogprobClient` knows it.
    """

    question: str
    model: ChatModel
    book: PassageRetriever
    options: TreeOptions
    log: RunLog
    reply_tokens: int
    has_logprobs: bool | None = None

    @property
    def known(self) -> TreeLog:
        """What is known so far."""
        return TreeLog(self.question, self.log)

    def ready(self) -> list[str]:
        """Return the steps that can be taken now, all at the same time; none at the end.

        A question waits for those it refers to and, unless it is tried first, for those below it.
        """
        answers, questions = self.known.answers(), self.known.tree.questions
        if 0 in answers:
            return []
        if PLAN not in self.log and not self._is_tried_next(0):
            return [PLAN]
        if self.options.beam > 1:
            return self._next_in_beam()
        steps = [self._next(one, answers) for one in questions if self._is_open(one)]
        return [step for step in steps if step]

    async def take(self, step: str) -> str:
        """Take a step, unless it was taken before, and return the question that it answers."""
        if step not in self.log:
            metered = Metered(self.model)
            asker = LogprobClient(metered, self.reply_tokens, self.has_logprobs)
            detail = await (self._plan(asker) if step == PLAN else self._answer(step, asker))
            if asker.has_logprobs is not None:
                self.has_logprobs = asker.has_logprobs
            await self.log.add(StoredStep(step, detail, metered.calls))
        return self.question if step == PLAN else self.known.recorded(step).asked

    def _next(self, question: QuestionNode, answers: dict[int, NodeResult]) -> str:
        """Return the step that a question is ready for, or an empty string."""
        index = question.index
        if index in answers or not answers.keys() >= set(question.needs):
            return ""
        if self._is_tried_next(index):
            return f"{TRY}{index}"
        return f"{NODE}{index}" if answers.keys() >= set(question.children) else ""

    def _is_tried_next(self, index: int) -> bool:
        return self.options.accept_at is not None and f"{TRY}{index}" not in self.log

    def _is_open(self, question: QuestionNode) -> bool:
        """Say whether a question has to be answered: in lazy mode, if all above it were tried."""
        if self.options.accept_at is None or question.parent is None:
            return True
        parent = self.known.tree.questions[question.parent]
        is_tried = f"{TRY}{parent.index}" in self.log
        return is_tried and not self.known.is_accepted(parent.index) and self._is_open(parent)

    async def _plan(self, asker: LogprobClient) -> dict[str, Any]:
        return {"tree": (await decompose(self.question, asker)).as_json()}

    async def _answer(self, step: str, asker: LogprobClient) -> dict[str, Any]:
        answerer = NodeAnswerer(
            asker,
            self.book,
            self.options.samples,
            self.options.temperature,
            is_plain=self.known.is_plain,
        )
        if self.options.beam > 1:
            answered = await self._answer_in_beam(self._open()[step], answerer)
        else:
            answered = await self._answer_alone(step, answerer)
        pages = [list(page) for one in answered.candidates for page in one.pages]
        is_accepted = step.startswith(TRY) and self._is_enough(answered)
        return {"pages": pages, "answered": answered.as_json(), "is_accepted": is_accepted}

    async def _answer_alone(self, step: str, answerer: NodeAnswerer) -> NodeResult:
        question, answers = self.known.tree.questions[index_of(step)], self.known.answers()
        is_try, tried = step.startswith(TRY), self.known.tried(question.index)
        children = {} if is_try else {child: answers[child] for child in question.children}
        kinds: tuple[CandidateKind, ...] = ("closed_book", "open_book")
        if is_try:
            kinds = ("open_book",)
        elif tried is not None:
            kinds = ("closed_book",)
        text = question.resolve({index: answers[index].choice.answer for index in question.needs})
        asked = self._asked(question, text, answers if children else {})
        return await answerer.answer(asked, question, children, kinds=kinds, known=tried)

    def _next_in_beam(self) -> list[str]:
        """Return the steps that can be taken, of those that would ask the same the first."""
        steps: dict[object, str] = {}
        for step, one in self._open().items():
            steps.setdefault(sharing(one.question.node, one.question.text), step)
        return list(steps.values())

    def _open(self) -> dict[str, PendingQuestion]:
        found = BeamSearch(self.known.tree, self.options.beam, self.known.worded).pending()
        return {key_of(one.question.node, one.question.text): one for one in found}

    async def _answer_in_beam(self, one: PendingQuestion, answerer: NodeAnswerer) -> NodeResult:
        """Answer a question; what is looked up for those below is what the best answers ask."""
        question = one.question.node
        below = self.known.followed(one.beam[0]) if one.beam else {}
        asked = self._asked(question, one.question.text, below)
        return await answerer.answer(asked, question, {}, beam=one.beam)

    def _is_enough(self, answered: NodeResult) -> bool:
        at_least = self.options.accept_at
        return at_least is not None and answered.is_answered and answered.choice.score >= at_least

    def _asked(
        self, question: QuestionNode, text: str, answers: Mapping[int, NodeResult]
    ) -> ResolvedQuestion:
        below = self.known.tree.descendants(question.index)
        looked_up = [answers[one.index].asked for one in below if one.index in answers]
        return ResolvedQuestion(
            text,
            (
                RetrievalQuery(text, self.options.top_k),
                *(RetrievalQuery(query, self.options.top_k_below) for query in looked_up),
            ),
            is_leaf=question.is_leaf,
            name=f"question {question.index + 1} of {len(self.known.tree.questions)}",
        )
