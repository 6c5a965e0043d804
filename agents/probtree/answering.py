"""Answering one question of a tree: its candidates, how sure each is, and the choice among them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from lcagent.agents.marks import marks_in, without_marks
from lcagent.agents.probtree import asking, deciding
from lcagent.agents.probtree.asking import Asked, Asker, Draft
from lcagent.agents.probtree.books import Book
from lcagent.agents.probtree.confidence import Method, lower
from lcagent.agents.probtree.deciding import FAILED, Kind, Scored
from lcagent.agents.probtree.ladder import Measured, measure, method_for, together
from lcagent.agents.probtree.references import insertable
from lcagent.agents.probtree.trees import Question

UNCERTAIN = "two answers are nearly equally sure"


@dataclass(frozen=True, slots=True)
class Evidence:
    """Words that an answer rests on, and the page they were taken from.

    Attributes:
        document_id: Empty where the model named a passage that it was not shown.
    """

    document_id: str
    page_index: int
    quote: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """An answer to a question, in one of the three ways.

    Attributes:
        score: How sure it is, children included.
        explanation: What the model said before it, without marks.
        evidence: What it quotes.
        pages: Those it was shown: ids of documents and indices of pages.
        used: The questions below whose answers it used.
    """

    kind: Kind
    answer: str
    score: float
    explanation: str = ""
    evidence: tuple[Evidence, ...] = ()
    pages: tuple[tuple[str, int], ...] = ()
    used: tuple[int, ...] = ()
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answered:
    """A question with its answer.

    Attributes:
        asked: The question as it was asked.
        method: What all its confidences were measured by.
        chosen: The kind of the candidate that is its answer.
    """

    asked: str
    candidates: tuple[Candidate, ...]
    method: Method
    chosen: Kind
    flags: tuple[str, ...] = ()

    @property
    def choice(self) -> Candidate:
        """The candidate that is the answer."""
        return next(one for one in self.candidates if one.kind == self.chosen)

    @property
    def is_answered(self) -> bool:
        """Say whether there is an answer."""
        return self.choice.score > FAILED

    def as_json(self) -> dict[str, Any]:
        """Return it as it is stored."""
        return asdict(self)

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> "Answered":
        """Undo `as_json`."""
        return _stored().validate_python(fields)


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
    ) -> Answered:
        """Return the answer to a question.

        Args:
            children: The questions below with their answers; where there are any, their answers
                are put together for another candidate.
            kinds: Which answers to ask for besides.
            known: What was answered before, in lazy mode; its candidates take part.
        """
        drafts = await together([self._drafted(kind, asked) for kind in _kinds(kinds, children)])
        least: Method = known.method if known is not None else "logprobs"
        for child in children.values():
            least = lower(least, child.method)
        method = method_for(drafts, least, self.samples)
        if known is not None and known.method != method:  # what is compared is measured alike
            drafts = [*drafts, await self._drafted("open_book", asked)]
            known = None
        measured = await measure(
            drafts,
            asked.text,
            method,
            self.asker,
            samples=self.samples,
            temperature=self.temperature,
        )
        candidates = [
            _candidate(draft, one, question, children, method)
            for draft, one in zip(drafts, measured, strict=True)
        ]
        return decided(asked.text, [*candidates, *(known.candidates if known else ())], method)

    async def _drafted(self, kind: Kind, asked: Asked) -> Draft:
        if kind == "closed_book":
            return await asking.closed_book(asked, self.asker)
        if kind == "open_book":
            return await asking.open_book(asked, self.asker, self.book)
        return await asking.child_aggregating(asked, self.asker)


def decided(asked: str, candidates: Sequence[Candidate], method: Method) -> Answered:
    """Return a question with the surest of its candidates as the answer."""
    ordered = sorted(candidates, key=lambda one: _ORDER.index(one.kind))
    scored = [Scored(one.kind, one.answer, one.score) for one in ordered]
    flags = (UNCERTAIN,) if deciding.is_close(scored) else ()
    return Answered(asked, tuple(ordered), method, deciding.choose(scored).kind, flags)


def as_lines(children: Mapping[int, Answered]) -> tuple[str, ...]:
    """Return the questions below and their answers as whoever puts them together is shown them."""
    return tuple(
        f"Q{number}\nQuestion: {child.asked}\nAnswer: {insertable(child.choice.answer)}"
        for number, child in enumerate(children.values(), 1)
    )


def _kinds(kinds: Sequence[Kind], children: Mapping[int, Answered]) -> list[Kind]:
    return [*kinds, *(("child_aggregating",) if children else ())]


def _candidate(
    draft: Draft,
    measured: Measured,
    question: Question,
    children: Mapping[int, Answered],
    method: Method,
) -> Candidate:
    score = measured.score
    if draft.kind == "child_aggregating" and draft.is_usable:
        score = _fused(score, question, children, method)
    text = draft.reply.text if draft.reply is not None else ""
    return Candidate(
        kind=draft.kind,
        answer=draft.read.answer,
        score=deciding.judged(draft.kind, draft.read.answer, score).score,
        explanation=_explanation(draft, text),
        evidence=_evidence(draft, text),
        pages=tuple((one.page.document_id, one.page.page_index) for one in draft.sources),
        used=_used(text, children) if draft.kind == "child_aggregating" else (),
        flags=(*draft.flags, *measured.flags),
    )


def _fused(
    score: float, question: Question, children: Mapping[int, Answered], method: Method
) -> float:
    """Return the score of an answer from below; what was measured otherwise is left out."""
    below = [child.choice.score for child in children.values() if child.method == method]
    return deciding.fused(score, question.score if method == "logprobs" else None, below)


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
    """Return the children whose answers a reply names, or all of them if it names none."""
    labels = {f"Q{number}": index for number, index in enumerate(children, 1)}
    named = {labels[mark.source]: None for mark in marks_in(text) if mark.source in labels}
    return tuple(named or children)


@cache
def _stored() -> TypeAdapter[Answered]:
    return TypeAdapter(Answered)


_ORDER: tuple[Kind, ...] = ("closed_book", "open_book", "child_aggregating")
