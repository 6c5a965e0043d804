"""A chat completion as servers send it, whole or streamed: read, checked, and gathered.

What came decides how it is read, not what was asked for or the type in the header: one body of
JSON, server-sent events, or JSON line by line. `completion_bodies.py` reads each of them. What can
be understood is accepted; anything else is a `BadBody`.
"""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field

from lcagent.errors import ModelUnavailable
from lcagent.models.chat_model import OnText, TokenLogprob
from lcagent.models.completion_bodies import (
    BadBody,
    BrokenOff,
    NoApi,
    SentBody,
    SentChoice,
    SentError,
    SentMessage,
    SentUsage,
    plain_text,
    read_bodies,
    says_error,
)
from lcagent.models.finishes import BROKEN, Finish, read_finish, worse_finish
from lcagent.models.growing_streams import StreamedText
from lcagent.models.reasoning import ReplyText, align_logprobs

__all__ = [
    "BadBody",
    "BrokenOff",
    "NoApi",
    "SentError",
    "ServerReply",
    "events",
    "read_stream",
    "read_whole",
]

LONGEST_EVENT = 16_000_000
"""Bytes. No completion has a longer one: it would be an endless line."""

LAST_WORDS_S = 10.0
"""How long a stream may stay open after it said that the reply has ended; usage comes then."""

_DONE = (b"[DONE]", b"DONE")


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
    _streamed: StreamedText = field(default_factory=StreamedText)
    _index: int | None = None
    _is_whole: bool = False
    _has_odd_logprobs: bool = False

    @property
    def text(self) -> str:
        """The text so far, without reasoning."""
        return self.said.text

    def spelled(self) -> tuple[TokenLogprob, ...] | None:
        """Return the log-probabilities of the text, or None if they are not those of it."""
        if self._has_odd_logprobs:
            return None
        return align_logprobs(self.logprobs, self.text, self.said.repetition)

    def take(self, event: bytes, charset: str = "") -> bool:
        """Add a body, or one event of a stream; return whether it had a part of the reply.

        Raises:
            BadBody: It is neither.
            SentError: It is an error.
            BrokenOff: The server gave the reply up.
        """
        has_part = False
        for body in read_bodies(event, charset):
            has_part = self._take_body(body) or has_part
        return has_part

    def end(self) -> None:
        """Add what was held back, as no more will come.

        Raises:
            BadBody: The server did not say that the reply has ended.
        """
        if self.finish is None and self._is_whole:
            self.finish = "filtered" if self.is_refusal else "stop"
        if self.finish is None:
            raise BadBody("half a stream" if self._index is not None else "a reply without choices")
        if self.finish != "loop":
            self._say(self._streamed.end())
        self.said.end()
        if self.finish == "length" and self.said.ends_in_loop():
            self.finish = "loop"
        self.has_reasoning = self.has_reasoning or self.said.has_reasoning

    def _take_body(self, body: SentBody) -> bool:
        if body.usage is not None:
            self._take_usage(body.usage)
        choices = body.choices or []
        if self._index is None and choices:
            indexes = [choice.index or 0 for choice in choices]
            self._index = 0 if 0 in indexes else indexes[0]
        chosen = [each for each in choices if each.index is None or each.index == self._index]
        for choice in chosen:
            is_chunk = choice.delta is not None or body.object == "chat.completion.chunk"
            self._is_whole = self._is_whole or not is_chunk
            self._take_choice(choice)
        return bool(chosen)

    def _take_choice(self, choice: SentChoice) -> None:
        if says_error(choice.error):
            raise BrokenOff(_reason(choice.error), choice.error)
        if choice.usage is not None:
            self._take_usage(choice.usage)
        for message in (choice.delta, choice.message):
            self._take_beside(message or SentMessage())
        told = worse_finish(choice.finish_reason, choice.native_finish_reason)
        is_last = read_finish(told) is not None
        beside = choice.message if choice.delta is not None else None
        message = choice.delta or choice.message or SentMessage()
        self._say(self._streamed.piece(message.text or choice.text, is_last=is_last))
        if beside is not None:
            self._say(self._streamed.whole(beside.text))
        if choice.logprobs is not None:
            read = choice.read_logprobs()
            self._has_odd_logprobs = self._has_odd_logprobs or read is None
            self.logprobs.extend(read or ())
        self._take_finish(told)

    def _say(self, pieces: Iterable[str]) -> None:
        for piece in pieces:
            self.said.feed(piece)

    def _take_beside(self, message: SentMessage) -> None:
        self.is_refusal = self.is_refusal or bool(message.refusal)
        self.calls_tool = self.calls_tool or bool(message.tool_calls or message.function_call)
        self.has_reasoning = self.has_reasoning or message.has_reasoning

    def _take_finish(self, told: str | None) -> None:
        finish = read_finish(told)
        if finish is None:
            return
        if finish == BROKEN:
            raise BrokenOff(f"it ended with “{told}”")
        self.finish = "filtered" if self.is_refusal else finish
        self.told = str(told)

    def _take_usage(self, usage: SentUsage) -> None:
        if usage.prompt is not None:
            self.prompt_tokens, self.completion_tokens = usage.prompt, usage.completion
            self.reasoning_tokens = usage.reasoning


