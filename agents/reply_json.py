"""JSON in replies: the object itself, and the answer of one that nobody asked for.

Models that were trained to reply in JSON do so unasked, in shapes of their own choice: the answer
under one of a dozen names, what it rests on as labels, as quotes, or as objects of both.
"""

import json
from collections.abc import Iterator
from typing import Any

import regex

_ANSWERS = (
    "answer", "final_answer", "finalanswer", "response", "result", "output", "reply", "text",
    "content", "statement", "claim", "summary", "antwort", "réponse", "respuesta", "ответ", "答案",
)  # fmt: skip
_PARTS = ("claims", "statements", "answers", "sentences", "facts", "results", "points")
_CITATIONS = (
    "citations", "citation", "sources", "source", "references", "reference", "evidence",
    "quotes", "quote", "support", "passages", "passage", "marks",
)  # fmt: skip
_QUOTES = (
    "quote",
    "text",
    "excerpt",
    "words",
    "evidence",
    "content",
    "passage",
    "sentence",
    "span",
)
_LABELS = ("source", "label", "id", "ref", "source_id", "passage", "page", "document", "citation")
_LABEL = regex.compile(r"[SF]\d{1,4}")
_ENTRY = regex.compile(
    r"""\W*(?P<label>[SF]\d{1,4})\W*[:,\s]*["“«„]?(?P<quote>.*?)["”»“\])]*""", regex.DOTALL
)


def extract_json_object(text: str) -> dict[str, Any] | None:
    """Return the JSON object of a reply, or None if there is none that can be read.

    What stands before and behind it, a code fence, and commas before a closing bracket are passed
    over; an object that was cut off is closed where it ends.
    """
    found = _extract(text, "{", "}")
    return found if isinstance(found, dict) else None


def answer_in_json(text: str) -> str | None:
    """Return the answer of a reply that is JSON, what it rests on as marks; None if it is none."""
    first = regex.search(r"[{\[]", text)
    if first is None:
        return None
    closing = "}" if first[0] == "{" else "]"
    found = _extract(text[first.start() :], first[0], closing)
    return _written(found) if isinstance(found, dict | list) and found else None


def _extract(text: str, opening: str, closing: str) -> object:
    start = text.find(opening)
    if start < 0:
        return None
    whole = _scanned(text[start:])
    last = text.rfind(closing, start) + 1
    shorter = _scanned(text[start:last]) if last else whole
    for candidate in (whole, _mended(whole), _mended(shorter)):
        try:
            return json.loads(candidate, strict=False)
        except (json.JSONDecodeError, RecursionError):
            continue
    return None


def _written(found: object) -> str | None:
    """Return what an answer in JSON says, or None where it has no part with a known name."""
    if isinstance(found, list):
        parts = [_written(each) for each in found if isinstance(each, dict)]
        said = [part for part in parts if part]
        return " ".join(said) if said and len(parts) == len(found) else None
    if not isinstance(found, dict):
        return None
    fields = {str(name).casefold().strip(): value for name, value in found.items()}
    for name in (*_ANSWERS, *_PARTS):
        if name in fields:
            return _of_field(fields, name)
    return None


def _of_field(fields: dict[str, Any], name: str) -> str | None:
    value = fields[name]
    cited = {key: fields[key] for key in _CITATIONS if key != name and fields.get(key)}
    is_one = len(cited) > 1 and all(isinstance(each, str) for each in cited.values())
    rests_on = "".join(f" {mark}" for mark in _marks(cited if is_one else list(cited.values())))
    if isinstance(value, list | dict) and value:
        strings = isinstance(value, list) and all(isinstance(each, str) for each in value)
        said = " ".join(value) if strings else _written(value)
        return None if said is None else f"{said}{rests_on}"
    said = "" if value in (None, [], {}) else str(value).strip()
    if not said:
        return ""
    stop = regex.search(r"[.!?。！？]$", said)
    return (
        f"{said[: stop.start()]}{rests_on}{stop[0]}" if stop and rests_on else f"{said}{rests_on}"
    )


def _marks(value: object) -> Iterator[str]:
    """Yield marks for what an answer is said to rest on."""
    if isinstance(value, list):
        for each in value:
            yield from _marks(each)
    elif isinstance(value, str):
        entry = _ENTRY.fullmatch(value.strip())
        if entry is not None:
            yield _mark(entry["label"], entry["quote"])
        elif len(value.split()) > 1:
            yield _mark("S0", value)
    elif isinstance(value, dict):
        fields = {str(name).casefold(): each for name, each in value.items()}
        texts = [str(fields[name]) for name in _LABELS if fields.get(name) is not None]
        label = next((found[0] for text in texts if (found := _LABEL.search(text))), "S0")
        quotes = [fields[name] for name in _QUOTES if isinstance(fields.get(name), str)]
        quote = next((each for each in quotes if not _LABEL.fullmatch(each.strip())), "")
        if quote or label != "S0":
            yield _mark(label, quote)


def _mark(label: str, quote: str) -> str:
    bare = " ".join(quote.split()).strip('"“”„«»')
    return f'[{label} "{bare}"]' if bare else f"[{label}]"


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
