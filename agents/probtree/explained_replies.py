"""Replies that explain first, then answer, with "So the answer is:" between the two.

The explanation ends where the first marker begins, and the answer follows the last one. A marker
inside a quoted passage is the passage's. Models leave out "So", translate the marker, or reply with
a JSON object of the two; all of that is read.
"""

import json
from dataclasses import dataclass, replace
from typing import TypeAlias

import regex

from lcagent.agents.marks import mark_spans, strip_marks
from lcagent.agents.replies import carries_nothing
from lcagent.retrieval.sentences import sentences

TextSpans: TypeAlias = tuple[tuple[int, int], ...]
"""Characters `start` to `end` of a text, several times."""


@dataclass(frozen=True, slots=True)
class ExplainedReply:
    """A reply, taken apart.

    Attributes:
        answer: Without what stands round it; empty where there is no marker.
        explanation: Where it stands in the reply, marks left out: what a mark quotes is copied, so
            it says nothing on how sure the model is.
        has_marker: The reply is in the form asked for.
    """

    answer: str
    explanation: TextSpans
    has_marker: bool = True


def parse_explained_reply(text: str) -> ExplainedReply:
    """Take a reply apart; one without a marker is an explanation from end to end."""
    fields = _json_fields(text)
    if fields is not None:
        return fields
    # A quoted passage may itself say "the answer is"; what stands in a mark is no marker.
    marks = mark_spans(text)
    markers = [
        found
        for found in _MARKER.finditer(text)
        if not any(start <= found.start() < end for start, end in marks)
    ]
    if not markers:
        return ExplainedReply("", _spans_without_marks(0, len(text), text), has_marker=False)
    answer = clean_answer(text[markers[-1].end() :])
    return ExplainedReply(answer, _spans_without_marks(0, markers[0].start(), text))


def parse_plain_reply(text: str) -> ExplainedReply:
    """Take a reply to a plain question apart: its first sentence is the answer.

    A model that goes on repeats itself, or speaks of something else. What is measured is that
    sentence; a marker is read where one comes.
    """
    explained = parse_explained_reply(text)
    if explained.has_marker and explained.answer:
        return replace(explained, explanation=_spans_without_marks(0, len(text), text))
    for start, end in sentences(text):
        said = _FENCE.sub("", text[start:end]).strip()
        answer = clean_answer(said)
        is_introduction = said.endswith((":", "："))
        if not (is_introduction or is_no_answer(answer) or carries_nothing(said)):
            return ExplainedReply(answer, _spans_without_marks(start, end, text))
    return ExplainedReply("", (), has_marker=False)


def clean_answer(answer: str) -> str:
    """Return an answer without marks, quotation marks and the stop at its end.

    The stop of an abbreviation that has another ("U.S.") belongs to it.
    """
    lines = strip_marks(answer).strip().splitlines()
    bare = _strip(lines[0]) if lines else ""
    is_abbreviation = regex.search(r"\b\p{L}\.(?:\p{L}\.)+$", bare) is not None
    return bare if is_abbreviation else _strip(bare.rstrip(".。!！?？؟;；,，،:：\u06d4 "))


def is_no_answer(answer: str) -> bool:
    """Say whether an answer says that there is none.

    Unlike in the authors' code, which looks for "Unknow" anywhere, the Tomb of the Unknown Soldier
    is an answer.
    """
    return not regex.search(r"[\p{L}\p{N}]", answer) or _NONE.search(answer) is not None


def _strip(text: str) -> str:
    text = text.strip(" \t*_`")
    for opening, closing in _PAIRS:
        if len(text) > 1 and text[0] == opening and text[-1] == closing:
            return text[1:-1].strip()
    return text


def _json_fields(text: str) -> ExplainedReply | None:
    """Return what a JSON object says that has an explanation and an answer."""
    explanation, answers = _EXPLANATION.search(text), list(_ANSWER.finditer(text))
    if explanation is None or not answers or _OBJECT.match(text) is None:
        return None
    start, end = explanation.span("value")
    try:
        answer = str(json.loads(f'"{answers[-1]["value"]}"', strict=False))
    except ValueError:
        answer = answers[-1]["value"]
    return ExplainedReply(clean_answer(answer), _spans_without_marks(start, end, text))


def _spans_without_marks(start: int, end: int, text: str) -> TextSpans:
    """Return the spans from `start` to `end` that hold no marks."""
    spans: list[tuple[int, int]] = []
    for mark_start, mark_end in mark_spans(text):
        if start < mark_start < end:
            spans.append((start, mark_start))
        if start < mark_end:
            start = max(start, mark_end)
    if start < end:
        spans.append((start, end))
    return tuple(span for span in spans if text[slice(*span)].strip())


_FENCE = regex.compile(r"</?\w+ [0-9a-f]{8}>")
_PAIRS = (('"', '"'), ("'", "'"), ("“", "”"), ("„", "“"), ("«", "»"), ("「", "」"))
_OBJECT = regex.compile(r"\s*(?:```\w*\s*)?\{")
_VALUE = r'\s*:\s*"(?<value>(?:[^"\\]|\\.)*)"?'
_EXPLANATION = regex.compile(rf'"(?:explanation|reasoning|rationale|thought)s?"{_VALUE}')
_ANSWER = regex.compile(rf'"(?:final_)?answer"{_VALUE}')
_MARKER = regex.compile(
    r"""[*_]*(?:
    \b(?:so|thus|therefore|hence),?\s+the\s+(?:final\s+)?answer\s+is\b[*_]*\s*[:：]?
    |\b(?:the\s+)?(?:final\s+)?answer\s+(?:to\s+th(?:e|is)\s+question\s+)?is\s*[:：]
    |(?:\b(?:also|daher|somit|folglich),?\s+)?\b(?:die\s+antwort\s+(?:lautet|ist)|(?:lautet|ist)\s+die\s+antwort)\s*[:：]
    |(?:所以|因此|故)?[,，]?\s*(?:最终)?答案(?:是|为)?\s*[:：]
    |(?:إذن|إذًا|لذلك|لذا)?[،,]?\s*(?:الجواب|الإجابة)(?:\s+النهائي\p{L}*)?\s*(?:هو|هي)?\s*[:：]
    )[*_]*""",
    regex.VERBOSE | regex.IGNORECASE,
)
_NONE = regex.compile(
    r"^\W*(?i:unknow|unbekannt\W*$|inconnu\W*$|desconocid[oa]\W*$|NOT_IN_DOCUMENT)"
    r"|^\W*(?:未知|不知道|不详|不明|غير معروف|مجهول)\W*$"
    r"|\bUnknown\b(?!\s+\p{L})|\bERROR\b"
)
