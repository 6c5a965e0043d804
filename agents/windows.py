"""The window of a model: what is kept in it for a reply, and how much of it a text takes."""

from collections.abc import Callable

from lcagent.models.base import ChatModel, Message

LONGEST_REPLY = 1_024
LEAST_REPLY = 128
LONGEST_REASONED_REPLY = 8_192
MARGIN_TOKENS = 16


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
