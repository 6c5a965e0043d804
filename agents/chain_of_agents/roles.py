"""What the roles of Chain-of-Agents are shown.

Zhang et al., https://arxiv.org/abs/2406.02818, tables 11 and 12, in words of our own. The chunk
stands first, so that different orders and later questions share the beginning of their prompts.
"""

from dataclasses import dataclass
from typing import ClassVar

from lcagent.agents.prompting import Prompt
from lcagent.agents.refusals import NOT_FOUND


@dataclass(frozen=True)
class WorkerPrompt(Prompt):
    """What a worker is shown: its chunk, and the summary of the worker before it."""

    template: ClassVar[str] = "chain_of_agents/worker.md"

    question: str
    message: str
    chunk: str


@dataclass(frozen=True)
class NoteTakerPrompt(Prompt):
    """What a worker is shown that takes notes."""

    template: ClassVar[str] = "chain_of_agents/note_taker.md"

    question: str
    notes: str
    chunk: str


@dataclass(frozen=True)
class SelectorPrompt(Prompt):
    """What is asked where there are more notes than an answer can be written from."""

    template: ClassVar[str] = "chain_of_agents/selector.md"

    question: str
    facts: str
    most: int


@dataclass(frozen=True)
class ManagerPrompt(Prompt):
    """What the manager is shown: the summary of the last worker."""

    template: ClassVar[str] = "chain_of_agents/manager.md"

    question: str
    message: str
    not_found: str = NOT_FOUND


@dataclass(frozen=True)
class CitingManagerPrompt(Prompt):
    """What the manager is shown of notes, which it cites by their labels."""

    template: ClassVar[str] = "chain_of_agents/citing_manager.md"

    question: str
    notes: str
    not_found: str = NOT_FOUND


@dataclass(frozen=True)
class JudgePrompt(Prompt):
    """What the judge of several paths is shown: the last notes of each."""

    template: ClassVar[str] = "chain_of_agents/judge.md"

    question: str
    candidates: tuple[str, ...]
    not_found: str = NOT_FOUND


@dataclass(frozen=True)
class MemberPrompt(Prompt):
    """What a worker of the merge baseline is shown, which answers from its chunk alone."""

    template: ClassVar[str] = "chain_of_agents/member.md"

    question: str
    chunk: str
    not_found: str = NOT_FOUND
