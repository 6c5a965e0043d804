"""What the roles of a summary are shown.

The readers are those of Chain-of-Agents for tasks without a question (Zhang et al.,
https://arxiv.org/abs/2406.02818, table 12), in words of our own, and take notes with quotes.
"""

from dataclasses import dataclass
from typing import ClassVar

from lcagent.agents.prompting import Prompt


@dataclass(frozen=True)
class SummaryReaderPrompt(Prompt):
    """What a reader is shown: one part, and what was noted before.

    Attributes:
        focus: What the summary is to be about; empty for everything.
        most: How many points to note.
    """

    template: ClassVar[str] = "summarizing/reader.md"

    focus: str
    notes: str
    chunk: str
    most: int


@dataclass(frozen=True)
class SummaryWriterPrompt(Prompt):
    """What the writer of a summary is shown: the points of all parts."""

    template: ClassVar[str] = "summarizing/writer.md"

    focus: str
    notes: str
    words: int


@dataclass(frozen=True)
class SummaryReviserPrompt(Prompt):
    """What the writer is shown of a summary that is too short or too long."""

    template: ClassVar[str] = "summarizing/reviser.md"

    focus: str
    notes: str
    summary: str
    is_short: bool
    words: int
