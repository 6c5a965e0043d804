"""What a server accepts, learned from what it rejects, and the body of a request made for it.

OpenAI-compatible servers differ in a handful of parameters. The first request uses them all. When
the server rejects one, that parameter is dropped or replaced, the model object remembers it, and
the request is sent again at once.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, TypeAlias

from lcagent.models.chat_model import Message, ModelCard, Request
from lcagent.models.overflows import read_number

Body: TypeAlias = dict[str, Any]

_REFUSES = re.compile(
    r"unsupported|not support|unknown|unrecogni[sz]ed|unexpected|extra (fields|inputs)|"
    r"not (permitted|allowed|available|enabled|implemented|valid|accepted|recogni[sz]ed|possible)|"
    r"invalid|cannot be used|can ?not|only|should|must|no longer|deprecated|disallowed|forbidden|"
    r"unavailable|out of|range|greater|positive|between|at least|ensure|illegal|disabled|"
    r"does ?n[o']t (accept|allow|take|work)|wrong|removed",
    re.IGNORECASE,
)
_SYSTEM_ROLE = re.compile(
    r"\b(system|developer)\b.{0,40}\b(roles?|messages?|prompts?|instructions?)\b|"
    r"\bmessages?\b.{0,60}\b(system|developer)\b|system_instruction|\broles?\b|"
    r"'(system|developer)'|(start|begin) with a user|should be ['\"]?user['\"]?( or|,)",
    re.IGNORECASE,
)
_NUMBER = r"`?(\d[\d.,_'\u00a0\u202f]*\d|\d)"
_LONGEST_REPLY = re.compile(
    rf"(?:at most|maximum(?: allowed)?(?: value)?(?: is| of)?|less than or equal to|lower than|"
    rf"limit (?:of|is)|up to|<=) ?{_NUMBER}|"
    rf"\d > {_NUMBER}, which is the maximum|\[\d+, ?{_NUMBER}\]|"
    rf"\(inclusive\) to {_NUMBER}",
    re.IGNORECASE,
)
_LIMIT_OF_REPLY = re.compile(
    r"max_?\w*_?tokens|(completion|output) tokens|maximum tokens", re.IGNORECASE
)
_MUST_STREAM = re.compile(
    r"only\b.{0,30}\bstream|must\b.{0,30}\bstream(?!ing.{0,20}(false|off))|non-?stream|"
    r"(enable|set|requires?) .{0,30}\bstream|stream\w* ((is )?required|(must|should|has to) be)",
    re.IGNORECASE,
)


@dataclass(slots=True)
class ServerCapabilities:
    """What this server and model accept. It only ever gets less.

    Attributes:
        max_tokens_name: The parameter that limits the reply.
        json_mode: How a JSON schema is sent, if at all.
        max_reply_tokens: The longest reply that the server allows, where it has said so.
    """

    max_tokens_name: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    has_temperature: bool = True
    has_logprobs: bool = True
    has_stop: bool = True
    has_streaming: bool = True
    must_stream: bool = False
    has_stream_usage: bool = True
    has_system_role: bool = True
    json_mode: Literal["json_schema", "json_object", "none"] = "json_schema"
    max_reply_tokens: int | None = None

    @classmethod
    def expected(cls, card: ModelCard, *, is_openai: bool) -> "ServerCapabilities":
        """Return what a model is likely to accept, before the first request."""
        return cls(
            max_tokens_name="max_completion_tokens" if is_openai else "max_tokens",
            has_temperature=not card.is_reasoning,
            has_stop=not (card.is_reasoning and is_openai),
            max_reply_tokens=card.max_reply_tokens,
        )

    def limit(self, request: Request) -> int:
        """Return the `max_tokens` to send for a request."""
        return min(request.max_tokens, self.max_reply_tokens or request.max_tokens)

    def body(self, model: str, request: Request, *, is_streamed: bool, has_schema: bool) -> Body:
        """Return the body of a request.

        Args:
            is_streamed: The caller wants the text as it arrives.
            has_schema: The window has room for the schema, too.
        """
        body: Body = {
            "model": model,
            "messages": self._messages(request.messages),
            self.max_tokens_name: self.limit(request),
        }
        if self.has_temperature:
            body["temperature"] = request.temperature
        if request.stop and self.has_stop:
            body["stop"] = list(request.stop)
        if request.wants_logprobs and self.has_logprobs:
            body["logprobs"] = True
        if request.schema is not None and has_schema and self.json_mode != "none":
            body["response_format"] = _response_format(self.json_mode, request.schema)
        if (is_streamed or self.must_stream) and self.has_streaming:
            body["stream"] = True
            if self.has_stream_usage:
                body["stream_options"] = {"include_usage": True}
        return body

    def adapt(self, body: Body, message: str, param: str | None) -> bool:
        """Learn from an error about `body`; return whether sending it again, rewritten, may help.

        Args:
            param: The parameter that the server named, where it did.
        """
        if self._learn_longest_reply(body, message):
            return True
        if _SYSTEM_ROLE.search(message) and _may_be_joined(body["messages"]):
            self.has_system_role = False
            return True
        if "stream" not in body and _MUST_STREAM.search(message):
            self.must_stream = True
            return True
        refused = _named(body, message, param)
        if refused is None or (refused in _COMMON_WORDS and not _REFUSES.search(message)):
            return False
        return self._drop(refused, body)

    def _learn_longest_reply(self, body: Body, message: str) -> bool:
        sent = body.get("max_tokens") or body["max_completion_tokens"]
        found = _LONGEST_REPLY.search(message) if _LIMIT_OF_REPLY.search(message) else None
        limit = read_number(found[found.lastindex or 0]) if found else 0
        limit -= bool(found) and "exclusive" in message
        if not 0 < limit < sent:
            return False
        self.max_reply_tokens = limit
        return True

    def _drop(self, refused: str, body: Body) -> bool:
        if refused in ("max_tokens", "max_completion_tokens"):
            other: Any = {"max_tokens", "max_completion_tokens"} - {refused}
            self.max_tokens_name = other.pop()
        elif refused == "response_format":
            was_schema = body["response_format"]["type"] == "json_schema"
            self.json_mode = "json_object" if was_schema and self.json_mode != "none" else "none"
        else:
            setattr(self, _SWITCHES[refused], False)
        return True

    def _messages(self, messages: Sequence[Message]) -> list[dict[str, str]]:
        if not self.has_system_role:
            messages = alternating(without_system(messages))
        return [{"role": each.role, "content": whole(each.text)} for each in messages]


_SWITCHES = {  # in the order in which a message that names several is understood
    "stream_options": "has_stream_usage",
    "stream": "has_streaming",
    "logprobs": "has_logprobs",
    "temperature": "has_temperature",
    "stop": "has_stop",
}
_COMMON_WORDS = ("stop", "stream", "max_tokens", "max_completion_tokens")
"""Errors may name these for other reasons than that they refuse them."""
_ALSO_CALLED = {
    "response_format": ("json_schema", "json_object", "guided", "grammar", "structured output"),
    "logprobs": ("top_logprobs", "log probabilities"),
    "stream": ("streaming",),
    "stop": ("stop sequence", "stop words"),
}


def without_system(messages: Sequence[Message]) -> list[Message]:
    """Return the messages with the system text moved to the beginning of the first user message."""
    system = "\n\n".join(message.text for message in messages if message.role == "system")
    rest = [message for message in messages if message.role != "system"]
    first = next((i for i, message in enumerate(rest) if message.role == "user"), None)
    if not system:
        return rest
    if first is None:
        return [Message("user", system), *rest]
    joined = Message("user", f"{system}\n\n{rest[first].text}")
    return [*rest[:first], joined, *rest[first + 1 :]]


def alternating(messages: Sequence[Message]) -> list[Message]:
    """Return the messages with those of one role in a row joined, as some templates demand."""
    joined: list[Message] = []
    for message in messages:
        if joined and joined[-1].role == message.role:
            joined.append(Message(message.role, f"{joined.pop().text}\n\n{message.text}"))
        else:
            joined.append(message)
    return joined


def _may_be_joined(sent: Sequence[dict[str, str]]) -> bool:
    """Say whether messages as they were sent have a system text, or two of one role in a row."""
    roles = [each["role"] for each in sent]
    return "system" in roles or any(role == later for role, later in pairwise(roles))


def whole(text: str) -> str:
    """Return a text that UTF-8 can encode: halves of surrogate pairs are replaced."""
    return text.encode("utf-8", "replace").decode() if not text.isascii() else text


def _response_format(mode: str, schema: dict[str, Any]) -> dict[str, Any]:
    if mode == "json_object":
        return {"type": "json_object"}
    return {"type": "json_schema", "json_schema": {"name": "reply", "schema": schema}}


def _named(body: Body, message: str, param: str | None) -> str | None:
    """Return the parameter of `body` that an error is about, or None."""
    names = ["response_format", "max_completion_tokens", "max_tokens", *_SWITCHES]
    told = (param or "").split(".")[0]
    if told in names and told in body:
        return told
    lowered = message.lower()
    for name in names:
        words = (name, *_ALSO_CALLED.get(name, ()))
        if name in body and any(re.search(rf"(?<!\w){re.escape(w)}(?!\w)", lowered) for w in words):
            return name
    return None
