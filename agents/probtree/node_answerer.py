"""Answering one question of a tree: asking for its candidates, and measuring them alike."""

from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from lcagent.agents.marks import find_marks, strip_marks
from lcagent.agents.probtree.candidate_drafts import (
    CandidateDraft,
    CandidateKind,
    LogprobClient,
    ResolvedQuestion,
    draft_candidate,
)
from lcagent.agents.probtree.confidence import (
    Confidence,
    ConfidenceMethod,
    choose_method,
    measure_confidence,
    normalize_answer,
    weaker_method,
)
from lcagent.agents.probtree.node_result import (
    Candidate,
    ChildChoice,
    Evidence,
    NodeResult,
    combine_scores,
    decide,
    score_answer,
    select_comparable,
)
from lcagent.agents.probtree.passage_retriever import PassageRetriever
from lcagent.agents.probtree.question_tree import QuestionNode, insertable_answer
from lcagent.agents.quote_context import AttributedQuote
from lcagent.concurrency import gather

MIXED_METHODS = "some answers below were measured otherwise, so their scores are not in it"


@dataclass(frozen=True, slots=True)
class NodeAnswerer:
    """Answers questions of trees.

    Attributes:
        samples: How many are drawn where there are no log-probabilities; with none, the model says
            how sure it is.
        temperature: Of the samples.
        is_plain: Ask in plain words, for the model has shown that it can answer in no other way.
    """

    client: LogprobClient
    retriever: PassageRetriever
    samples: int = 4
    temperature: float = 0.7
    is_plain: bool = False

    async def answer(
        self,
        question: ResolvedQuestion,
        node: QuestionNode,
        children: Mapping[int, NodeResult],
        *,
        kinds: Sequence[CandidateKind] = ("closed_book", "open_book"),
        known: NodeResult | None = None,
        beam: Sequence[Mapping[int, NodeResult]] = (),
    ) -> NodeResult:
        """Ask for the candidates of a question, measure them alike, and take the surest.

        A model that is asked in plain words is not asked what it knows: it may only read.

        Args:
            node: The question in its tree.
            children: The questions below with their answers; where there are any, their answers
                are put together for another candidate.
            kinds: Which candidates to ask for besides.
            known: What was answered before, in lazy mode; its candidates take part.
            beam: Instead of `children`, several assignments of answers to the questions below; each
                is put together for a candidate of its own.
        """
        below = [answers for answers in (children, *beam) if answers]
        if self.is_plain:
            kinds = [kind for kind in kinds if kind != "closed_book"] or ["open_book"]
        drafts = await gather(
            [
                *(self._draft(kind, question) for kind in kinds),
                *(self._draft("child_aggregating", _showing(question, each)) for each in below),
            ]
        )
        below_each: list[Mapping[int, NodeResult]] = [*({} for _ in kinds), *below]
        best: ConfidenceMethod = known.method if known is not None else "logprobs"
        for child in chain.from_iterable(answers.values() for answers in below):
            best = weaker_method(best, child.method)
        method = choose_method(drafts, best, self.samples)
        # Scores of two methods cannot be compared, so what was measured otherwise is asked again.
        if known is not None and known.method != method:
            drafts = [*drafts, await self._draft("open_book", question)]
            below_each, known = [*below_each, {}], None
        confidences = await measure_confidence(
            drafts,
            question.text,
            method,
            self.client,
            samples=self.samples,
            temperature=self.temperature,
        )
        candidates = [
            replace(
                _candidate(draft, confidence, node, answers, method, question.text),
                below=_child_choices(answers) if beam else (),
            )
            for draft, confidence, answers in zip(drafts, confidences, below_each, strict=True)
        ]
        return decide(question.text, [*candidates, *(known.candidates if known else ())], method)

    def _draft(
        self, kind: CandidateKind, question: ResolvedQuestion
    ) -> Coroutine[Any, Any, CandidateDraft]:
        return draft_candidate(kind, question, self.client, self.retriever, is_plain=self.is_plain)


def format_children(children: Mapping[int, NodeResult]) -> tuple[str, ...]:
    """Return the questions below and their answers as whoever puts them together is shown them."""
    return tuple(
        f"Q{number}\nQuestion: {child.asked}\nAnswer: {insertable_answer(child.choice.answer)}"
        for number, child in enumerate(children.values(), 1)
    )


def _showing(question: ResolvedQuestion, children: Mapping[int, NodeResult]) -> ResolvedQuestion:
    return replace(question, children=format_children(children))


def _child_choices(children: Mapping[int, NodeResult]) -> tuple[ChildChoice, ...]:
    return tuple(
        ChildChoice(index, child.asked, child.chosen, child.nth)
        for index, child in children.items()
    )


def _candidate(
    draft: CandidateDraft,
    confidence: Confidence,
    node: QuestionNode,
    children: Mapping[int, NodeResult],
    method: ConfidenceMethod,
    question: str,
) -> Candidate:
    support = draft.find_support(question)
    score, flags = confidence.score, [*draft.flags, *confidence.flags]
    if draft.kind == "child_aggregating" and draft.is_usable:
        counted = select_comparable(children.values(), method)
        flags.extend([MIXED_METHODS] if len(counted) < len(children) else [])
        decomposition = node.score if method == "logprobs" else None
        score = combine_scores(score, decomposition, [child.choice.score for child in counted])
    text = draft.reply.text if draft.reply is not None else ""
    used = _used(text, children) if draft.kind == "child_aggregating" else ()
    return Candidate(
        kind=draft.kind,
        answer=draft.read.answer,
        score=score_answer(draft.read.answer, score),
        explanation=_explanation(draft, text),
        evidence=_evidence(draft, text, support),
        pages=tuple((each.page.document_id, each.page.page_index) for each in draft.sources),
        used=used,
        flags=tuple(flags),
        is_supported=support is not None
        or (bool(used) and all(children[index].choice.is_supported for index in used)),
        is_plain=draft.is_plain,
    )


def _explanation(draft: CandidateDraft, text: str) -> str:
    spans = draft.read.explanation
    return strip_marks(text[spans[0][0] : spans[-1][1]]) if spans else ""


def _evidence(
    draft: CandidateDraft, text: str, support: AttributedQuote | None
) -> tuple[Evidence, ...]:
    """Return what an answer from passages quotes, else what the program found that says it.

    No other answer can quote anything.
    """
    if draft.kind != "open_book":
        return ()
    pages = {source.label: source.page for source in draft.sources}
    found: list[Evidence] = []
    for mark in find_marks(text):
        page = pages.get(mark.source)
        place = ("", -1) if page is None else (page.document_id, page.page_index)
        found.append(Evidence(*place, mark.quote))
    if not found and support is not None:
        page = support.page
        found.append(Evidence(page.document_id, page.page_index, support.text, support.found_by))
    return tuple(dict.fromkeys(found))


def _used(text: str, children: Mapping[int, NodeResult]) -> tuple[int, ...]:
    """Return the children whose answers a reply names or repeats, or all if it does neither."""
    named = {mark.source for mark in find_marks(text)}
    words = f" {normalize_answer(strip_marks(text))} "
    used = [
        index
        for number, (index, child) in enumerate(children.items(), 1)
        if f"Q{number}" in named or f" {normalize_answer(child.choice.answer)} " in words
    ]
    return tuple(used or children)
