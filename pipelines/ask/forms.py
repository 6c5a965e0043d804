"""What the words of a question tell of the evidence that its answer takes.

The two axes are those of Goldman et al., "Is It Really Long Context if All You Need Is Retrieval?",
https://arxiv.org/abs/2407.00402: how much evidence there is, and how hard it is to find. Words tell
the first in many languages and the second in none, so what they leave open is said to be open.
"""

from dataclasses import dataclass
from typing import Literal

import regex

LONGEST_PLAIN = 120
"""Characters; a longer question says more than one thing."""


@dataclass(frozen=True, slots=True)
class Form:
    """What a question is by its words.

    Attributes:
        kind: "wide" asks for more than some passages can tell, "fact" for one thing that stands
            somewhere; "open" may be either, or a matter of several steps.
        words: Those that tell.
    """

    kind: Literal["wide", "fact", "open"]
    words: str = ""


def form_of(question: str) -> Form:
    """Return what the words of a question tell, in the languages of the rules below."""
    wide = _WIDE.search(question)
    if wide is not None:
        return Form("wide", wide.group().strip())
    fact = _FACT.search(question)
    if fact is None or len(question) > LONGEST_PLAIN or _has_steps(question):
        return Form("open")
    return Form("fact", fact.group().strip())


def _has_steps(question: str) -> bool:
    """Say whether a question names its object by another one, compares, or asks two things."""
    return _STEPS.search(question) is not None


_WIDE = regex.compile(
    r"""\b(?:
    how\s+often|how\s+many\s+(?:times|chapters|sections|parts|pages|paragraphs|articles)
    |(?:list|enumerate|count)\b|(?:all|every|each)\s+(?:of\s+)?(?:the\s+|those\s+)?\p{L}+
    |summari[sz]e|summary|overview|main\s+(?:points?|themes?|ideas?|arguments?)
    |throughout|in\s+total|most\s+often
    |alle[rns]?|jede[rsnm]?|sämtliche\w*|aufzähl\w*|zusammenfass\w*|wie\s+oft|liste
    |tou(?:te)?s\s+les|résum\w*|combien\s+de\s+fois
    |todos\s+los|todas\s+las|resum\w*|cuántas\s+veces
    |все[хм]?|перечисл\w*|сколько\s+раз|кратк\w+\s+содержан\w*
    )(?=\b|\s|$)
    |总结|概括|概述|列出|所有|全部|多少次|几次|まとめ|要約|すべて|全て|何回|一覧
    |لخص|ملخص|جميع|كل\s|اذكر|كم\s+مرة
    """,
    regex.VERBOSE | regex.IGNORECASE,
)
"""What asks for a lot of evidence: all of something, how often, what the whole is about."""

_FACT = regex.compile(
    r"""^\W*(?:(?:in|on|at|from|to|by|for|of|with|an|am|im|seit|à|en|de|в|на)\s+)?(?:
    who|whom|whose|when|where|which|what(?!\s+(?:happen|if))|how\s+(?:old|long|tall|high|far|much|big|large|deep|heavy)
    |wer|wen|wem|wann|wo|woher|welche\w*|was(?!\s+(?:passiert|geschieht))|wie\s+(?:heißt|alt|lang|hoch|viel|groß|weit)
    |qui|quand|où|quel\w*|quién|cuándo|dónde|cuál|кто|когда|где|как(?:ой|ая|ое|ие)
    )\b
    |谁|何时|何地|哪里|哪儿|哪年|哪一年|什么时候|什么地方|叫什么|誰|いつ|どこ|何年|何歳
    |^\W*(?:من|متى|أين|في\s+أي)\s
    """,
    regex.VERBOSE | regex.IGNORECASE,
)
"""What asks for one thing. "How many" is not among it: it may mean a number that stands there or
one that has to be counted."""

_STEPS = regex.compile(
    r"""\bof\s+the\s+(?:\p{L}+\s+){1,4}of\b
    |.{12}\b(?:who|that|which|whose)\b
    |['’]s\s+(?:\p{L}+\s+){0,3}\p{L}+['’]s\b|\bof\b.+['’]s\b|['’]s\b.+\bof\b
    |(?<!^\W*wh(?:o|at)\s+(?:is|was|are|were)\s+)\bthe\s+\p{L}*(?:or|er|ist|ian|wife|husband|son|child|sibling)\s+of\b
    |\b(?:older|younger|larger|smaller|bigger|longer|shorter|earlier|later|higher|lower|more|less|fewer|better|first)\b.+\bor\b|,.+\bor\b
    |\b(?:both|same|common|compare|compared|difference|versus|vs)\b|\band\s+(?:who|what|when|where|which|how|why)\b
    |\b(?:de[sr]|vo[nm])\s+(?:\p{L}+\s+){1,4}(?:de[sr]|vo[nm]|die|der|das)\b|\boder\b|\bund\s+w(?:er|as|ann|o|ie|elche\w*)\b
    |\bcompar\w*|\bvergleich\w*|\bunterschied\w*|\bсравн\w*
    |的[^的]{1,12}的|比较|还是|区别|比較|違い|قارن|الفرق
    """,
    regex.VERBOSE | regex.IGNORECASE,
)
"""Signs that one thing has to be found before another, or two beside each other."""