def _reason(error: object) -> str:
    message = error.get("message") if isinstance(error, dict) else error
    return plain_text(message) or plain_text(error)


def read_whole(body: bytes, on_text: OnText | None = None) -> ServerReply:
    """Read a body that has come as a whole.

    Raises:
        BadBody: It is no completion, or half of one.
        BrokenOff: The server gave it up.
    """
    reading, splitter = _Reading(ServerReply(ReplyText(on_text))), _Splitter()
    for event in (*splitter.feed(body), *splitter.end()):
        if not reading.goes_on_after(event):
            break
    return reading.end()


async def read_stream(
    pieces: AsyncIterable[bytes], on_text: OnText | None = None, *, charset: str = ""
) -> ServerReply:
    """Read a completion, passing its text on as it arrives, until it loops.

    Args:
        charset: That of the response, for what is not UTF-8.

    Raises:
        BadBody: It is no completion, or the stream breaks off.
        BrokenOff: The server gave it up.
        ModelUnavailable: As `pieces` raises it.
    """
    reading = _Reading(ServerReply(ReplyText(on_text)), charset)
    async with aclosing(events(pieces)) as told:
        while True:
            try:
                async with asyncio.timeout(reading.patience_s):
                    event = await anext(told, None)
            except (TimeoutError, ModelUnavailable):
                if not reading.has_finished:
                    raise
                break
            if event is None or not reading.goes_on_after(event):
                break  # closing the stream ends the work of the server
    return reading.end()


@dataclass(slots=True)
class _Reading:
    """A reply that is being read, event by event."""

    reply: ServerReply
    charset: str = ""
    odd: BadBody | None = None
    has_events: bool = False
    has_choices: bool = False

    @property
    def has_finished(self) -> bool:
        return self.reply.finish is not None

    @property
    def patience_s(self) -> float | None:
        return LAST_WORDS_S if self.has_finished else None

    def goes_on_after(self, event: bytes) -> bool:
        if event.strip().strip(b'"').upper() in _DONE:
            self.reply.finish = self.reply.finish or ("stop" if self.has_choices else None)
            self.has_events = True
            return False
        if event.strip():
            self.has_events = True
            self._take(event)
        if self.reply.said.ends_in_loop():
            self.reply.finish = "loop"
        return self.reply.finish != "loop"

    def end(self) -> ServerReply:
        if not self.has_choices and self.odd is not None:
            raise self.odd
        if not self.has_events:
            raise BadBody("an empty body")
        self.reply.end()
        return self.reply

    def _take(self, event: bytes) -> None:
        try:
            self.has_choices = self.reply.take(event, self.charset) or self.has_choices
        except (SentError, BrokenOff) as error:
            if self.has_finished:
                return
            if isinstance(error, SentError):
                error.comes_late = bool(self.reply.text)
            raise
        except BadBody as error:
            # A word between the events is passed over; half an event is half a reply.
            if not self.has_finished and event.lstrip()[:1] == b"{":
                raise
            self.odd = self.odd or error


