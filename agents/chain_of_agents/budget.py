"""How many tokens the parts of a worker's prompt may have.

Zhang et al., Chain of Agents, algorithm 2, gives a chunk what the window leaves beside the
instruction and the question. That leaves no room for the message of the worker before nor for the
reply; both are reserved here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lcagent.errors import UsageError
from lcagent.models.base import ChatModel, Message

LONGEST_REPLY = 1_024
LEAST_REPLY = 128
LONGEST_REASONED_REPLY = 8_192
MARGIN_TOKENS = 16
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


def reply_tokens(model: ChatModel, wanted: int = LONGEST_REPLY) -> int:
    """Return how many tokens to reserve for a reply: an eighth of a small window, at least."""
    card = model.card
    share = card.window_tokens // 8
    if card.is_reasoning:
        wanted, share = LONGEST_REASONED_REPLY, card.window_tokens // 4
    most = card.max_reply_tokens or wanted
    return max(min(LEAST_REPLY, card.window_tokens // 4), min(wanted, share, most))


def text_counter(model: ChatModel) -> Callable[[str], int]:
    """Return what counts the tokens of a text by itself, without those of a message."""
    empty = model.count_tokens((Message("user", ""),))
    return lambda text: max(0, model.count_tokens((Message("user", text),)) - empty)


def cut_to_tokens(text: str, most: int, count: Callable[[str], int]) -> str:
    """Return the beginning of a text that has at most so many tokens, whole words of it."""
    if count(text) <= most:
        return text
    fits, too_long = 0, len(text)
    while too_long - fits > 1:
        middle = (fits + too_long) // 2
        if count(text[:middle]) <= most:
            fits = middle
        else:
            too_long = middle
    blank = text.rfind(" ", fits // 2, fits)
    return text[: blank if blank > 0 else fits].rstrip()
