"""What a model was seen to do well, so that it is asked in the way that it answers best.

`lcagent doctor --ask-model` tries it with a few short calls and stores what came. There is no list
of names: two servers may serve different weights under one name. A model that was never tried is
asked plainly, which every model survives.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import regex

from lcagent.errors import LcagentError
from lcagent.models.chat_model import ChatModel, Message, Reply, Request

_REPLY_TOKENS, _REASONING_TOKENS = 128, 2_048

_PASSAGES = (
    "S1\nThe heron nests below the weir, and leaves in the second week of August.",
    "S2\nIn June the miller sold fifty-two sacks of rye to the baker of Unterau.",
    "S3\nThe ford is closed from the first frost until the ice has gone.",
)
_ASKED = (
    ("How many sacks of rye did the miller sell?", "S2", "fifty-two sacks of rye"),
    ("When does the heron leave?", "S1", "second week of August"),
)
_ABSENT = "What did the miller's daughter study?"
_MARKS = (
    "Answer the question from the passages, as shortly as it can be answered in full. After each "
    "statement put, in square brackets, the label of the passage that says so and, in quotation "
    'marks, the words that say so, copied exactly from it: STATEMENT [LABEL "WORDS"].'
)
_DECLINE = "If the passages do not hold the answer, reply with NOT_IN_DOCUMENT and nothing else."
_JSON = 'Reply with JSON only: {"answer": "...", "passage": "S..."}'


@dataclass(frozen=True, slots=True)
class ModelProfile:
    """What a model does; None where it was not tried, or could not be.

    Attributes:
        gives_marks: It answers, names the passage that says so, and copies the words of it.
        declines: It says that an answer is not there where it is not, and only there.
        keeps_json: It replies in JSON that was only asked for in words.
        has_logprobs: Its server tells the log-probabilities of tokens.
    """

    gives_marks: bool | None = None
    declines: bool | None = None
    keeps_json: bool | None = None
    has_logprobs: bool | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it as it is stored and printed."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "ModelProfile":
        """Return a stored profile; what this version does not know is passed over."""
        names = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in stored.items() if name in names})

    def __str__(self) -> str:
        """Say in words what was seen."""
        said = {
            "gives_marks": ("marks its sources with exact quotes", "gives no exact marks"),
            "declines": ("declines what is not there", "does not tell what is not there"),
            "keeps_json": ("keeps to JSON", "does not keep to JSON"),
            "has_logprobs": ("tells log-probabilities", "tells no log-probabilities"),
        }
        words = [
            said[name][0 if value else 1]
            for name, value in self.as_json().items()
            if value is not None
        ]
        return ", ".join(words) or "not tried"


async def try_model(model: ChatModel) -> ModelProfile:
    """Return what a model does, by at most five short calls; what fails is not known.

    Raises:
        BudgetExceeded: A limit of the user's does not allow the calls.
    """
    marked = [await _asked(model, question, _MARKS, _DECLINE) for question, _, _ in _ASKED]
    absent = await _asked(model, _ABSENT, _MARKS, _DECLINE)
    structured = await _asked(model, _ASKED[0][0], _JSON)
    replies = [reply for reply in (*marked, absent, structured) if reply is not None]
    if len(replies) < len(_ASKED) + 2:
        return ModelProfile()
    gives_marks = all(
        _has_mark(reply.text, label, words)
        for reply, (_, label, words) in zip(replies, _ASKED, strict=False)
    )
    has_declined = [_DECLINED.search(reply.text) is not None for reply in replies[:-1]]
    return ModelProfile(
        gives_marks=gives_marks,
        declines=has_declined == [False] * len(_ASKED) + [True],
        keeps_json=_is_json(replies[-1].text),
        has_logprobs=any(reply.logprobs for reply in replies),
    )


async def _asked(model: ChatModel, question: str, *instructions: str) -> Reply | None:
    limit = _REASONING_TOKENS if model.card.is_reasoning else _REPLY_TOKENS
    text = "\n\n".join((*_PASSAGES, f"Question: {question}", " ".join(instructions)))
    request = Request((Message("user", text),), limit, wants_logprobs=True, purpose="profile")
    try:
        return await model.complete(request)
    except LcagentError:
        return None


def _has_mark(text: str, label: str, words: str) -> bool:
    """Say whether a reply has one mark, of the right passage, with words that stand in it."""
    passage = next(each for each in _PASSAGES if each.startswith(label))
    marks = _MARK.findall(text)
    return bool(marks) and all(
        found == label and words in quote and quote.rstrip(".") in passage for found, quote in marks
    )


def _is_json(text: str) -> bool:
    try:
        found = json.loads(_FENCE.sub("", text.strip()))
    except ValueError:
        return False
    return isinstance(found, dict) and {"answer", "passage"} <= found.keys()


_MARK = regex.compile(r"\[\s*(S\d)[\s:,]*[\"“](.+?)[\"”]\s*\]")
_FENCE = regex.compile(r"^```\w*\s*|\s*```$")
_DECLINED = regex.compile(r"NOT_IN_DOCUMENT")
