"""How many tokens the parts of a worker's prompt may have.

Zhang et al., Chain of Agents, algorithm 2, gives a chunk what the window leaves beside the
instruction and the question. That leaves no room for the message of the worker before nor for the
reply; both are reserved here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from lcagent.agents.windows import LONGEST_REPLY, MARGIN_TOKENS, reply_tokens
from lcagent.errors import UsageError
from lcagent.models.base import ChatModel, Message

LEAST_CHUNK_TOKENS = 64
TOKENS_OF_A_FACT = 60
"""What a fact with its quote takes, about."""


@dataclass(frozen=True, slots=True)
class ChainBudget:
    """Tokens of the parts of a chain.

    Attributes:
        chunk_tokens: Of the text a worker reads.
        message_tokens: Of what it is handed on.
        reply_tokens: Of its reply.
        notes_tokens: Of what the manager is shown.
    """

    chunk_tokens: int
    message_tokens: int
    reply_tokens: int
    notes_tokens: int

    @property
    def facts_at_most(self) -> int:
        """How many facts the manager can be shown, about."""
        return max(1, self.notes_tokens // TOKENS_OF_A_FACT)


def plan_budget(
    model: ChatModel, *, worker: Sequence[Message], manager: Sequence[Message]
) -> ChainBudget:
    """Return the budget for a model, given the prompts of its roles with nothing to read in them.

    Raises:
        UsageError: The window is too small for the question.
    """
    window = model.card.window_tokens
    reply = reply_tokens(model)
    message = min(LONGEST_REPLY, window // 8)
    chunk = window - model.count_tokens(worker) - message - reply - MARGIN_TOKENS
    notes = window - model.count_tokens(manager) - reply - MARGIN_TOKENS
    if chunk < LEAST_CHUNK_TOKENS:
        raise UsageError(
            f"the window of {model.card.name}, {window:,} tokens, leaves {max(chunk, 0)} to read "
            "with: ask a shorter question, or take a model with a larger window (--window)"
        )
    return ChainBudget(chunk, message, reply, notes)
