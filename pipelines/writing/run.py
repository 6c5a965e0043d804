"""A text on its way: its plan, and the paragraphs that the record of the run has of it.

All of it is made of the record, so that a process that never saw it grow can go on with it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from lcagent.agents.citations import strip_marks
from lcagent.agents.write.article_plan import (
    ArticlePlan,
    PlanLimits,
    PlannedParagraph,
    parse_plan,
    rescale_plan,
)
from lcagent.agents.write.article_planner import (
    CHAPTER_PLAN_FROM_WORDS,
    ArticlePlanner,
    CheckedPlan,
    find_word_target,
)
from lcagent.agents.write.paragraph_draft import Paragraph, clamp_length_ratio, count_text_words
from lcagent.agents.write.paragraph_writer import CALLS_PER_PARAGRAPH, ParagraphWriter
from lcagent.documents import Span
from lcagent.errors import UsageError
from lcagent.models.chat_model import ChatModel
from lcagent.pipelines.context import RunContext
from lcagent.pipelines.running.recording import Record
from lcagent.pipelines.writing.options import Assignment
from lcagent.storage.run_store import StoredStep

RECENT = 5
"""Paragraphs by which the habits of a writer are judged."""

LEAST_SHARE, MOST_SHARE = 0.5, 1.5
"""Of its planned words, what a paragraph may be asked for to make up for earlier ones."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A paragraph as it was recorded.

    Attributes:
        sources: What the labels of the passages stand for that its writer was shown.
    """

    written: Paragraph
    sources: Mapping[str, Span]
    chunks: int
    chunks_read: int

    def as_detail(self) -> dict[str, Any]:
        """Return it as it is stored."""
        written = asdict(self.written)
        return {
            "reply": written.pop("text"),
            **written,
            "sources": {k: [p.document_id, p.page_index] for k, p in self.sources.items()},
            "chunks": self.chunks,
            "chunks_read": self.chunks_read,
        }

    @classmethod
    def from_detail(cls, detail: Mapping[str, Any]) -> "Recorded":
        """Undo `as_detail`."""
        return cls(
            Paragraph(detail["reply"], detail["asked"], detail["drafted"], tuple(detail["flags"])),
            {label: Span(*place) for label, place in detail["sources"].items()},
            detail["chunks"],
            detail["chunks_read"],
        )


@dataclass(frozen=True, slots=True)
class WriteRun:
    """One text: what is to be written, and what is recorded of it."""

    assignment: Assignment
    record: Record

    @property
    def target_words(self) -> int:
        """How long the text should be; 0 where only its plan will tell."""
        return self.assignment["words"] or find_word_target(self.assignment["instruction"])

    @property
    def limits(self) -> PlanLimits:
        """What a plan must keep to."""
        return PlanLimits(self.assignment["fewest_words"], self.assignment["most_words"])

    @property
    def has_chapters(self) -> bool:
        """Say whether each chapter is planned by itself."""
        return not self.assignment["plan"] and self.target_words >= CHAPTER_PLAN_FROM_WORDS

    def users_plan(self) -> ArticlePlan:
        """Return the plan that the user gave; its words are kept, unless others are asked for.

        Raises:
            UsageError: It has no line of the form of a plan.
        """
        plan = parse_plan(self.assignment["plan"])
        if not plan.paragraphs:
            raise UsageError(
                "the plan has no line like: Paragraph 1 - Main Point: ... - Word Count: 400 words"
            )
        any_length = PlanLimits(1, 10**9, 10**9)
        return rescale_plan(plan, self.assignment["words"], any_length)

    def planner(self, model: ChatModel, material: str) -> ArticlePlanner:
        """Return what makes the plan."""
        return ArticlePlanner(
            self.assignment["instruction"], model, self.target_words, self.limits, material
        )

    def writer(self, run: RunContext, model: ChatModel) -> ParagraphWriter:
        """Return what writes the paragraphs."""
        grounded = bool(run.collection.documents)
        return ParagraphWriter(self.assignment["instruction"], self.planned.plan, model, grounded)

    async def keep_plan(self, key: str, planned: CheckedPlan, calls: list[dict[str, Any]]) -> None:
        """Record a plan, of the text, of its chapters, or of one of them."""
        rows = [[one.point, one.words, one.chapter] for one in planned.plan.paragraphs]
        detail = {"paragraphs": rows, "flags": list(planned.flags)}
        await self.record.add(StoredStep(key, detail, calls))

    def plan_at(self, key: str) -> CheckedPlan:
        """Return a plan that was recorded."""
        detail = self.record[key].detail
        paragraphs = tuple(PlannedParagraph(*row) for row in detail["paragraphs"])
        return CheckedPlan(ArticlePlan(paragraphs), tuple(detail["flags"]))

    @property
    def planned(self) -> CheckedPlan:
        """The plan of the whole text."""
        return self.plan_at("plan")

    def paragraph(self, place: int) -> Recorded | None:
        """Return a paragraph, if it is recorded."""
        key = f"paragraph/{place}"
        return Recorded.from_detail(self.record[key].detail) if key in self.record else None

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
        if self.assignment["is_parallel"]:
            return planned[place]
        target = self.target_words or sum(planned)
        left = target - sum(count_text_words(text) for text in self.earlier(place))
        share = left / max(1, sum(planned[place:]))
        return max(1, round(planned[place] * min(MOST_SHARE, max(LEAST_SHARE, share))))

    def ratio_before(self, place: int) -> float:
        """Return how many words the writer writes for one asked for, by the last paragraphs."""
        if self.assignment["is_parallel"]:
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
        steps: Sequence[StoredStep] = [*self.record.steps("chapter"), *self.record.steps("plan")]
        extra = max(0, sum(len(step.calls) for step in steps) - 1)
        number = len(self.planned.plan.paragraphs)
        calls = CALLS_PER_PARAGRAPH - (place >= number - extra)
        return calls - (f"fold/{place}" in self.record)
