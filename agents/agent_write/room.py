"""What fits into a prompt: how much of the plan, how much of the text so far, and the reply.

The longest reply follows from the window alone, never from the words that are asked for: a writer
who writes more than asked is shortened later, not cut off.
"""

from collections.abc import Callable, Sequence

from lcagent.agents.agent_write.plan import ArticlePlan, as_line
from lcagent.agents.windows import MARGIN_TOKENS
from lcagent.models.base import ChatModel, Message

LONGEST_REPLY, LONGEST_REASONED_REPLY = 4_096, 16_384
"""Tokens; the first is upstream's."""

LEAST_REPLY = 128
"""Tokens below which a reply is not worth asking for."""


def prompt_room(model: ChatModel) -> int:
    """Return how many tokens a prompt may have: two thirds of a small window."""
    return model.card.window_tokens - _reserved(model) - MARGIN_TOKENS


def longest_reply(model: ChatModel, messages: Sequence[Message]) -> int:
    """Return the longest reply that fits behind a prompt; less than 1 where none does."""
    card = model.card
    left = card.window_tokens - model.count_tokens(messages) - MARGIN_TOKENS
    return min(left, _most(model), card.max_reply_tokens or left)


def shown_plan(
    plan: ArticlePlan, place: int, budget_tokens: int, count: Callable[[str], int]
) -> str:
    """Return the plan as far as it fits: all of it, else this chapter, else the lines round it."""
    whole = plan.as_text()
    if count(whole) <= budget_tokens:
        return whole
    by_chapter = _this_chapter(plan, place)
    if count(by_chapter) <= budget_tokens:
        return by_chapter
    return _lines_round(plan, place, budget_tokens, count)


def last_that_fit(
    paragraphs: Sequence[str], budget_tokens: int, count: Callable[[str], int]
) -> int:
    """Return how many of the last paragraphs fit together."""
    left = budget_tokens
    for number, paragraph in enumerate(reversed(paragraphs)):
        left -= count(paragraph) + 2
        if left < 0:
            return number
    return len(paragraphs)


def end_of(text: str, budget_tokens: int, count: Callable[[str], int]) -> str:
    """Return the end of a text that fits, from the beginning of a word."""
    while text and (size := count(text)) > budget_tokens:
        cut = max(1, len(text) - int(len(text) * budget_tokens / size * 0.95))
        blank = text.find(" ", cut, cut + 40)
        text = text[blank + 1 if blank >= 0 else cut :]
    return text


def _this_chapter(plan: ArticlePlan, place: int) -> str:
    lines: list[str] = []
    for title, members in plan.chapters():
        lines.append(f"# {title}")
        if any(at == place for at, _ in members):
            lines.extend(as_line(at, paragraph) for at, paragraph in members)
    return "\n".join(lines)


def _lines_round(
    plan: ArticlePlan, place: int, budget_tokens: int, count: Callable[[str], int]
) -> str:
    lines = [as_line(at, paragraph) for at, paragraph in enumerate(plan.paragraphs)]
    first, last = place, place + 1
    for step in range(1, len(lines)):
        wider = max(0, place - step), min(len(lines), place + step + 1)
        if count("\n".join(lines[slice(*wider)])) > budget_tokens:
            break
        first, last = wider
    before = ["..."] if first else []
    after = ["..."] if last < len(lines) else []
    return "\n".join([*before, *lines[first:last], *after])


def _reserved(model: ChatModel) -> int:
    most = model.card.max_reply_tokens or _most(model)
    return min(_most(model), most, model.card.window_tokens // 3)


def _most(model: ChatModel) -> int:
    return LONGEST_REASONED_REPLY if model.card.is_reasoning else LONGEST_REPLY
