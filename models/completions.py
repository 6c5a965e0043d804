"""A chat completion as servers send it, whole or streamed: read, checked, and gathered.

Servers that call themselves OpenAI-compatible leave out fields, fill them with null, or send a page
of HTML. What can be understood is accepted; anything else is a `BadBody`.
"""

import json
import math
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ValidationError

from lcagent.models.chat_model import OnText, TokenLogprob
from lcagent.models.finishes import BROKEN, Finish, read_finish, worse_finish
from lcagent.models.reasoning import ReplyText, align_logprobs

LONGEST_EVENT = 16_000_000
"""Bytes. No completion has a longer one: it would be an endless line."""

_DONE = b"[DONE]"


class BadBody(ValueError):
    """A body that is no completion; the message says what it is instead."""


class BrokenOff(ValueError):
    """A reply that its server gave up and says so; the message is its reason."""


class _Token(BaseModel):
    token: str
    logprob: float
    bytes: list[int] | None = None


class _Logprobs(BaseModel):
    content: list[_Token] | None = None


class _Text(BaseModel):
    content: str | list[dict[str, Any]] | None = None
    refusal: str | None = None
    reasoning: Any = None
    reasoning_content: Any = None
    tool_calls: Any = None
    function_call: Any = None


class _Choice(BaseModel):
    index: int = 0
    message: _Text | None = None
    delta: _Text | None = None
    text: str | None = None
    error: Any = None
    finish_reason: str | None = None
    native_finish_reason: str | None = None
    logprobs: _Logprobs | None = None


class _Details(BaseModel):
    reasoning_tokens: int | None = None


class _Usage(BaseModel):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    completion_tokens_details: _Details | None = None


class _Body(BaseModel):
    choices: list[_Choice] | None = None
    usage: _Usage | None = None


@dataclass(slots=True)
class ServerReply:
    """A reply, gathered from one body or from the events of a stream.

    Attributes:
        said: The text, or the refusal in its place.
        finish: None until the server says that the reply has ended.
        told: The word with which it said so.
        has_reasoning: The model wrote reasoning, in a field of its own or in the text.
        calls_tool: It asked for a tool, though none was offered.
        prompt_tokens, completion_tokens: None where the server does not report usage.
    """

    said: ReplyText = field(default_factory=ReplyText)
    finish: Finish | None = None
    told: str = ""
    has_reasoning: bool = False
    calls_tool: bool = False
    is_refusal: bool = False
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    reasoning_tokens: int = 0
    logprobs: list[TokenLogprob] = field(default_factory=list[TokenLogprob])

    @property
    def text(self) -> str:
        """The text so far, without reasoning."""
        return self.said.text

    def spelled(self) -> tuple[TokenLogprob, ...] | None:
        """Return the log-probabilities of the text, or None if they are not those of it."""
        return align_logprobs(self.logprobs, self.text, self.said.repetition)

    def take(self, body: bytes) -> bool:
        """Add a body, or one event of a stream; return whether it had a part of the reply.

        Raises:
            BadBody: It is neither.
            BrokenOff: The server gave the reply up.
        """
        read = _read(body)
        if read.usage is not None:
            self._take_usage(read.usage)
        chosen = [choice for choice in read.choices or () if choice.index == 0]
        for choice in chosen:
            self._take_choice(choice)
        return bool(chosen)

    def _take_choice(self, choice: _Choice) -> None:
        if choice.error:
            raise BrokenOff(_told(choice.error))
        message = choice.message or choice.delta or _Text()
        self.is_refusal = self.is_refusal or bool(message.refusal)
        self.calls_tool = self.calls_tool or bool(message.tool_calls or message.function_call)
        self.said.feed(message.refusal or whole_text(message.content) or whole_text(choice.text))
        self.has_reasoning = self.has_reasoning or bool(
            message.reasoning or message.reasoning_content
        )
        if choice.logprobs is not None:
            self.logprobs.extend(_logprob(each) for each in choice.logprobs.content or ())
        self._take_finish(worse_finish(choice.finish_reason, choice.native_finish_reason))

    def _take_finish(self, told: str | None) -> None:
        finish = read_finish(told)
        if finish is None:
            return
        if finish == BROKEN:
            raise BrokenOff(f"it ended with “{told}”")
        self.finish = "filtered" if self.is_refusal else finish
        self.told = str(told)

    def _take_usage(self, usage: _Usage) -> None:
        self.prompt_tokens = usage.prompt_tokens or None
        self.completion_tokens = usage.completion_tokens if self.prompt_tokens else None
        details = usage.completion_tokens_details
        self.reasoning_tokens = (details.reasoning_tokens if details else None) or 0


