"""Answering one question of a tree: asking for its candidates, and measuring them alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from lcagent.agents.citations import find_marks, strip_marks
from lcagent.agents.probtree.books import PassageRetriever
from lcagent.agents.probtree.candidate_drafts import (
    CandidateDraft,
    CandidateKind,
    LogprobClient,
    ResolvedQuestion,
    draft_closed_book,
    draft_from_children,
    draft_open_book,
)
from lcagent.agents.probtree.confidence import (
    Confidence,
    ConfidenceMethod,
    choose_method,
    gather,
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
from lcagent.agents.probtree.question_tree import QuestionNode, insertable_answer

MIXED_METHODS = "some answers below were measured otherwise, so their scores are not in it"


@dataclass(frozen=True, slots=True)
class NodeAnswerer:
    """Answers questions of trees.

    Attributes:
        samples: How many are drawn where there are no log-probabilities; with none, the model says
            how sure it is.
        temperature: Of the samples.
    """

    asker: LogprobClient
    book: PassageRetriever
    samples: int = 4
    temperature: float = 0.7

    async def answer(
        self,
        asked: ResolvedQuestion,
        question: QuestionNode,
        children: Mapping[int, NodeResult],
        *,
        kinds: Sequence[CandidateKind] = ("closed_book", "open_book"),
        known: NodeResult | None = None,
        beam: Sequence[Mapping[int, NodeResult]] = (),
    ) -> NodeResult:
        """Return the answer to a question.

        Args:
            children: The questions below with their answers; where there are any, their answers
                are put together for another candidate.
            kinds: Which answers to ask for besides.
            known: What was answered before, in lazy mode; its candidates take part.
            beam: Instead of `children`, several assignments of answers to the questions below; each
                is put together for a candidate of its own.
        """
        below = [one for one in (children, *beam) if one]
        shown: list[Mapping[int, NodeResult]] = [*({} for _ in kinds), *below]
        drafts = await self._drafts(asked, kinds, below)
        least: ConfidenceMethod = known.method if known is not None else "logprobs"
        for child in chain.from_iterable(one.values() for one in below):
            least = weaker_method(least, child.method)
        method = choose_method(drafts, least, self.samples)
        if known is not None and known.method != method:  # what is compared is measured alike
            drafts = [*drafts, await self._drafted("open_book", asked)]
            shown, known = [*shown, {}], None
        measured = await measure_confidence(
            drafts,
            asked.text,
            method,
            self.asker,
            samples=self.samples,
            temperature=self.temperature,
        )
        candidates = [
            replace(
                _candidate(draft, one, question, answers, method),
                below=_picked(answers) if beam else (),
            )
            for draft, one, answers in zip(drafts, measured, shown, strict=True)
        ]
        return decide(asked.text, [*candidates, *(known.candidates if known else ())], method)

    async def _drafts(
        self,
        asked: ResolvedQuestion,
        kinds: Sequence[CandidateKind],
        below: Sequence[Mapping[int, NodeResult]],
    ) -> list[CandidateDraft]:
        return await gather(
            [
                *(self._drafted(kind, asked) for kind in kinds),
                *(self._put_together(asked, one) for one in below),
            ]
        )

    async def _drafted(self, kind: CandidateKind, asked: ResolvedQuestion) -> CandidateDraft:
        if kind == "closed_book":
            return await draft_closed_book(asked, self.asker)
        return await draft_open_book(asked, self.asker, self.book)

    async def _put_together(
        self, asked: ResolvedQuestion, children: Mapping[int, NodeResult]
    ) -> CandidateDraft:
        shown = replace(asked, children=format_children(children))
        return await draft_from_children(shown, self.asker)


def format_children(children: Mapping[int, NodeResult]) -> tuple[str, ...]:
    """Return the questions below and their answers as whoever puts them together is shown them."""
    return tuple(
        f"Q{number}\nQuestion: {child.asked}\nAnswer: {insertable_answer(child.choice.answer)}"
        for number, child in enumerate(children.values(), 1)
    )


def _picked(children: Mapping[int, NodeResult]) -> tuple[ChildChoice, ...]:
    return tuple(
        ChildChoice(index, child.asked, child.chosen, child.nth)
        for index, child in children.items()
    )


def _candidate(
    draft: CandidateDraft,
    measured: Confidence,
    question: QuestionNode,
    children: Mapping[int, NodeResult],
    method: ConfidenceMethod,
) -> Candidate:
    score, flags = measured.score, [*draft.flags, *measured.flags]
    if draft.kind == "child_aggregating" and draft.is_usable:
        counted = select_comparable(children.values(), method)
        flags.extend([MIXED_METHODS] if len(counted) < len(children) else [])
        d = question.score if method == "logprobs" else None
        score = combine_scores(score, d, [one.choice.score for one in counted])
    text = draft.reply.text if draft.reply is not None else ""
    return Candidate(
        kind=draft.kind,
        answer=draft.read.answer,
        score=score_answer(draft.kind, draft.read.answer, score).score,
        explanation=_explanation(draft, text),
        evidence=_evidence(draft, text),
        pages=tuple((one.page.document_id, one.page.page_index) for one in draft.sources),
        used=_used(text, children) if draft.kind == "child_aggregating" else (),
        flags=tuple(flags),
    )


def _explanation(draft: CandidateDraft, text: str) -> str:
    spans = draft.read.explanation
    return strip_marks(text[spans[0][0] : spans[-1][1]]) if spans else ""


def _evidence(draft: CandidateDraft, text: str) -> tuple[Evidence, ...]:
    """Return what an answer from passages quotes; no other answer can quote anything."""
    if draft.kind != "open_book":
        return ()
    pages = {source.label: source.page for source in draft.sources}
    found: list[Evidence] = []
    for mark in find_marks(text):
        page = pages.get(mark.source)
        place = ("", -1) if page is None else (page.document_id, page.page_index)
        found.append(Evidence(*place, mark.quote))
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
