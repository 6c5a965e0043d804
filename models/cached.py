"""The reply cache: what was paid for once is not paid for again.

The key of a call is what it sends: model, server, messages, parameters. Only whole replies are
stored; errors, empty replies, and those that were cut off or filtered are asked for again.
Identical calls at the same time are one call, which goes on as long as anybody waits for it.
"""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Literal, Protocol

from pydantic import BaseModel

from lcagent.concurrency import PerLoop
from lcagent.models.chat_model import (
    ChatModel,
    OnText,
    Reply,
    Request,
    RestartableText,
    TokenLogprob,
    WrapperModel,
)

FORMAT = 1
"""Of the keys. Raising it invalidates all stored replies."""


class StoredReplies(Protocol):
    """Where replies are stored: `lcagent.storage.reply_store.ReplyStore`."""

    def load(self, key: str) -> dict[str, Any] | None:
        """Return what was stored."""
        ...

    def save(self, key: str, model: str, reply: dict[str, Any]) -> None:
        """Store it."""
        ...

    def discard(self, *keys: str) -> None:
        """Forget them."""
        ...


class Cached(WrapperModel):
    """A model whose successful replies are stored.

    Args:
        server: The base URL: models of the same name on two servers are two models.
        namespace: Keeps replies apart: a run that must not use older replies has a namespace of
            its own, and still finds its own replies when it is resumed.
    """

    def __init__(
        self, model: ChatModel, store: StoredReplies, *, namespace: str = "", server: str = ""
    ) -> None:
        self.model = model
        self._store = store
        self._namespace = namespace
        self._server = server
        self._flights: PerLoop[dict[str, _Flight]] = PerLoop(dict)

    async def complete(self, request: Request, on_text: OnText | None = None) -> Reply:
        """Return the stored reply to a request, or ask for it and store it."""
        key = self.key(request)
        flights = self._flights.get()
        flight = flights.get(key)
        is_first = flight is None
        if flight is None:
            flight = flights[key] = _Flight(on_text)
            flight.task = asyncio.create_task(self._find(key, request, flight))
            flight.when_over = lambda: _remove(flights, key, flight)
        async with flight.awaited(is_leader=is_first):
            reply = await asyncio.shield(flight.task)
        if on_text is not None and not (is_first and flight.has_shown):
            on_text(reply.text)
        return reply if is_first else replace(reply, is_cached=True, usd=0.0)

    def key(self, request: Request) -> str:
        """Return the key of a call: SHA-256 of what is sent, and where."""
        sent = {
            "format": FORMAT,
            "server": self._server,
            "model": self.card.name,
            "namespace": self._namespace,
            "messages": [[message.role, message.text] for message in request.messages],
            "max_tokens": request.max_tokens,
            "temperature": float(request.temperature),
            "stop": request.stop,
            "wants_logprobs": request.wants_logprobs,
            "schema": request.schema,
            "sample": request.sample,
        }
        if self.card.fingerprint:
            sent["fingerprint"] = self.card.fingerprint
        return hashlib.sha256(json.dumps(sent, sort_keys=True).encode()).hexdigest()

    async def _find(self, key: str, request: Request, flight: "_Flight") -> Reply:
        stored = await asyncio.to_thread(self._load, key)
        if stored is not None:
            return replace(stored, is_cached=True, usd=0.0, latency_s=0.0, key=key)
        reply = await self.model.complete(request, flight.listener())
        reply = replace(reply, key=key)
        if _is_success(reply):
            await asyncio.to_thread(self._store.save, key, self.card.name, _to_row(reply))
        return reply

    def _load(self, key: str) -> Reply | None:
        """Return the stored reply; a damaged row is removed, to make room for the next one."""
        try:
            row = self._store.load(key)
        except ValueError:  # no JSON
            row = {}
        if row is None:
            return None
        reply = _from_row(row)
        if reply is None:
            self._store.discard(key)
        return reply


class _Flight:
    """A call that is being made: one caller leads it and pays, others may join.

    It is a task of its own, because it has to outlive a leader that is cancelled while others wait.
    """

    task: "asyncio.Task[Reply]"
    when_over: Callable[[], None]

    def __init__(self, on_text: OnText | None) -> None:
        self.has_shown = False
        self._on_text = on_text
        self._waiting = 0

    @asynccontextmanager
    async def awaited(self, *, is_leader: bool) -> AsyncIterator[None]:
        """Count who waits for the task inside; break it off when the last one is gone.

        A context, not a function that awaits the task, so that it adds no frame to every traceback.
        """
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1
            if is_leader:
                self._on_text = None  # who left is shown nothing any more
            if self.task.done():
                self.when_over()
            elif not self._waiting:
                self.when_over()
                self.task.cancel()
                await asyncio.wait([self.task])

    def listener(self) -> OnText | None:
        """Return what passes text on to the leader; restartable if the leader's `on_text` is."""
        if self._on_text is None:
            return None
        return _Relay(self) if isinstance(self._on_text, RestartableText) else self.show

    def show(self, piece: str) -> None:
        """Pass a piece on to the leader."""
        if self._on_text is not None:
            self.has_shown = True
            self._on_text(piece)

    def restart(self) -> None:
        """Tell the leader that the pieces so far are void."""
        if isinstance(self._on_text, RestartableText):
            self._on_text.restart()


class _Relay:
    """Passes on text, and restarts."""

    def __init__(self, flight: _Flight) -> None:
        self._flight = flight

    def __call__(self, piece: str) -> None:
        self._flight.show(piece)

    def restart(self) -> None:
        self._flight.restart()


def _remove(flights: dict[str, _Flight], key: str, flight: _Flight) -> None:
    if flights.get(key) is flight:
        del flights[key]


def _is_success(reply: Reply) -> bool:
    return reply.finish == "stop" and bool(reply.text.strip())


class _StoredReply(BaseModel):
    text: str
    finish: Literal["stop"]  # earlier versions kept what was cut off, too
    prompt_tokens: int
    completion_tokens: int
    is_estimate: bool
    usd: float | None
    latency_s: float
    logprobs: list[tuple[str, float, str]] | None


def _to_row(reply: Reply) -> dict[str, Any]:
    """Return what is stored of a reply."""
    return {
        "text": reply.text,
        "finish": reply.finish,
        "prompt_tokens": reply.prompt_tokens,
        "completion_tokens": reply.completion_tokens,
        "is_estimate": reply.is_estimate,
        "usd": reply.usd,
        "latency_s": reply.latency_s,
        "logprobs": None
        if reply.logprobs is None
        else [[each.text, each.logprob, each.data.hex()] for each in reply.logprobs],
    }


def _from_row(row: object) -> Reply | None:
    """Return the reply of a row, as it was when it was paid for."""
    try:
        read = _StoredReply.model_validate(row)
        logprobs = None if read.logprobs is None else tuple(_token(each) for each in read.logprobs)
    except ValueError:  # pydantic's errors are of this kind
        return None
    return Reply(**read.model_dump(exclude={"logprobs"}), logprobs=logprobs)


def _token(stored: tuple[str, float, str]) -> TokenLogprob:
    text, logprob, data = stored
    return TokenLogprob(text, logprob, bytes.fromhex(data))
