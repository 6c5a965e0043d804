"""The one retry policy: what a server could not answer now is asked for again.

Only `ModelUnavailable` is retried. If the server says how long to wait, that is how long; otherwise
it is exponential backoff with full jitter, so that many callers do not come back together.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from itertools import count
from typing import TypeAlias

from lcagent.errors import BudgetExceeded, ModelUnavailable
from lcagent.models.chat_model import (
    ChatModel,
    OnText,
    Reply,
    Request,
    RestartableText,
    WrapperModel,
)

ATTEMPTS = 6
LONGEST_WAIT_S = 120.0

_FIRST_WAIT_S = 0.5
_MOST_BACKOFF_S = 30.0


class Retrying(WrapperModel):
    """A model that is asked again when its server could not answer.

    Text goes to `on_text` as it arrives if that can be told to start over (`RestartableText`), and
    otherwise once the reply is complete.

    Args:
        longest_wait_s: If a server asks for a longer wait, the call fails at once.
        time_left_s: Bounds each wait; None for no bound.
    """

    def __init__(
        self,
        model: ChatModel,
        *,
        attempts: int = ATTEMPTS,
        longest_wait_s: float = LONGEST_WAIT_S,
        time_left_s: Callable[[], float | None] = lambda: None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.model = model
        self._attempts = attempts
        self._longest_wait_s = longest_wait_s
        self._time_left_s = time_left_s
        self._sleep = sleep

    async def complete(self, request: Request, on_text: OnText | None = None) -> Reply:
        """Return the reply to a request, asking several times if need be.

        Raises:
            ModelUnavailable: The last attempt failed too, or the server asks for a longer wait
                than `longest_wait_s`.
        """
        listener, failed = _listener(on_text), None
        for attempt in count(1):
            if listener is not None:
                listener.begin()
            try:
                reply = await self.model.complete(request, listener)
            except ModelUnavailable as error:
                if attempt >= self._attempts or not self._may_help(error):
                    raise self._last(error, attempt) from error
                failed, wait_s = error, self._wait_s(error, attempt)
            except BudgetExceeded as limit:
                raise self._limited(limit, failed, attempt - 1) from failed
            else:
                if isinstance(listener, _Held):
                    listener.release()
                return reply
            await self._sleep(wait_s)
        raise AssertionError  # `count` has no end

    def _wait_s(self, error: ModelUnavailable, attempt: int) -> float:
        wait_s = error.retry_after_s
        if wait_s is None:
            longest_s = min(_FIRST_WAIT_S * 2 ** (attempt - 1), _MOST_BACKOFF_S)
            wait_s = random.uniform(0, longest_s)  # noqa: S311 -- no secret
        left_s = self._time_left_s()
        return wait_s if left_s is None else min(wait_s, max(0.0, left_s))

    def _may_help(self, error: ModelUnavailable) -> bool:
        return (error.retry_after_s or 0.0) <= self._longest_wait_s

    def _limited(
        self, limit: BudgetExceeded, failed: ModelUnavailable | None, tried: int
    ) -> BudgetExceeded | ModelUnavailable:
        """Return what to say where a limit forbids to ask again."""
        if failed is None:
            return limit
        left_s = self._time_left_s()
        if left_s is not None and left_s <= 0:  # the server may be well in a while
            return BudgetExceeded(f"{limit} (the server said: {failed})")
        # A limit of calls only says that nothing more is tried; the server what is wrong.
        return self._last(failed, tried, limit)

    def _last(
        self, error: ModelUnavailable, tried: int, limit: BudgetExceeded | None = None
    ) -> ModelUnavailable:
        text = f"{error} (tried {tried} times)" if tried > 1 else str(error)
        if limit is not None:
            text += f"; it is not asked again: {limit}"
        elif not self._may_help(error):
            text += (
                f"; it asks to wait {error.retry_after_s:.0f} s, "
                f"and lcagent waits {self._longest_wait_s:.0f} s at most"
            )
        return ModelUnavailable(text, error.retry_after_s)


class _Passed:
    """Passes pieces on as they arrive, and says when they start over."""

    def __init__(self, on_text: RestartableText) -> None:
        self._on_text = on_text
        self._has_shown = False

    def __call__(self, piece: str) -> None:
        self._has_shown = True
        self._on_text(piece)

    def restart(self) -> None:
        self.begin()

    def begin(self) -> None:
        if self._has_shown:
            self._on_text.restart()
        self._has_shown = False


class _Held:
    """Holds pieces back until the reply is complete."""

    def __init__(self, on_text: OnText) -> None:
        self._on_text = on_text
        self._pieces: list[str] = []

    def __call__(self, piece: str) -> None:
        self._pieces.append(piece)

    def restart(self) -> None:
        self.begin()

    def begin(self) -> None:
        self._pieces.clear()

    def release(self) -> None:
        for piece in self._pieces:
            self._on_text(piece)


_Listener: TypeAlias = _Passed | _Held


def _listener(on_text: OnText | None) -> _Listener | None:
    if on_text is None:
        return None
    return _Passed(on_text) if isinstance(on_text, RestartableText) else _Held(on_text)
