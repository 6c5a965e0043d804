"""A text on its way: its plan, and the paragraphs that the log of the run has of it.

All of it is made of the log, so that a process that never saw it grow can go on with it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from lcagent.agents.marks import MarkNumbers, number_marks, strip_marks
from lcagent.agents.write.article_plan import (
    ArticlePlan,
    PlanLimits,
    PlannedParagraph,
    parse_plan,
    rescale_plan,
)
from lcagent.agents.write.article_planner import (
    CHAPTER_PLAN_FROM_WORDS,
    NO_PLAN,
    ArticlePlanner,
    CheckedPlan,
    find_word_target,
)
from lcagent.agents.write.paragraph_draft import Paragraph, clamp_length_ratio, count_text_words
from lcagent.agents.write.paragraph_writer import CALLS_PER_PARAGRAPH, NO_EVIDENCE, ParagraphWriter
from lcagent.documents import Span
from lcagent.errors import UsageError
from lcagent.models.chat_model import ChatModel
from lcagent.pipelines.context import RunContext
from lcagent.pipelines.methods.write.options import WriteOptions
from lcagent.pipelines.run_log import RunLog
from lcagent.storage.run_store import StoredStep
from lcagent.tasks import WriteTask

RECENT = 5
"""Paragraphs by which the habits of a writer are judged."""

LEAST_SHARE, MOST_SHARE = 0.5, 1.5
"""Of its planned words, what a paragraph may be asked for to make up for earlier ones."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A paragraph as it was recorded.

    Attributes:
        sources: What the labels of the passages stand for that its writer was shown.
        proofs: The quotes in its marks that lcagent found.
    """

    written: Paragraph
    sources: Mapping[str, Span]
    chunks: int
    chunks_read: int
    proofs: tuple[str, ...] = ()

    def as_detail(self) -> dict[str, Any]:
        """Return it as it is stored."""
        written = asdict(self.written)
        return {
            "reply": written.pop("text"),
            **written,
            "sources": {k: [p.document_id, p.page_index] for k, p in self.sources.items()},
            "chunks": self.chunks,
            "chunks_read": self.chunks_read,
            "proofs": list(self.proofs),
        }

    @classmethod
    def from_detail(cls, detail: Mapping[str, Any]) -> "Recorded":
        """Undo `as_detail`."""
        return cls(
            Paragraph(detail["reply"], detail["asked"], detail["drafted"], tuple(detail["flags"])),
            {label: Span(*place) for label, place in detail["sources"].items()},
            detail["chunks"],
            detail["chunks_read"],
            tuple(detail.get("proofs", ())),
        )


@dataclass(frozen=True, slots=True)
class WriteRun:
    """One text: what is to be written, and what is logged of it."""

    task: WriteTask
    log: RunLog

    @property
    def options(self) -> WriteOptions:
        """How it is written."""
        return self.task.method_options(WriteOptions)

    @property
    def target_words(self) -> int:
        """How long the text should be; 0 where only its plan will tell."""
        return self.options.words or find_word_target(self.task.instruction)

    @property
    def limits(self) -> PlanLimits:
        """What a plan must keep to."""
        return PlanLimits(*self.options.paragraph_words)

    @property
    def has_chapters(self) -> bool:
        """Say whether each chapter is planned by itself."""
        return self.options.plan is None and self.target_words >= CHAPTER_PLAN_FROM_WORDS

    def users_plan(self) -> ArticlePlan:
        """Return the plan that the user gave; its words are kept, unless others are asked for.

        Raises:
            UsageError: It has no line of the form of a plan.
        """
        plan = parse_plan(self.options.plan or "")
        if not plan.paragraphs:
            raise UsageError(
                "the plan has no line like: Paragraph 1 - Main Point: ... - Word Count: 400 words"
            )
        any_length = PlanLimits(1, 10**9, 10**9)
        return rescale_plan(plan, self.options.words or 0, any_length)

    def planner(self, model: ChatModel, material: str) -> ArticlePlanner:
        """Return what makes the plan."""
        return ArticlePlanner(
            self.task.instruction, model, self.target_words, self.limits, material
        )

    def writer(self, model: ChatModel) -> ParagraphWriter:
        """Return what writes the paragraphs."""
        is_grounded, planned = bool(self.task.documents), self.planned
        is_plain = NO_PLAN in planned.flags
        return ParagraphWriter(self.task.instruction, planned.plan, model, is_grounded, is_plain)

    async def keep_plan(self, key: str, planned: CheckedPlan, calls: list[dict[str, Any]]) -> None:
        """Record a plan, of the text, of its chapters, or of one of them."""
        rows = [[one.point, one.words, one.chapter] for one in planned.plan.paragraphs]
        detail = {"paragraphs": rows, "flags": list(planned.flags)}
        await self.log.add(StoredStep(key, detail, calls))

    def plan_at(self, key: str) -> CheckedPlan:
        """Return a plan that was recorded."""
        detail = self.log[key].detail
        paragraphs = tuple(PlannedParagraph(*row) for row in detail["paragraphs"])
        return CheckedPlan(ArticlePlan(paragraphs), tuple(detail["flags"]))

    @property
    def planned(self) -> CheckedPlan:
        """The plan of the whole text."""
        return self.plan_at("plan")

    def paragraph(self, place: int) -> Recorded | None:
        """Return a paragraph, if it is recorded."""
        key = f"paragraph/{place}"
        return Recorded.from_detail(self.log[key].detail) if key in self.log else None

    def paragraphs(self) -> list[Recorded | None]:
        """Return what is recorded of each paragraph of the plan."""
        return [self.paragraph(place) for place in range(len(self.planned.plan.paragraphs))]

    def finished(self) -> Iterator[Recorded]:
        """Yield the paragraphs from the first to the first that is missing."""
        for recorded in self.paragraphs():
            if recorded is None:
                return
            yield recorded

    def earlier(self, place: int) -> tuple[str, ...]:
        """Return the paragraphs before a place, without their marks."""
        found = (self.paragraph(before) for before in range(place))
        return tuple(strip_marks(one.written.text) for one in found if one is not None)

    def words_for(self, place: int) -> int:
        """Return how long a paragraph should be: as planned, and what the earlier ones lack."""
        planned = [one.words for one in self.planned.plan.paragraphs]
        if self.options.is_parallel:
            return planned[place]
        target = self.target_words or sum(planned)
        left = target - sum(count_text_words(text) for text in self.earlier(place))
        share = left / max(1, sum(planned[place:]))
        return max(1, round(planned[place] * min(MOST_SHARE, max(LEAST_SHARE, share))))

    def ratio_before(self, place: int) -> float:
        """Return how many words the writer writes for one asked for, by the last paragraphs."""
        if self.options.is_parallel:
            return 1.0
        recent = [self.paragraph(before) for before in range(max(0, place - RECENT), place)]
        known = [one.written for one in recent if one is not None and one.written.drafted]
        return clamp_length_ratio(
            sum(one.asked for one in known), sum(one.drafted for one in known)
        )

    def calls_for(self, place: int) -> int:
        """Return how many calls a paragraph may take.

        All together stay within one and three for each paragraph: what planning took beyond one
        call, the last paragraphs do without.
        """
        steps: Sequence[StoredStep] = [*self.log.steps("chapter"), *self.log.steps("plan")]
        extra = max(0, sum(len(step.calls) for step in steps) - 1)
        number = len(self.planned.plan.paragraphs)
        calls = CALLS_PER_PARAGRAPH - (place >= number - extra)
        return calls - (f"fold/{place}" in self.log)


def writing_of(run: RunContext) -> WriteRun:
    """Return the text of a run, one value throughout it."""
    task = run.task
    assert isinstance(task, WriteTask)
    return run.once("write", lambda: WriteRun(task, run.log))


def body_of(writing: WriteRun) -> tuple[str, MarkNumbers]:
    """Return the text as far as it is written, with numbers in the place of marks, and those."""
    numbers = MarkNumbers()
    parts: list[str] = []
    chapter = ""
    for planned, recorded in zip(writing.planned.plan.paragraphs, writing.finished(), strict=False):
        if planned.chapter and planned.chapter != chapter:
            parts.append(f"## {planned.chapter}")
        chapter = planned.chapter
        text = number_marks(recorded.written.text, numbers) or _gap(planned, recorded)
        parts.append(text)
    return "\n\n".join(part for part in parts if part), numbers


def _gap(planned: PlannedParagraph, recorded: Recorded) -> str:
    """Say in the text that a paragraph is missing for want of evidence."""
    if NO_EVIDENCE not in recorded.written.flags:
        return ""
    return f"*[Nothing was found in the sources on: {planned.point}]*"


@dataclass(slots=True)
class GrowingText:
    """The text as it grows: a paragraph is shown when all before it are there."""

    writing: WriteRun
    shown: str = ""

    def next_piece(self) -> str:
        """Return what has come to the text since the last call."""
        text, _ = body_of(self.writing)
        piece, self.shown = text[len(self.shown) :], max(text, self.shown, key=len)
        return piece
