"""Replies that carry nothing: empty ones, refusals, and talk about the task itself.

Zhang et al., Chain of Agents, https://arxiv.org/abs/2406.02818, appendix F.4, calls what happens if
such a reply is handed on a collapse: each worker repeats it to the end of the chain.
"""

import regex

from lcagent.agents.citations import strip_marks

NOT_FOUND = "NOT_IN_DOCUMENT"
"""What a model is asked to reply where its material does not hold the answer."""

MAX_REFUSAL_CHARACTERS = 300
"""Characters; a longer reply says something besides."""


def says_not_found(text: str) -> bool:
    """Say whether a reply is that the answer is not there, with next to nothing besides."""
    bare = strip_marks(text).strip(" \t\n.\"'`*")
    return bare.startswith(NOT_FOUND) or (
        bare.endswith(NOT_FOUND) and len(bare) < MAX_REFUSAL_CHARACTERS
    )


def carries_nothing(text: str) -> bool:
    """Say whether a worker's reply carries nothing that could be handed on."""
    if is_refusal(text) or says_not_found(text):
        return True
    return len(text.strip()) <= MAX_REFUSAL_CHARACTERS and _NOTHING.search(text.strip()) is not None


def is_refusal(text: str) -> bool:
    """Say whether a reply is empty or declines to do what it was asked; it says nothing then.

    Unlike "nothing is said of it", which is what a reader may rightly find.
    """
    bare = text.strip()
    if not regex.search(r"[\p{L}\p{N}]", bare):
        return True
    return len(bare) <= MAX_REFUSAL_CHARACTERS and _REFUSAL.search(bare) is not None


_REFUSAL = regex.compile(
    r"""^\W*(?:
    i(?:['’]m|\sam)\s(?:sorry|afraid|unable|not\sable)\b
    |i\s(?:can(?:not|['’]t)|could\snot|couldn['’]t)\s(?!find|see)
    |sorry\b|as\san\sai\b
    |es\stut\smir\sleid\b|désolé|lo\ssiento\b|抱歉|对不起|無法|无法|申し訳|عذر
    )""",
    regex.VERBOSE | regex.IGNORECASE,
)
_NOTHING = regex.compile(
    r"""^\W*(?:
    i\s(?:do\snot|don['’]t)\s(?:know|have|see|find)\b
    |i\s(?:can(?:not|['’]t)|could\snot|couldn['’]t)\s(?:find|see)\b
    |unfortunately\b
    |(?:none|n/?a|unknown|nothing|no\sanswer|no\schanges?\b.*)\W*$
    |(?:the|this)\s(?:text|passage|part|source|summary|chunk)\s(?:does\snot|doesn['’]t)\b
    |(?:there\sis\s)?no\s(?:relevant\s|new\s|further\s)?(?:information|mention|evidence)\b
    |(?:it|this|that|the\sanswer)\sis\snot\s(?:mentioned|stated|given|provided|specified)\b
    |not\s(?:mentioned|stated|given|provided|specified|found)\b
    |ich\swei(?:ß|ss)\s(?:es\s)?nicht\b|keine\sangaben?\b
    |je\sne\s(?:sais|peux|trouve)\b|no\s(?:lo\s)?sé\b
    |我不知道|不知道|未提及|没有提到|没有提及|分かりません|わかりません|لا\sأعرف|لا\sأعلم
    )""",
    regex.VERBOSE | regex.IGNORECASE,
)
