"""The one policy of trying again: what a server could not answer now is asked for once more.

Only `ModelUnavailable` is retried. A server that says how long to wait is obeyed; where it does
not, waits double and are shortened by chance, so that many callers do not come back together.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
    wait_random_exponential,
)

from lcagent.errors import ModelUnavailable
from lcagent.models.base import (
    ChatModel,
    OnText,
    Reply,
    Request,
    RestartableText,
)
from lcagent.models.wrapping import Wrapping

ATTEMPTS = 6
LONGEST_WAIT_S = 120.0

_FIRST_WAIT_S = 0.5
_MOST_BACKOFF_S = 30.0


class Retrying(Wrapping):
    """A model that is asked again where its server could not answer.

    Text goes to `on_text` while it arrives if that can be told to start over (`RestartableText`);
    otherwise when the reply is complete. No wait is longer than `time_left_s` says.
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
        self._backoff = wait_random_exponential(multiplier=_FIRST_WAIT_S, max=_MOST_BACKOFF_S)

    async def complete(self, request: Request, on_text: OnText | None = None) -> Reply:
        """Return the reply to a request, asking several times if need be.

        Raises:
            ModelUnavailable: The last attempt failed too, or the server asks for a longer wait
                than `longest_wait_s`.
        """
        listener = _listener(on_text)
        attempting = self._attempting()
        try:
            reply: Reply = await attempting(self._attempt, request, listener)
        except ModelUnavailable as error:
            tried = int(attempting.statistics.get("attempt_number", 1))
            raise self._last(error, tried) from error
        if isinstance(listener, _Held):
            listener.release()
        return reply

    async def _attempt(self, request: Request, listener: "_Listener | None") -> Reply:
        if listener is None:
            return await self.model.complete(request)
        listener.begin()
        return await self.model.complete(request, listener)

    def _attempting(self) -> AsyncRetrying:
        return AsyncRetrying(
            stop=stop_after_attempt(self._attempts),
            wait=self._wait,
            retry=retry_if_exception(self._may_help),
            sleep=self._sleep,
            reraise=True,
        )

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after_s if isinstance(error, ModelUnavailable) else None
        wait = self._backoff(state) if asked is None else asked
        left = self._time_left_s()
        return wait if left is None else min(wait, max(0.0, left))

    def _may_help(self, error: BaseException) -> bool:
        if not isinstance(error, ModelUnavailable):
            return False
        return (error.retry_after_s or 0.0) <= self._longest_wait_s

    def _last(self, error: ModelUnavailable, tried: int) -> ModelUnavailable:
        text = f"{error} (tried {tried} times)" if tried > 1 else str(error)
        if not self._may_help(error):
            text += (
                f"; it asks to wait {error.retry_after_s:.0f} s, "
                f"and lcagent waits {self._longest_wait_s:.0f} s at most"
            )
        return ModelUnavailable(text, error.retry_after_s)


class _Passed:
    """Passes pieces on as they come, and tells of a new beginning."""

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
