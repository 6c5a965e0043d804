"""Token budgets: what a model's window leaves for a prompt, for its reply, and for each text in it.

Two kinds of reply are budgeted differently. An answer (also a worker's notes, or a candidate of a
tree) is short and has a fixed share of the window reserved, so that what is packed into the prompt
can be planned before anything is asked. Prose (a paragraph, a plan, a summary) may take all that
its prompt leaves: its longest reply follows from the window alone, never from the words that are
asked for, because a writer who writes more than asked is shortened later, not cut off.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from lcagent.models.chat_model import ChatModel, Message

CountTokens: TypeAlias = Callable[[str], int]
"""Counts the tokens of a text by itself."""

MAX_ANSWER_TOKENS, MAX_REASONED_ANSWER_TOKENS = 1_024, 8_192
"""The longest answer, without and with reasoning before it. The first is that of Zhang et al.,
Chain of Agents, https://arxiv.org/abs/2406.02818."""

MAX_PROSE_TOKENS, MAX_REASONED_PROSE_TOKENS = 4_096, 16_384
"""The longest piece of prose, likewise. The first is that of Bai et al., LongWriter,
https://arxiv.org/abs/2408.07055."""

MIN_REPLY_TOKENS = 128
"""A shorter reply is not worth asking for."""

MARGIN_TOKENS = 16
"""Kept free in every window: servers add tokens of their own to a chat."""


def answer_reply_tokens(model: ChatModel, wanted: int = MAX_ANSWER_TOKENS) -> int:
    """Return how many tokens to reserve for an answer: at most an eighth of the window.

    A model that reasons first gets up to a quarter, whatever is `wanted`.
    """
    card = model.card
    share = card.window_tokens // 8
    if card.is_reasoning:
        wanted, share = MAX_REASONED_ANSWER_TOKENS, card.window_tokens // 4
    most = card.max_reply_tokens or wanted
    return max(min(MIN_REPLY_TOKENS, card.window_tokens // 4), min(wanted, share, most))


def prose_prompt_tokens(model: ChatModel) -> int:
    """Return how many tokens a prompt for prose may have: at least two thirds of the window."""
    return model.card.window_tokens - _reserved_for_prose(model) - MARGIN_TOKENS


def prose_reply_tokens(model: ChatModel, messages: Sequence[Message]) -> int:
    """Return the longest reply that fits behind a prompt; less than 1 where none does."""
    card = model.card
    left = card.window_tokens - model.count_tokens(messages) - MARGIN_TOKENS
    return min(left, _max_prose_tokens(model), card.max_reply_tokens or left)


def token_counter(model: ChatModel) -> CountTokens:
    """Return a counter of a text's own tokens, without those of the message round it."""
    empty = model.count_tokens((Message("user", ""),))
    return lambda text: max(0, model.count_tokens((Message("user", text),)) - empty)


def truncate_end(text: str, max_tokens: int, count: CountTokens) -> str:
    """Return the beginning of a text that has at most `max_tokens`, ending with a whole word."""
    if count(text) <= max_tokens:
        return text
    fits, too_long = 0, len(text)
    while too_long - fits > 1:
        middle = (fits + too_long) // 2
        if count(text[:middle]) <= max_tokens:
            fits = middle
        else:
            too_long = middle
    blank = text.rfind(" ", fits // 2, fits)
    return text[: blank if blank > 0 else fits].rstrip()


def truncate_start(text: str, max_tokens: int, count: CountTokens) -> str:
    """Return the end of a text that has at most `max_tokens`, from the beginning of a word."""
    while text and (size := count(text)) > max_tokens:
        # Characters per token vary, so aim 5 % short and measure again.
        cut = max(1, len(text) - int(len(text) * max_tokens / size * 0.95))
        blank = text.find(" ", cut, cut + 40)
        text = text[blank + 1 if blank >= 0 else cut :]
    return text


def count_fitting_from_end(paragraphs: Sequence[str], max_tokens: int, count: CountTokens) -> int:
    """Return how many of the last paragraphs fit together."""
    left = max_tokens
    for number, paragraph in enumerate(reversed(paragraphs)):
        left -= count(paragraph) + 2  # the blank line between two
        if left < 0:
            return number
    return len(paragraphs)


def _reserved_for_prose(model: ChatModel) -> int:
    most = _max_prose_tokens(model)
    return min(most, model.card.max_reply_tokens or most, model.card.window_tokens // 3)


def _max_prose_tokens(model: ChatModel) -> int:
    return MAX_REASONED_PROSE_TOKENS if model.card.is_reasoning else MAX_PROSE_TOKENS
