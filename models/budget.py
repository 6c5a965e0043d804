"""Limits that a user sets to what a run may cost: dollars, calls, time.

The worst that a call can cost is put aside before it is sent, so limits hold with any number of
calls in flight. Where the rest is too small only because of calls in flight, a new one waits for
what they leave over.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable

from lcagent.errors import BudgetExceeded, ModelNotUsable, UnusableReply
from lcagent.models.base import ChatModel, OnText, Reply, Request
from lcagent.models.wrapping import Wrapping
from lcagent.results import Usage

_ROUNDING_USD = 1e-9


class Budget:
    """What a run may cost, and what it has cost; for one event loop.

    A failed call counts as a call and costs no dollars, because nobody knows what it cost.
    """

    def __init__(
        self,
        max_usd: float | None = None,
        max_calls: int | None = None,
        max_time_s: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.max_usd = max_usd
        self._max_calls = max_calls
        self._max_time_s = max_time_s
        self._clock = clock
        self._started = clock()
        self._calls = 0
        self._prompt_tokens = 0
        self._completion_tokens = 0
        self._usd = 0.0
        self._is_priced = True
        self._reserved_usd = 0.0
        self._in_flight = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    def spent(self) -> Usage:
        """Return calls, tokens and dollars so far; calls in flight count as calls only."""
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
        """Say whether so many calls more fit the limits, if none was in flight; nothing is kept."""
        fits_calls = self._max_calls is None or self._calls + calls <= self._max_calls
        return fits_calls and (self.max_usd is None or self._usd + (usd or 0.0) <= self.max_usd)

    async def reserve(self, usd: float | None) -> None:
        """Put aside what a call can cost at most, and count the call.

        Raises:
            BudgetExceeded: A limit does not allow it, whatever the calls in flight leave over.
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
        """Replace what was put aside by what the call cost."""
        self._prompt_tokens += reply.prompt_tokens
        self._completion_tokens += reply.completion_tokens
        self._usd += reply.usd or 0.0
        self._is_priced = self._is_priced and reply.usd is not None
        self._give_back(usd)

    def keep(self, usd: float | None) -> None:
        """Count what was put aside as spent: the reply was of no use, but was paid for."""
        self._usd += usd or 0.0
        self._give_back(usd)

    def release(self, usd: float | None) -> None:
        """Give back what was put aside for a call that failed."""
        self._give_back(usd)

    async def _check(self, usd: float | None) -> None:
        """Raise if the call can never be made, once those in flight have ended.

        They are paid for: whoever hears of the error may break them off.
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
                f"the time is up (--max-time {self._max_time_s:g} s){self._so_far()}"
            )
        if self._max_calls is not None and self._calls >= self._max_calls:
            raise BudgetExceeded(
                f"all calls are made (--max-calls {self._max_calls}){self._so_far()}"
            )
        if self.max_usd is not None and self._usd + (usd or 0.0) > self.max_usd + _ROUNDING_USD:
            raise BudgetExceeded(
                f"the next call may cost {_dollars(usd or 0.0)}, which is more than is left of "
                f"{_dollars(self.max_usd)} (--max-usd){self._so_far()}"
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


class Budgeted(Wrapping):
    """A model that is asked only as far as a budget allows."""

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
            BudgetExceeded: It does not. The calls in flight have ended then, and are kept.
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


def _dollars(usd: float) -> str:
    return f"${usd:.4f}" if usd < 1 else f"${usd:.2f}"
