"""What goes over the wire: HTTP/1.1 requests in; OpenAI's chat completions out, whole or broken.

It is the little of HTTP that a scripted server needs, and a library would not send what a test
needs most: half a body, a stream without its end, no JSON at all.
"""

import asyncio
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from lcagent.models.chat_model import TokenLogprob
from lcagent.testing.scripts import (
    ScriptedCall,
    ScriptedReply,
    count_tokens,
    first_tokens,
    split_pieces,
)

_PAGE = b"<!doctype html><html><head><title>Sign in</title></head><body>Hello</body></html>"


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request; names of headers are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


async def read_request(reader: asyncio.StreamReader) -> HttpRequest | None:
    """Return the next request of a connection, or None where it ended."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    method, path, _ = first.split(" ", 2)
    pairs = (line.partition(":") for line in lines if ":" in line)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    try:
        body = await reader.readexactly(int(headers.get("content-length", "0")))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    return HttpRequest(method, path, headers, body)


def response(
    status: int, body: bytes, headers: Mapping[str, str], content_type: str = "application/json"
) -> bytes:
    """Return a complete response, with its length."""
    fields = {"content-type": content_type, "content-length": str(len(body)), **headers}
    return _head(status, fields) + body


def json_response(status: int, value: Any, headers: Mapping[str, str]) -> bytes:
    """Return a response whose body is JSON."""
    return response(status, json.dumps(value, ensure_ascii=False).encode(), headers)


def stream_head(headers: Mapping[str, str]) -> bytes:
    """Return the head of a chunked response."""
    fields = {"content-type": "text/event-stream", "transfer-encoding": "chunked", **headers}
    return _head(200, fields)


def chunk(content: bytes) -> bytes:
    """Return one chunk; an empty one ends the response."""
    return f"{len(content):x}\r\n".encode() + content + b"\r\n"


def event(value: Any) -> bytes:
    """Return a chunk that holds one event of a stream."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return chunk(f"data: {text}\n\n".encode())


