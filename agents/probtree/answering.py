"""Answering one question of a tree: asking for its candidates, and measuring them alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from lcagent.agents.marks import marks_in, without_marks
from lcagent.agents.probtree import asking, deciding
from lcagent.agents.probtree.asking import Asked, Asker, Draft
from lcagent.agents.probtree.books import Book
from lcagent.agents.probtree.candidates import (
    Answered,
    Candidate,
    Evidence,
    Pick,
    comparable,
    decided,
)
from lcagent.agents.probtree.confidence import Method, folded, lower
from lcagent.agents.probtree.deciding import Kind
from lcagent.agents.probtree.ladder import Measured, measure, method_for, together
from lcagent.agents.probtree.references import insertable
from lcagent.agents.probtree.trees import Question

MEASURED_OTHERWISE = "some answers below were measured otherwise, so their scores are not in it"


@dataclass(frozen=True, slots=True)
class Answerer:
    """Answers questions of trees.

    Attributes:
        samples: How many are drawn where there are no log-probabilities; with none, the model says
            how sure it is.
        temperature: Of the samples.
    """

    asker: Asker
    book: Book
    samples: int = 4
    temperature: float = 0.7

    async def answer(
        self,
        asked: Asked,
        question: Question,
        children: Mapping[int, Answered],
        *,
        kinds: Sequence[Kind] = ("closed_book", "open_book"),
        known: Answered | None = None,
        beam: Sequence[Mapping[int, Answered]] = (),
    ) -> Answered:
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
        shown: list[Mapping[int, Answered]] = [*({} for _ in kinds), *below]
        drafts = await self._drafts(asked, kinds, below)
        least: Method = known.method if known is not None else "logprobs"
        for child in chain.from_iterable(one.values() for one in below):
            least = lower(least, child.method)
        method = method_for(drafts, least, self.samples)
        if known is not None and known.method != method:  # what is compared is measured alike
            drafts = [*drafts, await self._drafted("open_book", asked)]
            shown, known = [*shown, {}], None
        measured = await measure(
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
        return decided(asked.text, [*candidates, *(known.candidates if known else ())], method)

    async def _drafts(
        self, asked: Asked, kinds: Sequence[Kind], below: Sequence[Mapping[int, Answered]]
    ) -> list[Draft]:
        return await together(
            [
                *(self._drafted(kind, asked) for kind in kinds),
                *(self._put_together(asked, one) for one in below),
            ]
        )

    async def _drafted(self, kind: Kind, asked: Asked) -> Draft:
        if kind == "closed_book":
            return await asking.closed_book(asked, self.asker)
        return await asking.open_book(asked, self.asker, self.book)

    async def _put_together(self, asked: Asked, children: Mapping[int, Answered]) -> Draft:
        shown = replace(asked, children=as_lines(children))
        return await asking.child_aggregating(shown, self.asker)


def as_lines(children: Mapping[int, Answered]) -> tuple[str, ...]:
    """Return the questions below and their answers as whoever puts them together is shown them."""
    return tuple(
        f"Q{number}\nQuestion: {child.asked}\nAnswer: {insertable(child.choice.answer)}"
        for number, child in enumerate(children.values(), 1)
    )


def _picked(children: Mapping[int, Answered]) -> tuple[Pick, ...]:
    return tuple(
        Pick(index, child.asked, child.chosen, child.nth) for index, child in children.items()
    )


def _candidate(
    draft: Draft,
    measured: Measured,
    question: Question,
    children: Mapping[int, Answered],
    method: Method,
) -> Candidate:
    score, flags = measured.score, [*draft.flags, *measured.flags]
    if draft.kind == "child_aggregating" and draft.is_usable:
        counted = comparable(children.values(), method)
        flags.extend([MEASURED_OTHERWISE] if len(counted) < len(children) else [])
        d = question.score if method == "logprobs" else None
        score = deciding.fused(score, d, [one.choice.score for one in counted])
    text = draft.reply.text if draft.reply is not None else ""
    return Candidate(
        kind=draft.kind,
        answer=draft.read.answer,
        score=deciding.judged(draft.kind, draft.read.answer, score).score,
        explanation=_explanation(draft, text),
        evidence=_evidence(draft, text),
        pages=tuple((one.page.document_id, one.page.page_index) for one in draft.sources),
        used=_used(text, children) if draft.kind == "child_aggregating" else (),
        flags=tuple(flags),
    )


def _explanation(draft: Draft, text: str) -> str:
    spans = draft.read.explanation
    return without_marks(text[spans[0][0] : spans[-1][1]]) if spans else ""


def _evidence(draft: Draft, text: str) -> tuple[Evidence, ...]:
    """Return what an answer from passages quotes; no other answer can quote anything."""
    if draft.kind != "open_book":
        return ()
    pages = {source.label: source.page for source in draft.sources}
    found: list[Evidence] = []
    for mark in marks_in(text):
        page = pages.get(mark.source)
        place = ("", -1) if page is None else (page.document_id, page.page_index)
        found.append(Evidence(*place, mark.quote))
    return tuple(dict.fromkeys(found))


def _used(text: str, children: Mapping[int, Answered]) -> tuple[int, ...]:
    """Return the children whose answers a reply names or repeats, or all if it does neither."""
    named = {mark.source for mark in marks_in(text)}
    words = f" {folded(without_marks(text))} "
    used = [
        index
        for number, (index, child) in enumerate(children.items(), 1)
        if f"Q{number}" in named or f" {folded(child.choice.answer)} " in words
    ]
    return tuple(used or children)
