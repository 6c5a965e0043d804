"""What every request passes: who may ask, how much, how slowly, until when; and the metrics."""

import asyncio
import hmac
import ipaddress
import json
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lcagent.engine.generation.params import StreamChunk
from lcagent.engine.generation.sequences import Sequence
from lcagent.engine.server.error_responses import error_content
from lcagent.engine.server.server_settings import ServerSettings

OPEN_PATHS = frozenset({"/health"})
BODY_WITHIN_S, LEAST_BODY_RATE = 30.0, 10_000
"""A body has so many seconds, and one more for each so many bytes that have come."""

_ENDING = frozenset({408, 413, 503})
_HOST = re.compile(r"(\[[^\[\]]+\]|[^\[\]:]+)(?::\d*)?")
FIRST_TOKEN_S = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


@dataclass(slots=True)
class Metrics:
    """Counters of one server; `registry` is its own, so that two servers do not mix."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    _started: dict[int, float] = field(default_factory=dict[int, float])
    requests: Counter = field(init=False)
    prompt_tokens: Counter = field(init=False)
    reused_tokens: Counter = field(init=False)
    completion_tokens: Counter = field(init=False)
    first_token: Histogram = field(init=False)
    running: Gauge = field(init=False)
    waiting: Gauge = field(init=False)

    def __post_init__(self) -> None:
        """Make the counters."""
        own = self.registry
        self.requests = Counter("lcagent_requests", "Answers", ["path", "status"], registry=own)
        self.prompt_tokens = Counter("lcagent_prompt_tokens", "Tokens of prompts", registry=own)
        self.reused_tokens = Counter(
            "lcagent_reused_tokens", "Of these, tokens that a memory had read", registry=own
        )
        self.completion_tokens = Counter(
            "lcagent_completion_tokens", "Tokens of replies", registry=own
        )
        self.first_token = Histogram(
            "lcagent_first_token_seconds",
            "From the request to the first token",
            buckets=FIRST_TOKEN_S,
            registry=own,
        )
        self.running = Gauge("lcagent_running", "Replies that are being made", registry=own)
        self.waiting = Gauge("lcagent_waiting", "Replies that wait for a turn", registry=own)

    def begin(self, sequences: tuple[Sequence, ...]) -> None:
        """Count prompts, and start the clock of their first tokens."""
        first = sequences[0]
        self._started[id(first)] = time.monotonic()
        self.prompt_tokens.inc(first.prompt_tokens)
        self.reused_tokens.inc(first.cached_tokens)

    def count_chunk(self, sequence: Sequence, chunk: StreamChunk) -> None:
        """Count tokens of a reply."""
        self.completion_tokens.inc(len(chunk.tokens))
        started = self._started.pop(id(sequence), None)
        if started is not None and chunk.tokens:
            self.first_token.observe(time.monotonic() - started)

    def end(self, sequences: tuple[Sequence, ...]) -> None:
        """Forget replies."""
        self._started.pop(id(sequences[0]), None)

    def text(self, running: int, waiting: int) -> bytes:
        """Return all figures."""
        self.running.set(running)
        self.waiting.set(waiting)
        return generate_latest(self.registry)


class GuardRequests:
    """Turns away web pages, requests without the key, and bodies that are too large or too slow.

    A page in a browser can reach a server on its machine: by its address, and under a name of its
    own that is made to mean that address (DNS rebinding), where the answers can be read, too. The
    first kind of request names the page's origin, the second its host. A page does not know the
    key, so where there is one, it alone decides.
    """

    def __init__(self, app: ASGIApp, settings: ServerSettings) -> None:
        self._app, self._settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on or answer it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        if self._settings.api_key is None and (reason := _web_page_reason(scope["headers"])):
            await answer_error(send, 403, reason)
            return
        if not self._is_allowed(scope["path"], headers.get(b"authorization", b"")):
            await answer_error(send, 401, "the API key is missing or wrong")
            return
        most = self._settings.max_body_bytes
        announced = headers.get(b"content-length", b"0")
        if announced.isdigit() and int(announced) > most:
            await answer_error(send, 413, f"the body is larger than {most} bytes")
            return
        counted = _MeasuredBody(receive, most)
        await self._app(scope, counted, _CorrectedResponse(send, counted))

    def _is_allowed(self, path: str, given: bytes) -> bool:
        key = self._settings.api_key
        if key is None or path in OPEN_PATHS:
            return True
        return hmac.compare_digest(given, b"Bearer " + key.encode())


class EndRequests:
    """Ends requests that are still running when the server closes: 503, or an event of a stream."""

    def __init__(self, app: ASGIApp, closing: asyncio.Event) -> None:
        self._app, self._closing = app, closing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and answer it if the server closes first."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        response = _EndableResponse(send)
        work = asyncio.ensure_future(self._app(scope, receive, response))
        closing = asyncio.ensure_future(self._closing.wait())
        try:
            await asyncio.wait({work, closing}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                await response.end()
            if not response.is_ended:
                await work
        finally:
            closing.cancel()
            work.cancel()  # it may wait for a step of the model; nobody waits for it
            work.add_done_callback(_forget)


class CountRequests:
    """Counts answers by route and status."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and see what becomes of it."""

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                path = getattr(scope.get("route"), "path", "other")
                self._metrics.requests.labels(path, message["status"]).inc()
            await send(message)

        await self._app(scope, receive, counted if scope["type"] == "http" else send)


