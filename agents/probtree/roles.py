"""What the roles of ProbTree are shown.

Cao et al., https://arxiv.org/abs/2311.13982, appendix: the roles are the paper's, the words and the
examples are ours.
"""

from dataclasses import dataclass
from typing import ClassVar

from lcagent.agents.prompting import Prompt

SINGLE_HOP = "Say in one or two short sentences what the passages say on the question."
MULTI_HOP = (
    "The answer may have to be put together from several passages: explain in one to four short "
    "sentences, step by step, how they lead to it."
)
"""What is asked of passages for a question that has none below it, and for one that has."""


@dataclass(frozen=True)
class DecomposerPrompt(Prompt):
    """What is asked of whoever makes the tree."""

    template: ClassVar[str] = "probtree/decomposer.md"

    question: str


@dataclass(frozen=True)
class ClosedBookPrompt(Prompt):
    """What is asked for from the model's own knowledge: the question, and no text at all."""

    template: ClassVar[str] = "probtree/closed_book.md"

    question: str


@dataclass(frozen=True)
class OpenBookPrompt(Prompt):
    """What is asked for from passages."""

    template: ClassVar[str] = "probtree/open_book.md"

    question: str
    sources: tuple[str, ...]
    task: str


@dataclass(frozen=True)
class ChildAggregatingPrompt(Prompt):
    """What is asked for from the questions below and their answers, and no text besides."""

    template: ClassVar[str] = "probtree/child_aggregating.md"

    question: str
    answers: tuple[str, ...]


@dataclass(frozen=True)
class FinisherPrompt(Prompt):
    """What is asked where a reply has no answer in the form wanted."""

    template: ClassVar[str] = "probtree/finisher.md"

    question: str
    reply: str


@dataclass(frozen=True)
class ConfidencePrompt(Prompt):
    """What is asked where nothing else tells how sure an answer is."""

    template: ClassVar[str] = "probtree/confidence.md"

    question: str
    material: str
    reply: str