async def events(stream: AsyncIterable[bytes]) -> AsyncGenerator[bytes, None]:
    """Yield the data of each server-sent event, or each body of JSON where there are no events.

    Raises:
        BadBody: An event is longer than `LONGEST_EVENT`.
        ModelUnavailable: The stream raises it; what had come before is yielded first.
    """
    splitter, broken = _Splitter(), None
    try:
        async for piece in stream:
            for event in splitter.feed(piece):
                yield event
    except ModelUnavailable as error:
        broken = error
    for event in splitter.end():
        if broken is None or _is_json(event):
            yield event
    if broken is not None:
        raise broken


@dataclass(slots=True)
class _Splitter:
    """Cuts a stream into events.

    Lines end as those of server-sent events do, and at no other character that Python counts as
    an end: JSON may hold those.
    """

    _rest: bytes = b""
    _data: list[bytes] = field(default_factory=list[bytes])
    _json: list[bytes] = field(default_factory=list[bytes])
    _size: int = 0
    _is_error: bool = False
    _is_first: bool = True

    def feed(self, piece: bytes) -> Iterator[bytes]:
        # A carriage return at the end may be half of an end of a line.
        held = self._rest + piece
        size = len(held) - held.endswith(b"\r")
        *lines, rest = _END_OF_LINE.split(held[:size])
        self._rest = rest + held[size:]
        for line in lines:
            yield from self._line(line)
            self._size = self._size + len(line) if self._data or self._json else 0
        if self._size + len(self._rest) > LONGEST_EVENT:
            raise BadBody("a stream without an end of an event")

    def end(self) -> Iterator[bytes]:
        yield from self._line(self._rest.removesuffix(b"\r"))
        yield from self._line(b"")
        if self._json:
            yield b"\n".join(self._json)

    def _line(self, line: bytes) -> Iterator[bytes]:
        if self._is_first:
            line, self._is_first = line.removeprefix(b"\xef\xbb\xbf"), False
        found = _FIELD.match(line)
        if found and (not self._json or found[1] == b"data"):
            yield from self._field(found[1], line[found.end() :])
        elif line.strip():
            yield from self._part_of_json(line)
        elif self._data:
            event, self._data = b"\n".join(self._data), []
            yield _as_error(event) if self._is_error else event
            self._is_error = False

    def _field(self, name: bytes, value: bytes) -> Iterator[bytes]:
        if name == b"data":
            if self._json:
                yield b"\n".join(self._json)
                self._json = []
            if self._data and _is_json(b"\n".join(self._data)):  # nothing stands between them
                yield from self._line(b"")
            self._data.append(value)
        elif name == b"error":  # llama.cpp's, in place of an event
            yield _as_error(value)
        elif name == b"event":
            self._is_error = value.strip() == b"error"

    def _part_of_json(self, line: bytes) -> Iterator[bytes]:
        self._json.append(line)
        is_end = line.rstrip().endswith((b"}", b"]")) and not line[:1].isspace()
        if is_end and (line.strip() in _DONE or _is_json(b"\n".join(self._json))):
            yield b"\n".join(self._json)
            self._json = []


def _as_error(told: bytes) -> bytes:
    words = told if _is_json(told) else json.dumps(told.decode("utf-8", "replace")).encode()
    return b'{"error": %s}' % words


def _is_json(text: bytes) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


_END_OF_LINE = re.compile(rb"\r\n|\n|\r")
_FIELD = re.compile(rb"[ \t]*(?:data: *(?=data:))*(data|event|id|retry|error|):[ ]?")