def _head(status: int, fields: Mapping[str, str]) -> bytes:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Unknown"
    lines = [f"HTTP/1.1 {status} {phrase}", *(f"{name}: {value}" for name, value in fields.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


@dataclass(frozen=True, slots=True)
class OutgoingReply:
    """What the server replies to one call."""

    call: ScriptedCall
    scripted: ScriptedReply
    text: str
    finish: str
    prompt_tokens: int

    def body(self) -> dict[str, Any]:
        """Return the body of a completion that is not streamed."""
        message = {"role": "assistant", "content": self.text or None}
        if self.scripted.refusal is not None:
            message["refusal"] = self.scripted.refusal
        choice = {"index": 0, "message": message, "finish_reason": self.finish}
        if self._wants_logprobs:
            choice["logprobs"] = {"content": [_logprob(each) for each in self._logprobs()]}
        body = self._head("chat.completion") | {"choices": [choice]}
        return body | ({"usage": self._usage()} if self.scripted.usage != "none" else {})

    def events(self) -> Iterator[dict[str, Any]]:
        """Return the reply as the events of a stream."""
        yield self._event({"role": "assistant", "content": ""}, None)
        if self.scripted.refusal is not None:
            yield self._event({"refusal": self.scripted.refusal}, None)
        if self._wants_logprobs:
            for each in self._logprobs():
                yield self._event({"content": each.text}, None, [_logprob(each)])
        else:
            for piece in split_pieces(self.text):
                yield self._event({"content": piece}, None)
        yield self._event({}, self.finish)
        options = self.call.body.get("stream_options") or {}
        if options.get("include_usage") and self.scripted.usage != "none":
            yield self._head("chat.completion.chunk") | {"choices": [], "usage": self._usage()}

    @property
    def _wants_logprobs(self) -> bool:
        return bool(self.call.body.get("logprobs")) and self.scripted.has_logprobs

    def _head(self, kind: str) -> dict[str, Any]:
        model = self.call.body.get("model", "")
        return {"id": f"scripted-{self.call.number}", "object": kind, "created": 0, "model": model}

    def _event(
        self, delta: dict[str, Any], finish: str | None, logprobs: list[Any] | None = None
    ) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        if logprobs:
            choice["logprobs"] = {"content": logprobs}
        return self._head("chat.completion.chunk") | {"choices": [choice]}

    def _usage(self) -> dict[str, int]:
        if self.scripted.usage == "zero":
            return {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
        completion = count_tokens(self.text)
        prompt = self.scripted.prompt_tokens or self.prompt_tokens
        total = prompt + completion
        return {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": total,
        }

    def _logprobs(self) -> Sequence[TokenLogprob]:
        if self.scripted.logprobs is not None:
            return self.scripted.logprobs
        return [_made_up(piece) for piece in split_pieces(self.text)]


def reply_to(
    call: ScriptedCall, scripted: ScriptedReply, prompt_tokens: int, nonce: str
) -> OutgoingReply:
    """Cut a scripted text as `max_tokens` says, and mark it with a nonce."""
    limit = reply_limit(call)
    text = scripted.text if scripted.refusal is None else ""
    room = max(0, limit - 1) if nonce and text else limit
    is_cut = not scripted.ignores_max_tokens and count_tokens(text) > room
    text = first_tokens(text, room) if is_cut else text
    marked = f"{text} {nonce}" if nonce and text else text
    finish = scripted.finish or ("length" if is_cut else "stop")
    return OutgoingReply(call, scripted, marked, finish, prompt_tokens)


def reply_limit(call: ScriptedCall) -> int:
    """Return the `max_tokens` of a call, or a number that no reply reaches."""
    given = call.body.get("max_completion_tokens") or call.body.get("max_tokens")
    return given if isinstance(given, int) else 1_000_000


def error_body(message: str, code: str | None, param: str | None) -> dict[str, Any]:
    """Return an error as OpenAI words it."""
    kind = "invalid_request_error"
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def _made_up(text: str) -> TokenLogprob:
    return TokenLogprob(text, -math.log1p(len(text) % 5), text.encode())


def _logprob(each: TokenLogprob) -> dict[str, Any]:
    return {"token": each.text, "logprob": each.logprob, "bytes": list(each.data) or None}


def encode_reply(completion: OutgoingReply) -> Iterator[bytes]:
    """Yield the bytes to send, in the pieces in which they are sent."""
    scripted = completion.scripted
    if scripted.sent is not None:
        yield response(scripted.status, scripted.sent, scripted.headers, scripted.content_type)
    elif scripted.status != 200:
        body = scripted.error or error_body(scripted.text, scripted.code, scripted.param)
        yield json_response(scripted.status, body, scripted.headers)
    elif scripted.fault == "html":
        yield response(200, _PAGE, scripted.headers, "text/html; charset=utf-8")
    elif scripted.fault == "garbage":
        yield response(200, b"\xff\x00 no JSON", scripted.headers)
    elif completion.call.body.get("stream"):
        yield from _streamed(completion)
    else:
        yield from _whole(completion)


def _whole(completion: OutgoingReply) -> Iterator[bytes]:
    body = completion.body()
    if completion.scripted.fault in ("no_choices", "null_choices"):
        body["choices"] = [] if completion.scripted.fault == "no_choices" else None
    content = json.dumps(body, ensure_ascii=False).encode()
    if completion.scripted.fault == "half_body":
        content = content[: len(content) // 2]
    whole = response(200, content, completion.scripted.headers)
    yield _kept(whole, completion.scripted.fault, whole.index(b"\r\n\r\n") + 4)


def _streamed(completion: OutgoingReply) -> Iterator[bytes]:
    fault = completion.scripted.fault
    events = list(completion.events())
    if fault == "cut_before":
        return
    yield stream_head(completion.scripted.headers)
    if fault in ("no_choices", "null_choices"):
        events = [each | {"choices": [] if fault == "no_choices" else None} for each in events]
    if fault in ("cut_within", "half_body"):
        events = events[: len(events) // 2]
    for each in events:
        yield event(each)
    if fault not in ("cut_within", "half_body"):
        yield event("[DONE]")
    if fault != "cut_within":
        yield chunk(b"")


def _kept(whole: bytes, fault: str | None, body_start: int) -> bytes:
    if fault == "cut_before":
        return b""
    return whole[: (body_start + len(whole)) // 2] if fault == "cut_within" else whole
