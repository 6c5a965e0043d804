"""What can be read off any reply: a refusal, that it carries nothing, a JSON object in it.

Zhang et al., Chain of Agents, https://arxiv.org/abs/2406.02818, appendix F.4, calls what happens if
a reply that carries nothing is handed on a collapse: each worker repeats it to the end.
"""

import json
from typing import Any

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


def extract_json_object(text: str) -> dict[str, Any] | None:
    """Return the JSON object of a reply, or None if there is none that can be read.

    What stands before and behind it, a code fence, and commas before a closing bracket are passed
    over; an object that was cut off is closed where it ends.
    """
    start = text.find("{")
    if start < 0:
        return None
    whole = _scanned(text[start:])
    last = text.rfind("}", start) + 1
    shorter = _scanned(text[start:last]) if last else whole
    for candidate in (whole, _mended(whole), _mended(shorter)):
        try:
            found = json.loads(candidate, strict=False)
        except (json.JSONDecodeError, RecursionError):
            continue
        return found if isinstance(found, dict) else None
    return None


def _scanned(text: str) -> str:
    """Return the first object of a text, closed where the text ends inside it."""
    closers: list[str] = []
    is_string = is_escaped = False
    for place, character in enumerate(text):
        if is_escaped:
            is_escaped = False
        elif character == "\\":
            is_escaped = is_string
        elif character == '"':
            is_string = not is_string
        elif is_string:
            continue
        elif character in "{[":
            closers.append("}" if character == "{" else "]")
        elif character in "}]" and closers and closers.pop() and not closers:
            return text[: place + 1]
    cut = text[:-1] if is_escaped else text
    return (cut + '"' * is_string).rstrip(" \t\n,:") + "".join(reversed(closers))


def _mended(text: str) -> str:
    return _TRAILING_COMMA.sub(r"\1", text)


_TRAILING_COMMA = regex.compile(r",(\s*[}\]])")
