"""What the planner and the writer are shown.

Bai et al., LongWriter, https://arxiv.org/abs/2408.07055, in words of our own. The instruction, the
plan and the text so far come first and in this order: the beginning of a prompt is that of the
prompt before, so that servers need not read it again.
"""

from dataclasses import dataclass
from typing import ClassVar

from lcagent.agents.prompt_templates import Prompt
from lcagent.agents.refusals import NOT_FOUND


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


@dataclass(frozen=True)
class WriterPrompt(Prompt):
    """What the writer of a paragraph is shown.

    Attributes:
        summary: Of what was written and is not in `written`.
        sources: Passages to write from; `is_grounded` says whether there should be any.
    """

    template: ClassVar[str] = "agent_write/writer.md"

    instruction: str
    plan: str
    summary: str
    written: str
    sources: tuple[str, ...]
    is_grounded: bool
    step: str
    number: int
    total: int
    words: int
    not_found: str = NOT_FOUND


@dataclass(frozen=True)
class ReviserPrompt(Prompt):
    """What the writer of a paragraph is shown that has to be changed.

    Attributes:
        change: "continue" what was cut off, "expand" what is too short, "shorten" what is too
            long, or "rewrite" what repeats `clash`.
        words: Of what is to be written now.
    """

    template: ClassVar[str] = "agent_write/reviser.md"

    instruction: str
    plan: str
    sources: tuple[str, ...]
    is_grounded: bool
    step: str
    paragraph: str
    clash: str
    change: str
    words: int


@dataclass(frozen=True)
class FolderPrompt(Prompt):
    """What is asked where the text so far has no room in a prompt any more."""

    template: ClassVar[str] = "agent_write/folder.md"

    instruction: str
    summary: str
    written: str
    words: int
