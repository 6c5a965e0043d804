"""A server that replies from a script, as OpenAI's chat completions do; for tests and examples.

    async with ScriptedServer(lambda call: "Yes.") as server:
        model = choose_model("openai:any", base_url=server.base_url)

`python -m lcagent.models.scripted_server --script facts` is one in a process of its own: it prints
its URL and lives until it is terminated. It binds to 127.0.0.1 only.
"""

import argparse
import asyncio
import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

from lcagent.errors import UsageError
from lcagent.models.base import Message
from lcagent.models.scripted_server.bodies import complete, error_body, max_tokens_of
from lcagent.models.scripted_server.http import HttpRequest, json_response, read_request
from lcagent.models.scripted_server.replies import parts_of
from lcagent.models.scripted_server.rules import Served, ServerRules
from lcagent.models.scripted_server.script import (
    Script,
    Scripted,
    ScriptedCall,
    built_in,
    count_tokens,
)

__all__ = ["ScriptedServer", "Served", "ServerRules", "main"]

_MESSAGE_TOKENS = 4


class ScriptedServer:
    """An asynchronous context manager that serves as long as it is open.

    Attributes:
        served: The transcript.
        headers: Of every request, whatever it asked for.
        bodies: Of every call, from the moment it arrived.
        connections: How many were opened.
    """

    def __init__(self, script: Script, rules: ServerRules | None = None, port: int = 0) -> None:
        self.served: list[Served] = []
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
        """Where it listens."""
        return f"http://127.0.0.1:{self._port}/v1"

    @property
    def calls(self) -> int:
        """How many came so far."""
        return len(self.bodies)

    @property
    def statuses(self) -> Counter[int]:
        """How often each status was replied."""
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
        """Reply to a request; say whether the connection goes on."""
        self.headers.append(request.headers)
        if request.method == "POST" and request.path.endswith("/chat/completions"):
            self._in_flight += 1
            try:
                return await self._complete(request, writer)
            finally:
                self._in_flight -= 1
        if request.path.endswith("/models") and self._rules.models is not None:
            listed = [{"id": name, "object": "model"} for name in self._rules.models]
            writer.write(json_response(200, {"object": "list", "data": listed}, {}))
        else:
            writer.write(json_response(404, error_body("no such page", None, None), {}))
        await writer.drain()
        return True

    async def _complete(self, request: HttpRequest, writer: asyncio.StreamWriter) -> bool:
        arrived_s, in_flight = asyncio.get_running_loop().time(), self._in_flight
        body = json.loads(request.body)
        call = ScriptedCall(len(self.bodies), _messages_of(body), body)
        self.bodies.append(body)
        prompt_tokens = sum(
            count_tokens(message.text) + _MESSAGE_TOKENS for message in call.messages
        )
        scripted = self._refusal(call, prompt_tokens) or _as_scripted(self._script(call))
        nonce = f"zq{call.number:04d}k" if self._rules.has_nonces else ""
        completion = complete(call, scripted, prompt_tokens, nonce)
        is_ok = scripted.status == 200 and scripted.fault is None
        self._record(
            Served(
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
        for part in parts_of(completion):
            writer.write(part)
            await writer.drain()
        return scripted.fault not in ("cut_before", "cut_within")

    def _refusal(self, call: ScriptedCall, prompt_tokens: int) -> Scripted | None:
        for name in sorted(self._rules.rejected):
            is_role = name == "system" and any(each.role == "system" for each in call.messages)
            if is_role:
                return Scripted("System role not supported", status=400)
            if call.body.get(name) is not None:
                text = f"Unsupported parameter: '{name}' is not supported with this model."
                return Scripted(text, status=400, code="unsupported_parameter", param=name)
        limit = max_tokens_of(call)
        asked = prompt_tokens + (limit if limit < 1_000_000 else 1)
        if asked <= self._rules.window_tokens:
            return None
        text = (
            f"This model's maximum context length is {self._rules.window_tokens} tokens. "
            f"However, you requested {asked} tokens ({prompt_tokens} in the messages)."
        )
        return Scripted(text, status=400, code="context_length_exceeded", param="messages")

    def _record(self, served: Served) -> None:
        self.served.append(served)
        if self._rules.transcript is not None:
            with self._rules.transcript.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(served), ensure_ascii=False) + "\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve a built-in script until the process is terminated."""
    parser = argparse.ArgumentParser(prog="python -m lcagent.models.scripted_server")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--script", default="fixed", help="fixed, facts or writer")
    parser.add_argument("--options", type=json.loads, default={}, help="of the script, as JSON")
    parser.add_argument("--window", type=int, default=1_000_000, help="tokens")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each reply")
    parser.add_argument("--nonces", action="store_true", help="mark each reply by a unique word")
    parser.add_argument(
        "--reject", action="append", default=[], help="a parameter; may be repeated"
    )
    parser.add_argument("--transcript", type=Path, help="file for a line of JSON per request")
    given = parser.parse_args(arguments)
    rules = ServerRules(
        window_tokens=given.window,
        latency_s=given.latency,
        has_nonces=given.nonces,
        rejected=frozenset(given.reject),
        transcript=given.transcript,
    )
    try:
        script = built_in(given.script, given.options)
    except UsageError as error:
        parser.error(str(error))
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(script, rules, given.port))
    return 0


async def _serve(script: Script, rules: ServerRules, port: int) -> None:
    async with ScriptedServer(script, rules, port) as server:
        sys.stdout.write(f"{server.base_url}\n")
        sys.stdout.flush()
        await asyncio.get_running_loop().create_future()


def _messages_of(body: Mapping[str, Any]) -> tuple[Message, ...]:
    return tuple(Message(each["role"], each["content"]) for each in body["messages"])


def _as_scripted(reply: Scripted | str) -> Scripted:
    return reply if isinstance(reply, Scripted) else Scripted(reply)
