"""What stands before every request: no web page comes in, and nobody holds the server up."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lcagent.engine.server import connections, middleware
from lcagent.engine.server.middleware import EndRequests, GuardRequests
from lcagent.engine.server.server_settings import ServerSettings

LOCAL = {"host": "127.0.0.1:8000"}


def _scope(headers: dict[str, str] | None = None) -> Scope:
    given = [(name.encode(), value.encode()) for name, value in (headers or LOCAL).items()]
    return {"type": "http", "path": "/v1/memories", "method": "GET", "headers": given}


class Sent(list[Message]):
    """What an application sends."""

    async def send(self, message: Message) -> None:
        self.append(message)

    @property
    def status(self) -> int:
        return int(self[0]["status"])

    @property
    def text(self) -> str:
        return b"".join(message.get("body", b"") for message in self).decode()


async def _answer(_: Scope, receive: Receive, send: Send) -> None:
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"fine"})


async def _whole() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


def _ask(
    headers: dict[str, str] | None = None,
    settings: ServerSettings | None = None,
    receive: Receive = _whole,
) -> Sent:
    sent = Sent()
    app = GuardRequests(_answer, settings or ServerSettings())
    asyncio.run(app(_scope(headers), receive, sent.send))
    return sent


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "127.0.0.1:8000", "localhost", "LocalHost:1", "[::1]", "[::1]:8000"),
        "127.8.8.8",
    ],
)
def test_a_program_on_this_machine_is_answered(host: str) -> None:
    assert _ask({"host": host}).status == 200
    assert _ask({"host": host, "sec-fetch-site": "none"}).status == 200


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "evil.example:8000", "localhost.evil.example", "127.0.0.1.evil.example"),
        *("", "[::1", "127.0.0.1:80@evil.example", "evil.example#localhost", "192.168.1.7"),
        *("localhost, evil.example", "[::ffff:8.8.8.8]:80", "xn--localhost-", "0.0.0.0:8000"),
    ],
)
def test_a_page_under_a_name_that_means_this_machine_is_refused(host: str) -> None:
    sent = _ask({"host": host})
    error = json.loads(sent.text)["error"]
    assert (sent.status, error["type"]) == (403, "invalid_request_error")
    assert "is not this machine" in error["message"]
    assert not any(b"access-control" in name for name, _ in sent[0]["headers"])


def test_a_request_without_a_host_is_refused() -> None:
    assert _ask({"accept": "*/*"}).status == 403


@pytest.mark.parametrize(
    "told",
    [
        *({"origin": "https://evil.example"}, {"origin": "null"}),
        *({"origin": "http://localhost:3000"}, {"origin": "http://127.0.0.1:8000"}),
        *({"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}),
    ],
)
def test_a_page_that_says_where_it_is_from_is_refused(told: dict[str, str]) -> None:
    sent = _ask({**LOCAL, **told})
    assert sent.status == 403
    assert "web pages may not ask" in sent.text


def test_where_there_is_a_key_it_decides() -> None:
    settings = ServerSettings(host="0.0.0.0", api_key="secret")  # noqa: S104
    page = {"host": "models.example", "origin": "https://app.example"}
    assert _ask(page, settings).status == 401
    assert _ask({**page, "authorization": "Bearer secret"}, settings).status == 200


@pytest.mark.parametrize("pieces", [[], [b"{"], [b"{", b"}", b" "]])
def test_a_body_that_does_not_end_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, pieces: list[bytes]
) -> None:
    monkeypatch.setattr(middleware, "BODY_WITHIN_S", 0.05)
    left = list(pieces)

    async def trickle() -> Message:
        if not left:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": left.pop(0), "more_body": True}

    sent = _ask(receive=trickle)
    assert sent.status == 408
    assert json.loads(sent.text)["error"]["message"] == "the body comes too slowly"
    assert (b"connection", b"close") in sent[0]["headers"]


def test_who_has_sent_all_may_wait_for_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(middleware, "BODY_WITHIN_S", 0.01)

    async def app(_: Scope, receive: Receive, send: Send) -> None:
        await receive()
        with pytest.raises(TimeoutError):  # as a streamed reply waits for its client to leave
            await asyncio.wait_for(receive(), 0.05)
        await _answer(_, _whole, send)

    first = iter([True])

    async def receive() -> Message:
        if not next(first, False):
            await asyncio.Event().wait()
        return await _whole()

    sent = Sent()
    asyncio.run(GuardRequests(app, ServerSettings())(_scope(), receive, sent.send))
    assert sent.text == "fine"


def _close_during(app: ASGIApp) -> Sent:
    """Return what is answered where the server closes while the application waits."""

    async def run() -> Sent:
        closing, sent = asyncio.Event(), Sent()
        answering = EndRequests(app, closing)(_scope(), _whole, sent.send)
        asyncio.get_running_loop().call_later(0.02, closing.set)
        await asyncio.wait_for(answering, 10)
        return sent

    return asyncio.run(run())


def test_a_request_that_waits_is_ended_with_503_when_the_server_closes() -> None:
    async def app(_scope: Scope, _receive: Receive, _send: Send) -> None:
        await asyncio.Event().wait()

    sent = _close_during(app)
    assert sent.status == 503
    assert json.loads(sent.text)["error"] == {
        "message": "the server is being ended",
        "type": "server_error",
        "param": None,
        "code": None,
    }


def test_a_stream_is_ended_with_an_event_when_the_server_closes() -> None:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"text/event-stream; charset=utf-8")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})
        try:
            await asyncio.Event().wait()
        finally:
            await send({"type": "http.response.body", "body": b"too late", "more_body": True})

    sent = _close_during(app)
    first, error, done = sent.text.strip().split("\n\n")
    assert (first, done) == ("data: 1", "data: [DONE]")
    assert json.loads(error.removeprefix("data: "))["error"]["type"] == "server_error"
    assert not sent[-1].get("more_body")


def test_an_answer_on_its_way_is_finished_when_the_server_closes() -> None:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await asyncio.sleep(0.05)
        await send({"type": "http.response.body", "body": b"fine"})

    assert _close_during(app).text == "fine"


def test_a_fault_of_the_application_is_not_hidden() -> None:
    async def app(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise ValueError("ours")

    with pytest.raises(ValueError, match="ours"):
        _close_during(app)


@asynccontextmanager
async def _listening(app: Callable[..., Any]) -> AsyncIterator[int]:
    config = uvicorn.Config(
        app, http=connections.TimedConnection, port=0, log_level="error", lifespan="off"
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server._serve())
    while not server.started:  # noqa: ASYNC110 -- uvicorn has no event for it
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await serving


@pytest.mark.parametrize(
    "begun", ["", "GET / HT", "GET / HTTP/1.1\r\nHost: a\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\r\nG"]
)
def test_a_connection_whose_request_does_not_come_is_ended(
    monkeypatch: pytest.MonkeyPatch, begun: str
) -> None:
    monkeypatch.setattr(connections, "HEAD_WITHIN_S", 0.1)

    async def run() -> None:
        async with _listening(_answer) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(begun.encode())
            with suppress(ConnectionResetError):
                await asyncio.wait_for(reader.read(), 10)  # to the end of the connection
            writer.close()

    asyncio.run(run())


def test_a_client_that_takes_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "TAKEN_WITHIN_S", 0.1)
    left = asyncio.Event()

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while (await asyncio.wait_for(_next(receive), 5))["type"] != "http.disconnect":
            body = b"x" * 1_000_000
            await send({"type": "http.response.body", "body": body, "more_body": True})
        left.set()

    async def _next(receive: Receive) -> Message:
        try:
            return await asyncio.wait_for(receive(), 0.01)
        except TimeoutError:
            return {"type": "http.request"}

    async def run() -> None:
        async with _listening(app) as port:
            _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1000)
            writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            await asyncio.wait_for(left.wait(), 20)
            writer.close()

    asyncio.run(run())
