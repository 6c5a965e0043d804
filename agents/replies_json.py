"""JSON in the replies of models, which seldom consist of it alone."""

import json
from typing import Any

import regex


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
