"""Turns at a server: so many calls at a time, so many requests and tokens a minute."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiolimiter import AsyncLimiter

from lcagent.models.base import ChatModel, OnText, Reply, Request
from lcagent.models.loops import PerLoop
from lcagent.models.wrapping import Wrapping

CONCURRENCY = 8

_MINUTE_S = 60.0


class Turns:
    """The limits of one server, for all models and runs of this process that share this object.

    Requests are spread evenly over a minute. Tokens are those of the prompt and of the longest
    reply; a call that alone has more than a minute's waits for a whole minute's. Who comes first
    is served first. Each event loop has turns of its own.
    """

    def __init__(
        self,
        concurrency: int = CONCURRENCY,
        requests_per_minute: float | None = None,
        tokens_per_minute: float | None = None,
    ) -> None:
        self.counts_tokens = tokens_per_minute is not None
        self._places = PerLoop(lambda: asyncio.Semaphore(concurrency))
        self._requests = PerLoop(
            lambda: (
                AsyncLimiter(1, _MINUTE_S / requests_per_minute) if requests_per_minute else None
            )
        )
        self._tokens = PerLoop(
            lambda: AsyncLimiter(tokens_per_minute, _MINUTE_S) if tokens_per_minute else None
        )

    @asynccontextmanager
    async def one(self, tokens: int) -> AsyncIterator[None]:
        """Wait for a turn, and hold it; a caller that is cancelled gives it back."""
        async with self._places.get():
            requests, allowed = self._requests.get(), self._tokens.get()
            if requests is not None:
                await requests.acquire()
            if allowed is not None:
                await allowed.acquire(min(tokens, allowed.max_rate))
            yield


class Limited(Wrapping):
    """A model whose calls wait for their turn."""

    def __init__(self, model: ChatModel, turns: Turns) -> None:
        self.model = model
        self._turns = turns

    async def complete(self, request: Request, on_text: OnText | None = None) -> Reply:
        """Wait for a turn, then return the reply."""
        tokens = self._tokens_of(request)
        async with self._turns.one(tokens):
            return await self.model.complete(request, on_text)

    def _tokens_of(self, request: Request) -> int:
        if not self._turns.counts_tokens:
            return 0
        return self.model.count_tokens(request.messages) + request.max_tokens