def read_whole(body: bytes, on_text: OnText | None = None) -> ServerReply:
    """Read a body that was not streamed.

    Raises:
        BadBody: It is no completion.
        BrokenOff: The server gave it up.
    """
    reply = ServerReply(ReplyText(on_text))
    if not reply.take(body):
        raise BadBody("a reply without choices")
    reply.finish = reply.finish or ("filtered" if reply.is_refusal else "stop")
    return _ended(reply)


async def read_stream(pieces: AsyncIterable[bytes], on_text: OnText | None = None) -> ServerReply:
    """Read a completion that is streamed, passing its text on as it arrives, until it loops.

    Raises:
        BadBody: It is no completion, or the stream breaks off.
        BrokenOff: The server gave it up.
    """
    reply, has_choices = ServerReply(ReplyText(on_text)), False
    async with aclosing(events(pieces)) as told:
        async for event in told:
            if event == _DONE:
                reply.finish = reply.finish or ("stop" if has_choices else None)
                break
            has_choices = reply.take(event) or has_choices
            if reply.said.ends_in_loop():  # closing the stream ends the work of the server
                reply.finish = "loop"
                break
    if reply.finish is None:
        raise BadBody("half a stream")
    return _ended(reply)


def _ended(reply: ServerReply) -> ServerReply:
    reply.said.end()
    if reply.finish == "length" and reply.said.ends_in_loop():
        reply.finish = "loop"
    reply.has_reasoning = reply.has_reasoning or reply.said.has_reasoning
    return reply


async def events(stream: AsyncIterable[bytes]) -> AsyncGenerator[bytes, None]:
    """Yield the data of each server-sent event, without comments and other fields.

    Lines end at a line feed only: JSON may hold other characters that Python counts as ends of
    lines.

    Raises:
        BadBody: An event is longer than `LONGEST_EVENT`.
    """
    pending: list[bytes] = []
    async for line in _lines(stream):
        if not line:
            if pending:
                yield b"\n".join(pending)
            pending = []
        elif line.startswith(b"data:"):
            pending.append(line[5:].removeprefix(b" "))
    if pending:
        yield b"\n".join(pending)


async def _lines(stream: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    rest = b""
    async for piece in stream:
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            yield line.removesuffix(b"\r")
        if len(rest) > LONGEST_EVENT:
            raise BadBody("a stream without an end of a line")
    if rest:
        yield rest.removesuffix(b"\r")


def whole_text(content: str | Sequence[dict[str, Any]] | None) -> str:
    """Return the text of a message, which some servers send in parts.

    Half of a surrogate pair, which JSON may hold and UTF-8 may not, is replaced.
    """
    if isinstance(content, str):
        text = content
    else:
        text = "".join(str(part.get("text", "")) for part in content or ())
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _read(body: bytes) -> _Body:
    try:
        told = json.loads(body)
    except ValueError as error:
        what = "a page of HTML" if body.lstrip()[:1] == b"<" else "something that is not JSON"
        raise BadBody(what if body.strip() else "an empty body") from error
    if isinstance(told, dict) and told.get("error"):
        raise BadBody(f"an error: {json.dumps(told['error'], ensure_ascii=False)}")
    try:
        return _Body.model_validate(told)
    except ValidationError as error:
        place = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise BadBody(f"JSON that is no completion (at {place or 'its beginning'})") from error


def _told(error: Any) -> str:
    message = error.get("message") if isinstance(error, dict) else error
    return str(message) if message else json.dumps(error, ensure_ascii=False)


def _logprob(token: _Token) -> TokenLogprob:
    try:
        spelled = bytes(token.bytes or ())
    except ValueError:
        spelled = b""
    logprob = token.logprob if math.isfinite(token.logprob) else -9999.0
    text = whole_text(token.token)
    return TokenLogprob(text, logprob, spelled or text.encode())
