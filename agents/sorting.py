"""What it takes to answer a question, where its words do not tell: a role of its own."""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeAlias, cast, get_args

import regex

from lcagent.agents.prompting import Prompt
from lcagent.agents.replies_json import json_object_in
from lcagent.agents.windows import reply_tokens
from lcagent.errors import ContextTooLong, UnusableReply
from lcagent.models.base import ChatModel, Request

Takes: TypeAlias = Literal["passage", "steps", "everything"]
"""One place; several facts one after the other or beside each other; all of the text."""

LONGEST_REPLY = 32
"""Tokens; models that think before they reply get more."""

REPLY_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"takes": {"type": "string", "enum": list(get_args(Takes))}},
    "required": ["takes"],
    "additionalProperties": False,
}


@dataclass(frozen=True)
class SorterPrompt(Prompt):
    """Asks what a question takes."""

    template: ClassVar[str] = "routing/sorter.md"
    question: str


def sorting_request(question: str, model: ChatModel) -> Request:
    """Return the request for what a question takes."""
    return Request(
        SorterPrompt(question).messages(),
        max_tokens=reply_tokens(model, LONGEST_REPLY),
        schema=REPLY_SCHEMA,
        purpose="choosing the method",
    )


async def sort(question: str, model: ChatModel) -> Takes | None:
    """Return what the model says that a question takes; None if it does not say."""
    try:
        reply = await model.complete(sorting_request(question, model))
    except (ContextTooLong, UnusableReply):
        return None
    found = json_object_in(reply.text)
    said = str(found.get("takes", "")) if found is not None else reply.text
    kinds = {kind for kind in get_args(Takes) if regex.search(rf"\b{kind}\b", said.lower())}
    return cast("Takes", kinds.pop()) if len(kinds) == 1 else None
