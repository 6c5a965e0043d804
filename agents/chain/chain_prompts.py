"""What each role of Chain-of-Agents is shown, and how many tokens each part of it may have.

Zhang et al., https://arxiv.org/abs/2406.02818, tables 11 and 12, in words of our own. The chunk
stands first, so that different orders and later questions share the beginning of their prompts.

The paper's algorithm 2 gives a chunk what the window leaves beside the instruction and the
question. That leaves no room for the message of the worker before nor for the reply; both are
reserved here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from lcagent.agents.prompt_templates import Prompt
from lcagent.agents.replies import NOT_FOUND
from lcagent.agents.token_budget import MARGIN_TOKENS, MAX_ANSWER_TOKENS, answer_reply_tokens
from lcagent.errors import UsageError
from lcagent.models.chat_model import ChatModel, Message

MIN_CHUNK_TOKENS = 64
"""A chunk that would be shorter is refused: the window is too small for the question."""

FACT_TOKENS = 60
"""What a fact with its quote takes, about."""


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
class CopierPrompt(Prompt):
    """What a worker is shown whose model cannot take notes: one thing to do, and no notes."""

    template: ClassVar[str] = "chain_of_agents/copier.md"

    question: str
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
class PlainManagerPrompt(Prompt):
    """What the manager is shown whose model cannot cite: what its answer rests on is looked up."""

    template: ClassVar[str] = "chain_of_agents/plain_manager.md"

    question: str
    notes: str


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


@dataclass(frozen=True, slots=True)
class ChainBudget:
    """How many tokens each part of a chain's prompts may have.

    Attributes:
        chunk_tokens: The text a worker reads.
        message_tokens: What the worker before it hands on.
        reply_tokens: Its reply.
        notes_tokens: What the manager is shown.
    """

    chunk_tokens: int
    message_tokens: int
    reply_tokens: int
    notes_tokens: int

    @property
    def max_facts(self) -> int:
        """How many facts the manager can be shown, about."""
        return max(1, self.notes_tokens // FACT_TOKENS)


def allocate_budget(
    model: ChatModel, *, worker: Sequence[Message], manager: Sequence[Message]
) -> ChainBudget:
    """Divide a model's window among the parts of a chain.

    Args:
        worker, manager: Their prompts with the question and nothing to read in them.

    Raises:
        UsageError: The window is too small for the question.
    """
    window = model.card.window_tokens
    reply = answer_reply_tokens(model)
    # The paper's B = k - |q| - |instruction| leaves no room for what is handed on (it grows to
    # the length of a reply) nor for the reply itself; both are taken off here.
    message = min(MAX_ANSWER_TOKENS, window // 8)
    chunk = window - model.count_tokens(worker) - message - reply - MARGIN_TOKENS
    notes = window - model.count_tokens(manager) - reply - MARGIN_TOKENS
    if chunk < MIN_CHUNK_TOKENS:
        raise UsageError(
            f"the window of {model.card.name}, {window:,} tokens, leaves {max(chunk, 0)} to read "
            "with: ask a shorter question, or take a model with a larger window (--window)"
        )
    return ChainBudget(chunk, message, reply, notes)
