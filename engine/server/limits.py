"""What every request passes: a count, a check of its key, and a limit of its size."""

import hmac
import json

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lcagent.engine.server.errors import error_body
from lcagent.engine.server.metrics import Metrics
from lcagent.engine.server.settings import ServerSettings

OPEN_PATHS = frozenset({"/health"})


class Gate:
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
        most = self._settings.most_body_bytes
        announced = headers.get(b"content-length", b"0")
        if announced.isdigit() and int(announced) > most:
            await _answer(send, 413, f"the body is larger than {most} bytes")
            return
        counted = _Measured(receive, most)
        await self._app(scope, counted, _Corrected(send, counted))

    def _is_allowed(self, path: str, given: bytes) -> bool:
        key = self._settings.api_key
        if key is None or path in OPEN_PATHS:
            return True
        return hmac.compare_digest(given, b"Bearer " + key.encode())


class Counted:
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


class _Measured:
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


class _Corrected:
    """Says that a body was too long, whatever the application makes of its beginning."""

    def __init__(self, send: Send, counted: _Measured) -> None:
        self._send, self._counted, self._is_answered = send, counted, False

    async def __call__(self, message: Message) -> None:
        if not self._counted.is_too_long:
            await self._send(message)
        elif not self._is_answered:
            self._is_answered = True
            await _answer(self._send, 413, f"the body is larger than {self._counted.most} bytes")


async def _answer(send: Send, status: int, text: str) -> None:
    body = json.dumps(error_body(text, status)).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    headers += [(b"connection", b"close")] if status == 413 else []
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