class _MeasuredBody:
    """Receives at most so many bytes, and not for ever; else it breaks off, as no JSON."""

    def __init__(self, receive: Receive, most: int) -> None:
        self._receive, self._most, self._received = receive, most, 0
        self._is_whole, self._until = False, 0.0
        self.fault: tuple[int, str] | None = None

    async def __call__(self) -> Message:
        if self._is_whole:  # what comes is that the client has left, which it may never do
            return await self._receive()
        self._until = self._until or asyncio.get_running_loop().time() + BODY_WITHIN_S
        try:
            async with asyncio.timeout_at(self._until + self._received / LEAST_BODY_RATE):
                message = await self._receive()
        except TimeoutError:
            return self._break_off(408, "the body comes too slowly")
        self._received += len(message.get("body", b""))
        if self._received > self._most:
            return self._break_off(413, f"the body is larger than {self._most} bytes")
        self._is_whole = not message.get("more_body", False)
        return message

    def _break_off(self, status: int, reason: str) -> Message:
        self._is_whole, self.fault = True, (status, reason)
        return {"type": "http.request", "body": b"\0", "more_body": False}


class _CorrectedResponse:
    """Says what was wrong with a body, whatever the application makes of its beginning."""

    def __init__(self, send: Send, body: _MeasuredBody) -> None:
        self._send, self._body, self._is_answered = send, body, False

    async def __call__(self, message: Message) -> None:
        if self._body.fault is None:
            await self._send(message)
        elif not self._is_answered:
            self._is_answered = True
            await answer_error(self._send, *self._body.fault)


class _EndableResponse:
    """Passes a response on until it is ended for it."""

    def __init__(self, send: Send) -> None:
        self._send, self._is_begun, self._is_stream = send, False, False
        self.is_ended = False

    async def __call__(self, message: Message) -> None:
        if self.is_ended:
            return
        if message["type"] == "http.response.start":
            self._is_begun = True
            self._is_stream = b"text/event-stream" in dict(message.get("headers", ())).get(
                b"content-type", b""
            )
        await self._send(message)

    async def end(self) -> None:
        """Say that the server closes, unless a response that is no stream is on its way."""
        text = "the server is being ended"
        if not self._is_begun:
            self.is_ended = True
            await answer_error(self._send, 503, text)
        elif self._is_stream:
            self.is_ended = True
            event = f"data: {json.dumps(error_content(text, 503))}\n\ndata: [DONE]\n\n"
            await self._send({"type": "http.response.body", "body": event.encode()})


async def answer_error(send: Send, status: int, text: str) -> None:
    """Answer a request with an error; the connection ends where a body may still be coming."""
    body = json.dumps(error_content(text, status)).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    headers += [(b"connection", b"close")] if status in _ENDING else []
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _web_page_reason(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """Return why a request may be a web page's, or nothing."""
    of = [(name, value.decode("latin-1").strip()) for name, value in headers]
    hosts = [value for name, value in of if name == b"host"]
    if not hosts or not all(map(_names_this_machine, hosts)):
        named = ", ".join(hosts)[:100] or "none"
        return f"the host {named!r} is not this machine; ask localhost, or start with a key"
    if any(name == b"origin" for name, _ in of) or any(
        name == b"sec-fetch-site" and value not in {"none", "same-origin"} for name, value in of
    ):
        return "web pages may not ask this server; a program may, and a server with a key is open"
    return ""


def _names_this_machine(host: str) -> bool:
    found = _HOST.fullmatch(host.lower())
    if found is None:
        return False
    name = found[1].strip("[]")
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def _forget(work: "asyncio.Future[None]") -> None:
    if not work.cancelled():
        work.exception()  # whoever asked was answered
