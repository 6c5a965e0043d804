"""Choosing the method that answers a question, before any of it is run.

The two axes are those of Goldman et al., "Is It Really Long Context if All You Need Is Retrieval?",
https://arxiv.org/abs/2407.00402: how much evidence there is, and how hard it is to find. Where
there is a lot of it, retrieval cannot promise to bring all, so everything is read.
"""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, cast, get_args

import regex

from lcagent.errors import UsageError

Strategy: TypeAlias = Literal["quote", "whole", "rag", "chain", "tree"]
"""A method that answers questions."""

QUOTE: Final = "quote"
"""The name of the method and of the model that is none: it quotes."""


@dataclass(frozen=True, slots=True)
class Route:
    """The method chosen, and why."""

    strategy: Strategy
    reason: str


def check(wanted: str) -> None:
    """Refuse a method that there is not, before anything is read.

    Raises:
        UsageError: There is no such method.
    """
    known = ("auto", *get_args(Strategy))
    if wanted not in known:
        raise UsageError(f"no strategy {wanted!r}; there are: {', '.join(known)}")


def choose(wanted: str, model: str, question: str, *, fits_window: bool) -> Route:
    """Return the method for a question.

    Args:
        wanted: A method's name or "auto".
        fits_window: Whether the model can be shown all of the text at once.

    Raises:
        UsageError: The text does not fit, and nothing else may be done.
    """
    if model == QUOTE and wanted in ("auto", QUOTE):
        return Route(QUOTE, "no language model is configured, so the answer is quoted")
    if wanted == "whole" and not fits_window:
        raise UsageError(
            "the text does not fit into the model's window: use --strategy chain or rag, "
            "or fewer --pages"
        )
    if wanted != "auto":
        return Route(cast("Strategy", wanted), "asked for")
    if fits_window:
        return Route("whole", "all of the text fits into the model's window")
    wide = _WIDE.search(question)
    if wide is not None:
        return Route("chain", f"“{wide.group().strip()}” asks for more than a passage can tell")
    return Route("rag", "a question that some passages can answer")


_WIDE = regex.compile(
    r"""\b(?:
    how\s+(?:many|often)\b(?!\s+(?:years|days|people|percent|\p{L}+\s+(?:did|does|do|has|have|had|was|were)\b))
    |(?:list|name|enumerate|count)\b|(?:all|every|each)\s+(?:of\s+)?(?:the\s+|those\s+)?\p{L}+
    |summari[sz]e|summary|overview|main\s+(?:points?|themes?|ideas?|arguments?)|overall
    |compare|differences?\s+between|throughout|in\s+total|most\s+often
    |alle[rns]?|jede[rsnm]?|sämtliche\w*|aufzähl\w*|zusammenfass\w*|vergleich\w*|wie\s+oft|liste
    |tou(?:te)?s\s+les|résum\w*|compar\w*|combien\s+de\s+fois
    |todos\s+los|todas\s+las|resum\w*
    |все[хм]?|перечисл\w*|сравни\w*|кратк\w+\s+содержан\w*
    )(?=\b|\s|$)
    |总结|概括|列出|所有|全部|比较|多少次|几次|まとめ|要約|すべて|全て|比較|一覧
    |لخص|ملخص|جميع|كل\s|قارن|اذكر
    """,
    regex.VERBOSE | regex.IGNORECASE,
)
"""What a question says that asks for a lot of evidence."""
