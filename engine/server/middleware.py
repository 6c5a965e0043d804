"""What every request passes: a check of its key, a limit of its size, and the metrics."""

import hmac
import json
import time
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lcagent.engine.generation.params import StreamChunk
from lcagent.engine.generation.sequences import Sequence
from lcagent.engine.server.error_responses import error_content
from lcagent.engine.server.server_settings import ServerSettings

OPEN_PATHS = frozenset({"/health"})
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
    """Turns away requests without the key, and bodies that are too large, however they are sent."""

    def __init__(self, app: ASGIApp, settings: ServerSettings) -> None:
        self._app, self._settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on or answer it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        if not self._is_allowed(scope["path"], headers.get(b"authorization", b"")):
            await _answer(send, 401, "the API key is missing or wrong")
            return
        most = self._settings.max_body_bytes
        announced = headers.get(b"content-length", b"0")
        if announced.isdigit() and int(announced) > most:
            await _answer(send, 413, f"the body is larger than {most} bytes")
            return
        counted = _MeasuredBody(receive, most)
        await self._app(scope, counted, _CorrectedResponse(send, counted))

    def _is_allowed(self, path: str, given: bytes) -> bool:
        key = self._settings.api_key
        if key is None or path in OPEN_PATHS:
            return True
        return hmac.compare_digest(given, b"Bearer " + key.encode())


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
    """Receives at most so many bytes; what is longer breaks off, as no JSON."""

    def __init__(self, receive: Receive, most: int) -> None:
        self._receive, self.most, self._left = receive, most, most

    @property
    def is_too_long(self) -> bool:
        """More came than is allowed."""
        return self._left < 0

    async def __call__(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self.is_too_long:
            return {"type": "http.request", "body": b"\0", "more_body": False}
        return message


class _CorrectedResponse:
    """Says that a body was too long, whatever the application makes of its beginning."""

    def __init__(self, send: Send, counted: _MeasuredBody) -> None:
        self._send, self._counted, self._is_answered = send, counted, False

    async def __call__(self, message: Message) -> None:
        if not self._counted.is_too_long:
            await self._send(message)
        elif not self._is_answered:
            self._is_answered = True
            await _answer(self._send, 413, f"the body is larger than {self._counted.most} bytes")


async def _answer(send: Send, status: int, text: str) -> None:
    body = json.dumps(error_content(text, status)).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    headers += [(b"connection", b"close")] if status == 413 else []
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
