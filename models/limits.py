"""What calls to a model cost, and what bounds it: metering, budgets, and rate limits.

Three wrappers: `Metered` keeps what each call of a step cost; `Budgeted` refuses calls that the
limits of a run do not allow; `RateLimited` lets calls wait until the rates of a server allow them.
A run asks `Cached(Retrying(Budgeted(RateLimited(model))))`. The order matters: a cached reply
costs nothing, each retry counts as a call and takes a turn of its own, and a call that the budget
refuses does not wait for one.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiolimiter import AsyncLimiter

from lcagent.concurrency import PerLoop
from lcagent.errors import BudgetExceeded, ModelNotUsable, UnusableReply
from lcagent.models.chat_model import ChatModel, OnText, Reply, Request, WrapperModel
from lcagent.results import Usage

CONCURRENCY = 8

_MINUTE_S = 60.0
_ROUNDING_USD = 1e-9


@dataclass(slots=True)
class Metered(WrapperModel):
    """A model that keeps what its calls cost, for one step of a run."""

    model: ChatModel
    calls: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    async def complete(self, request: Request, on_text: OnText | None = None) -> Reply:
        """Return the reply, and keep what it cost in `calls`."""
        reply = await self.model.complete(request, on_text)
        self.calls.append(_call_row(request, reply))
        return reply


def total_usage(calls: Iterable[Mapping[str, Any]]) -> Usage:
    """Return what calls cost together; cached ones cost nothing.

    Args:
        calls: As `Metered.calls` has them.
    """
    paid = cached = prompt = completion = 0
    usd: float | None = 0.0
    for call in calls:
        if call["is_cached"]:
            cached += 1
            continue
        paid += 1
        prompt += call["prompt_tokens"]
        completion += call["completion_tokens"]
        usd = None if usd is None or call["usd"] is None else usd + call["usd"]
    return Usage(paid, cached, prompt, completion, usd)


def _call_row(request: Request, reply: Reply) -> dict[str, Any]:
    return {
        "purpose": request.purpose,
        "prompt_tokens": reply.prompt_tokens,
        "completion_tokens": reply.completion_tokens,
        "is_estimate": reply.is_estimate,
        "usd": reply.usd,
        "latency_s": round(reply.latency_s, 3),
        "is_cached": reply.is_cached,
        "finish": reply.finish,
        "key": reply.key,
    }


class Budget:
    """What a run may cost in dollars, calls and time, and what it has cost; for one event loop.

    The most that a call can cost is reserved before it is sent, so the limits hold with any
    number of calls in flight. Where too little is left only because of calls in flight, a new
    one waits for what they give back.

    A failed call counts as a call and costs no dollars, because nobody knows what it cost.

    Args:
        max_time_s: From now on.
        spent: What the run has cost before it was resumed. It counts towards `max_usd` and
            `max_calls`, which stay those that the user gave.
    """

    def __init__(
        self,
        max_usd: float | None = None,
        max_calls: int | None = None,
        max_time_s: float | None = None,
        *,
        spent: Usage | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.max_usd = max_usd
        self._max_calls = max_calls
        self._max_time_s = max_time_s
        self._clock = clock
        self._started = clock()
        before = spent or Usage()
        self._calls = before.calls
        self._prompt_tokens = before.prompt_tokens
        self._completion_tokens = before.completion_tokens
        self._usd = before.usd or 0.0
        self._is_priced = before.usd is not None
        self._reserved_usd = 0.0
        self._in_flight = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    def spent(self) -> Usage:
        """Return calls, tokens and dollars so far; a call in flight counts as a call only."""
        return Usage(
            calls=self._calls,
            prompt_tokens=self._prompt_tokens,
            completion_tokens=self._completion_tokens,
            usd=self._usd if self._is_priced else None,
        )

    def time_left_s(self) -> float | None:
        """Return how many seconds are left, below 0 if none are; None without a limit."""
        if self._max_time_s is None:
            return None
        return self._max_time_s - (self._clock() - self._started)

    def allows(self, calls: int, usd: float | None) -> bool:
        """Return whether so many more calls fit the limits, were none in flight."""
        fits_calls = self._max_calls is None or self._calls + calls <= self._max_calls
        return fits_calls and (self.max_usd is None or self._usd + (usd or 0.0) <= self.max_usd)

    async def reserve(self, usd: float | None) -> None:
        """Reserve what a call can cost at most, and count the call.

        Raises:
            BudgetExceeded: A limit does not allow it, whatever the calls in flight give back.
        """
        while True:
            await self._check(usd)
            if self.max_usd is None or self._fits(usd or 0.0):
                break
            await self._next_change()
        self._calls += 1
        self._in_flight += 1
        self._reserved_usd += usd or 0.0

    def settle(self, usd: float | None, reply: Reply) -> None:
        """Replace what was reserved by what the call cost."""
        self._prompt_tokens += reply.prompt_tokens
        self._completion_tokens += reply.completion_tokens
        self._usd += reply.usd or 0.0
        self._is_priced = self._is_priced and reply.usd is not None
        self._give_back(usd)

    def keep(self, usd: float | None) -> None:
        """Count what was reserved as spent: the reply was of no use, but was paid for."""
        self._usd += usd or 0.0
        self._give_back(usd)

    def release(self, usd: float | None) -> None:
        """Give back what was reserved for a call that failed."""
        self._give_back(usd)

    async def _check(self, usd: float | None) -> None:
        """Raise if the call can never be made, but not before the calls in flight have ended.

        Those are paid for, and whoever gets the error may cancel them.
        """
        try:
            self._refuse(usd)
        except BudgetExceeded:
            while self._in_flight:
                await self._next_change()
            raise

    def _refuse(self, usd: float | None) -> None:
        left_s = self.time_left_s()
        if left_s is not None and left_s <= 0:
            raise BudgetExceeded(
                f"the time is up (--max-time {self._max_time_s:g} s){self._so_far()}; "
                "raise --max-time to go on"
            )
        if self._max_calls is not None and self._calls >= self._max_calls:
            raise BudgetExceeded(
                f"all calls are made (--max-calls {self._max_calls}){self._so_far()}; "
                "raise --max-calls to go on"
            )
        if self.max_usd is not None and self._usd + (usd or 0.0) > self.max_usd + _ROUNDING_USD:
            raise BudgetExceeded(
                f"the next call may cost {_dollars(usd or 0.0)}, which is more than is left of "
                f"{_dollars(self.max_usd)} (--max-usd){self._so_far()}; "
                "raise --max-usd to go on"
            )

    def _fits(self, usd: float) -> bool:
        return self._usd + self._reserved_usd + usd <= (self.max_usd or 0.0) + _ROUNDING_USD

    def _give_back(self, usd: float | None) -> None:
        self._reserved_usd -= usd or 0.0
        self._in_flight -= 1
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)
        self._waiting.clear()

    async def _next_change(self) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        await waiter

    def _so_far(self) -> str:
        cost = _dollars(self._usd) if self._is_priced else "an unknown amount"
        return f"; spent so far: {self._calls} calls, {cost}"


class Budgeted(WrapperModel):
    """A model that is only asked as far as a budget allows."""

    def __init__(self, model: ChatModel, budget: Budget) -> None:
        self.model = model
        self._budget = budget
        if budget.max_usd is not None and model.card.usd(1, 1) is None:
            raise ModelNotUsable(
                f"the price of {model.card.name} is not known, so --max-usd cannot hold: add "
                "usd_per_million_prompt and usd_per_million_completion to models.toml"
            )

    async def complete(self, request: Request, on_text: OnText | None = None) -> Reply:
        """Return the reply, if the budget allows the call.

        Raises:
            BudgetExceeded: It does not. The calls in flight have ended by then, and are stored.
        """
        usd = self.card.usd(self.count_tokens(request.messages), request.max_tokens)
        await self._budget.reserve(usd)
        try:
            reply = await self.model.complete(request, on_text)
        except UnusableReply:
            self._budget.keep(usd)
            raise
        except BaseException:
            self._budget.release(usd)
            raise
        self._budget.settle(usd, reply)
        return reply


class RateLimiter:
    """The rates of one server, for all models and runs of this process that share this object.

    Requests are spread evenly over a minute. Tokens are those of the prompt and of the longest
    reply; a call with more than a minute's allowance waits for all of a minute's. First come,
    first served. Each event loop has rates of its own, because locks cannot be shared.
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
    async def turn(self, tokens: int) -> AsyncIterator[None]:
        """Wait for a turn, and hold it; a caller that is cancelled gives it back."""
        async with self._places.get():
            requests, allowed = self._requests.get(), self._tokens.get()
            if requests is not None:
                await requests.acquire()
            if allowed is not None:
                await allowed.acquire(min(tokens, allowed.max_rate))
            yield


class RateLimited(WrapperModel):
    """A model whose calls wait until a rate limiter lets them through."""

    def __init__(self, model: ChatModel, limiter: RateLimiter) -> None:
        self.model = model
        self._limiter = limiter

    async def complete(self, request: Request, on_text: OnText | None = None) -> Reply:
        """Wait for a turn, then return the reply."""
        tokens = self._counted_tokens(request)
        async with self._limiter.turn(tokens):
            return await self.model.complete(request, on_text)

    def _counted_tokens(self, request: Request) -> int:
        if not self._limiter.counts_tokens:
            return 0
        return self.model.count_tokens(request.messages) + request.max_tokens


def _dollars(usd: float) -> str:
    return f"${usd:.4f}" if usd < 1 else f"${usd:.2f}"
