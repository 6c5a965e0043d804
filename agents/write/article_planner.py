"""Step I of AgentWrite: the plan, in one call, or chapter by chapter for a very long text.

Bai et al., LongWriter, https://arxiv.org/abs/2408.07055, in words of our own. Unlike upstream, a
plan that cannot be used is asked for again with what was wrong with it, and its words are made to
fit the target.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import ClassVar

import regex

from lcagent.agents.prompt_templates import Prompt
from lcagent.agents.token_budget import MIN_REPLY_TOKENS, prose_reply_tokens
from lcagent.agents.write.article_plan import (
    ArticlePlan,
    PlanLimits,
    PlannedParagraph,
    find_plan_problems,
    find_uncovered_items,
    parse_chapters,
    parse_plan,
    plan_by_program,
    remove_repeated_points,
    rescale_plan,
    without_placeholders,
)
from lcagent.errors import UnusableReply, UsageError
from lcagent.models.chat_model import ChatModel, Request

CHAPTER_PLAN_FROM_WORDS = 20_000
"""A text of as many words or more is planned by chapters."""

NO_PLAN = "the model gave no plan that can be used; the text follows one made by program"

TOKENS_PER_LINE = 120
"""Of a plan, at most about."""

SHORTEST_PLAN = 512
"""Tokens that a plan may always have."""

CHAPTER_WORDS, PARAGRAPH_WORDS = 4_000, 500
"""Of a chapter and of a paragraph in it; planners are asked for as many as that makes."""


@dataclass(frozen=True)
class PlannerPrompt(Prompt):
    """What the planner of paragraphs is shown.

    Attributes:
        words: The length asked for in words of a prompt; empty where there is none.
        material: What the sources are about; empty where there are none.
        problems: What was wrong with the plan before.
    """

    template: ClassVar[str] = "agent_write/planner.md"

    instruction: str
    words: str
    fewest_words: int
    most_words: int
    most_paragraphs: int
    material: str = ""
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class ChapterPlannerPrompt(Prompt):
    """What the planner of the chapters of a very long text is shown."""

    template: ClassVar[str] = "agent_write/chapter_planner.md"

    instruction: str
    words: int
    chapters: int
    material: str = ""


@dataclass(frozen=True)
class ChapterPrompt(Prompt):
    """What the planner of one chapter is shown."""

    template: ClassVar[str] = "agent_write/chapter.md"

    instruction: str
    chapters: str
    chapter: str
    words: int
    paragraphs: int
    fewest_words: int
    most_words: int


@dataclass(frozen=True, slots=True)
class CheckedPlan:
    """A plan, and what the user should know about it."""

    plan: ArticlePlan
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ArticlePlanner:
    """Plans one text.

    Attributes:
        target_words: 0 where neither the user nor the instruction says.
        material: What the sources are about.
    """

    instruction: str
    model: ChatModel
    target_words: int = 0
    limits: PlanLimits = field(default_factory=PlanLimits)
    material: str = ""

    async def plan(self) -> CheckedPlan:
        """Return the plan of a text, after a call or two; a program makes it if no model can."""
        plan, flags = ArticlePlan(()), list[str]()
        problems: tuple[str, ...] = ()
        for draw in range(2):
            prompt = PlannerPrompt(
                self.instruction,
                str(self.target_words or ""),
                self.limits.fewest_words,
                self.limits.most_words,
                self.limits.most_paragraphs,
                self.material,
                problems,
            )
            reply = await self._ask(prompt, "planner", draw, self._most_lines())
            found, repeats = remove_repeated_points(without_placeholders(parse_plan(reply)))
            if found.paragraphs or not plan.paragraphs:
                plan = found
                flags = [
                    f"left out of the plan, because it repeats: {repeat.point}"
                    for repeat in repeats
                ]
            problems = tuple(
                find_plan_problems(found, self.instruction, self.target_words, self.limits)
            )
            if not problems:
                break
        if not plan.paragraphs:
            plan, flags, problems = self._by_program(self.target_words), [NO_PLAN], ()
        flags.extend(f"the plan is not as it should be: {problem}" for problem in problems)
        return CheckedPlan(rescale_plan(plan, self.target_words, self.limits), tuple(flags))

    async def plan_chapters(self) -> list[PlannedParagraph]:
        """Return the chapters of a very long text, their words adding up to the target."""
        wanted = max(2, round(self.target_words / CHAPTER_WORDS))
        prompt = ChapterPlannerPrompt(self.instruction, self.target_words, wanted, self.material)
        limits = PlanLimits(self.limits.fewest_words, self.target_words, wanted)
        chapters = ArticlePlan(())
        for draw in range(2):
            reply = await self._ask(prompt, "planner", draw, 2 * wanted)
            chapters = without_placeholders(ArticlePlan(tuple(parse_chapters(reply))))
            if len(chapters.paragraphs) > 1:
                break
        else:
            by_program = plan_by_program(
                self.instruction, self.material, self.target_words, replace(limits, fewest_words=1)
            )
            chapters = ArticlePlan(
                tuple(replace(one, chapter=one.point[:120]) for one in by_program.paragraphs)
            )
        return list(rescale_plan(chapters, self.target_words, limits).paragraphs)

    async def plan_chapter(self, chapters: Sequence[PlannedParagraph], place: int) -> ArticlePlan:
        """Return the paragraphs of one chapter."""
        chapter = chapters[place]
        prompt = ChapterPrompt(
            self.instruction,
            "\n".join(_chapter_line(number, each) for number, each in enumerate(chapters, 1)),
            _chapter_line(place + 1, chapter),
            chapter.words,
            max(1, round(chapter.words / PARAGRAPH_WORDS)),
            self.limits.fewest_words,
            self.limits.most_words,
        )
        found = ArticlePlan(())
        for draw in range(2):
            most_lines = 2 * max(1, chapter.words // self.limits.fewest_words)
            reply = await self._ask(prompt, f"planner of chapter {place + 1}", draw, most_lines)
            found, _ = remove_repeated_points(without_placeholders(parse_plan(reply)))
            if found.paragraphs:
                break
        found = found if found.paragraphs else self._by_program(chapter.words, chapter.point)
        plan = rescale_plan(found, chapter.words, self.limits)
        return ArticlePlan(
            tuple(replace(each, chapter=chapter.chapter) for each in plan.paragraphs)
        )

    def join_chapters(self, chapters: Sequence[ArticlePlan]) -> CheckedPlan:
        """Return the plans of all chapters as one."""
        plan = ArticlePlan(tuple(chain.from_iterable(chapter.paragraphs for chapter in chapters)))
        missing = find_uncovered_items(plan, self.instruction)
        return CheckedPlan(
            rescale_plan(plan, self.target_words, self.limits),
            tuple(f"nothing in the plan is on: {item}" for item in missing),
        )

    def _by_program(self, words: int, point: str = "") -> ArticlePlan:
        material = "" if point else self.material
        return plan_by_program(point or self.instruction, material, words, self.limits)

    def _most_lines(self) -> int:
        """Return how many paragraphs may be planned at most; a model may plan twice as many."""
        if not self.target_words:
            return self.limits.most_paragraphs
        return min(self.limits.most_paragraphs, 2 * self.target_words // self.limits.fewest_words)

    async def _ask(self, prompt: Prompt, purpose: str, draw: int, lines: int) -> str:
        messages = prompt.messages()
        most = prose_reply_tokens(self.model, messages)
        if not self.model.card.is_reasoning:
            # A reply with more lines is no plan: a model that counts on does not stop by itself.
            most = min(most, max(SHORTEST_PLAN, lines * TOKENS_PER_LINE))
        if most < MIN_REPLY_TOKENS:
            raise UsageError(
                f"the instruction does not fit into the window of {self.model.card.name}, "
                f"{self.model.card.window_tokens:,} tokens, with room to plan (--window)"
            )
        request = Request(messages, max_tokens=most, sample=draw, purpose=purpose)
        try:
            return (await self.model.complete(request)).text
        except UnusableReply:
            return ""


def find_word_target(instruction: str) -> int:
    """Return how many words an instruction asks for ("a 3,000-word report"), or 0."""
    found = _WORDS_ASKED.findall(instruction)
    numbers = [int(regex.sub(r"\D", "", number)) for number in found]
    return max((number for number in numbers if number >= 50), default=0)


def _chapter_line(number: int, chapter: PlannedParagraph) -> str:
    return (
        f"Chapter {number} - Title: {chapter.chapter} - Main Point: {chapter.point} "
        f"- Word Count: {chapter.words} words"
    )


_WORDS_ASKED = regex.compile(
    r"(?<![\d.,])(\d{1,3}(?:[,.\u202f ]\d{3})+|\d+)[\s-]*"
    r"(?:words?\b|字|词|wörter|worte|mots\b|palabras\b|parole\b|слов|كلمة)",
    regex.IGNORECASE,
)
