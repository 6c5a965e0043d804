"""A server that replies from a script, as OpenAI's chat completions do.

    async with ScriptedServer(lambda call: "Yes.") as server:
        model = choose_model("openai:any", base_url=server.base_url)

It binds to 127.0.0.1 only. `python -m lcagent.testing` is one in a process of its own.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from lcagent.models.chat_model import Message
from lcagent.testing.openai_wire import (
    HttpRequest,
    encode_reply,
    error_body,
    json_response,
    read_request,
    reply_limit,
    reply_to,
)
from lcagent.testing.scripts import Script, ScriptedCall, ScriptedReply, count_tokens

_MESSAGE_TOKENS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerRules:
    """What a server is like.

    Attributes:
        rejected: Parameters that it refuses with status 400; "system" for that role.
        has_nonces: Mark every reply with a unique word.
        models: What /models lists; None where there is no such page.
        transcript: A file that gets a line of JSON for each request.
    """

    window_tokens: int = 1_000_000
    latency_s: float = 0.0
    has_nonces: bool = False
    rejected: frozenset[str] = frozenset()
    models: tuple[str, ...] | None = ("scripted",)
    transcript: Path | None = None


@dataclass(frozen=True, slots=True)
class ServedCall:
    """A line of the transcript: a call and the reply to it.

    Attributes:
        arrived_s: By the clock of the loop.
        in_flight: Requests that were being answered when this one arrived, itself included.
        parameters: The body without its messages.
        nonce: The unique word that marks the reply; empty where there is none.
    """

    number: int
    arrived_s: float
    in_flight: int
    messages: tuple[Message, ...]
    prompt: str
    prompt_tokens: int
    parameters: Mapping[str, Any]
    status: int
    reply: str
    finish: str
    nonce: str


class ScriptedServer:
    """A server that runs as long as this asynchronous context is open.

    Attributes:
        served: The transcript.
        headers: Of every request, whatever it asked for.
        bodies: Of every call, from the moment it arrived.
        connections: How many were opened.
    """

    def __init__(self, script: Script, rules: ServerRules | None = None, port: int = 0) -> None:
        self.served: list[ServedCall] = []
        self.headers: list[Mapping[str, str]] = []
        self.bodies: list[Mapping[str, Any]] = []
        self.connections = 0
        self._script = script
        self._rules = rules or ServerRules()
        self._port = port
        self._in_flight = 0
        self._open: set[asyncio.Task[None]] = set()

    @property
    def base_url(self) -> str:
        """The base URL of the server."""
        return f"http://127.0.0.1:{self._port}/v1"

    @property
    def calls(self) -> int:
        """How many calls came so far."""
        return len(self.bodies)

    @property
    def statuses(self) -> Counter[int]:
        """How often each status was sent."""
        return Counter(each.status for each in self.served)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(
            self._converse, "127.0.0.1", self._port, limit=2**26
        )
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        await self._server.wait_closed()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        if task is not None:
            self._open.add(task)
            task.add_done_callback(self._open.discard)
        with suppress(ConnectionError, asyncio.CancelledError):
            while (request := await read_request(reader)) is not None:
                if not await self._answer(request, writer):
                    break
        writer.close()
        with suppress(ConnectionError, asyncio.CancelledError):
            await writer.wait_closed()

    async def _answer(self, request: HttpRequest, writer: asyncio.StreamWriter) -> bool:
        """Reply to a request; return whether the connection stays open."""
        self.headers.append(request.headers)
        path = request.path.partition("?")[0]
        if request.method == "POST" and path.endswith("/chat/completions"):
            self._in_flight += 1
            try:
                return await self._complete(request, writer)
            finally:
                self._in_flight -= 1
        if path.endswith("/models") and self._rules.models is not None:
            listed = [{"id": name, "object": "model"} for name in self._rules.models]
            writer.write(json_response(200, {"object": "list", "data": listed}, {}))
        else:
            writer.write(json_response(404, error_body("no such page", None, None), {}))
        await writer.drain()
        return True

    async def _complete(self, request: HttpRequest, writer: asyncio.StreamWriter) -> bool:
        arrived_s, in_flight = asyncio.get_running_loop().time(), self._in_flight
        body = json.loads(request.body)
        call = ScriptedCall(len(self.bodies), _parse_messages(body), body)
        self.bodies.append(body)
        prompt_tokens = sum(
            count_tokens(message.text) + _MESSAGE_TOKENS for message in call.messages
        )
        scripted = self._refusal(call, prompt_tokens) or _as_scripted(self._script(call))
        nonce = f"zq{call.number:04d}k" if self._rules.has_nonces else ""
        completion = reply_to(call, scripted, prompt_tokens, nonce)
        is_ok = scripted.status == 200 and scripted.fault is None
        self._record(
            ServedCall(
                number=call.number,
                arrived_s=arrived_s,
                in_flight=in_flight,
                messages=call.messages,
                prompt=call.prompt,
                prompt_tokens=prompt_tokens,
                parameters={key: value for key, value in body.items() if key != "messages"},
                status=scripted.status,
                reply=completion.text if is_ok else "",
                finish=completion.finish if is_ok else scripted.fault or "error",
                nonce=nonce if is_ok else "",
            )
        )
        await asyncio.sleep(self._rules.latency_s + scripted.latency_s)
        for part in encode_reply(completion):
            writer.write(part)
            await writer.drain()
        return scripted.fault not in ("cut_before", "cut_within")

    def _refusal(self, call: ScriptedCall, prompt_tokens: int) -> ScriptedReply | None:
        for name in sorted(self._rules.rejected):
            is_role = name == "system" and any(each.role == "system" for each in call.messages)
            if is_role:
                return ScriptedReply("System role not supported", status=400)
            if call.body.get(name) is not None:
                text = f"Unsupported parameter: '{name}' is not supported with this model."
                return ScriptedReply(text, status=400, code="unsupported_parameter", param=name)
        limit = reply_limit(call)
        asked = prompt_tokens + (limit if limit < 1_000_000 else 1)
        if asked <= self._rules.window_tokens:
            return None
        text = (
            f"This model's maximum context length is {self._rules.window_tokens} tokens. "
            f"However, you requested {asked} tokens ({prompt_tokens} in the messages)."
        )
        return ScriptedReply(text, status=400, code="context_length_exceeded", param="messages")

    def _record(self, served: ServedCall) -> None:
        self.served.append(served)
        if self._rules.transcript is not None:
            with self._rules.transcript.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(served), ensure_ascii=False) + "\n")


def _parse_messages(body: Mapping[str, Any]) -> tuple[Message, ...]:
    return tuple(Message(each["role"], each["content"]) for each in body["messages"])


def _as_scripted(reply: ScriptedReply | str) -> ScriptedReply:
    return reply if isinstance(reply, ScriptedReply) else ScriptedReply(reply)
