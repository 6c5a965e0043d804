"""Trying again, without waiting in tests."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from lcagent.errors import BudgetExceeded, ContextTooLong, ModelNotUsable, ModelUnavailable
from lcagent.models.chat_model import Message, OnText, Reply, Request, RestartableText
from lcagent.models.limits import Budget, Budgeted
from lcagent.models.retrying import Retrying
from lcagent.testing import ScriptedModel

pytestmark = pytest.mark.anyio

ASK = Request((Message("user", "Hi"),))
DOWN = ModelUnavailable("host is down")


class Failing(ScriptedModel):
    """A model that fails first, after it has said something."""

    def __init__(self, *errors: Exception, partly: str = "") -> None:
        super().__init__(lambda _: "All is well.")
        self._errors = list(errors)
        self._partly = partly

    async def complete(self, request: Request, on_text: OnText | None = None) -> Reply:
        if not self._errors:
            return await super().complete(request, on_text)
        self.requests.append(request)
        if on_text is not None and self._partly:
            on_text(self._partly)
        raise self._errors.pop(0)


class Screen:
    """Shows text, and can take it back."""

    def __init__(self) -> None:
        self.shown = ""
        self.restarts = 0

    def __call__(self, piece: str) -> None:
        self.shown += piece

    def restart(self) -> None:
        self.shown = ""
        self.restarts += 1


def _retrying(
    model: ScriptedModel, attempts: int = 4, **options: Any
) -> tuple[Retrying, list[float]]:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    return Retrying(model, attempts=attempts, sleep=sleep, **options), slept


async def test_what_was_unavailable_is_asked_again() -> None:
    model = Failing(DOWN, DOWN)
    retrying, slept = _retrying(model)
    assert (await retrying.complete(ASK)).text == "All is well."
    assert len(model.requests) == 3
    assert len(slept) == 2


async def test_waits_grow_and_are_bounded() -> None:
    retrying, slept = _retrying(Failing(*[DOWN] * 30), attempts=30)
    with pytest.raises(ModelUnavailable):
        await retrying.complete(ASK)
    assert all(0 <= wait <= min(30, 0.5 * 2**tried) for tried, wait in enumerate(slept))
    assert max(slept) > 1
    assert len(set(slept)) > 5


async def test_it_gives_up_with_the_last_error_and_says_how_often_it_tried() -> None:
    model = Failing(*[DOWN] * 3, ModelUnavailable("host is on fire"), DOWN)
    retrying, _ = _retrying(model)
    with pytest.raises(ModelUnavailable, match=r"^host is on fire \(tried 4 times\)$"):
        await retrying.complete(ASK)
    assert len(model.requests) == 4


@pytest.mark.parametrize(
    "error", [ModelNotUsable("no"), ContextTooLong("no"), BudgetExceeded("no"), ValueError("no")]
)
async def test_what_waiting_does_not_mend_is_not_asked_again(error: Exception) -> None:
    model = Failing(error)
    retrying, slept = _retrying(model)
    with pytest.raises(type(error)):
        await retrying.complete(ASK)
    assert (len(model.requests), slept) == (1, [])


@pytest.mark.parametrize("calls", [1, 2])
async def test_a_limit_that_allows_no_other_try_does_not_hide_what_is_wrong(calls: int) -> None:
    model = Failing(*[ModelUnavailable("host is on fire")] * 3)
    retrying = Retrying(Budgeted(model, Budget(max_calls=calls)), sleep=_at_once)
    with pytest.raises(ModelUnavailable, match=rf"^host is on fire.*--max-calls {calls}\)"):
        await retrying.complete(ASK)
    assert len(model.requests) == calls


async def test_a_limit_that_allows_no_try_at_all_is_the_error() -> None:
    retrying = Retrying(Budgeted(Failing(), Budget(max_calls=0)), sleep=_at_once)
    with pytest.raises(BudgetExceeded):
        await retrying.complete(ASK)


async def _at_once(_: float) -> None: ...


async def test_a_server_that_says_how_long_is_obeyed() -> None:
    retrying, slept = _retrying(Failing(ModelUnavailable("wait", 7.5), ModelUnavailable("go", 0)))
    await retrying.complete(ASK)
    assert slept == [7.5, 0]


async def test_a_wait_that_is_too_long_is_not_waited_for() -> None:
    retrying, slept = _retrying(Failing(DOWN, ModelUnavailable("wait", 3600)), longest_wait_s=60)
    with pytest.raises(
        ModelUnavailable, match=r"\(tried 2 times\); it asks to wait 3600 s, .* 60 s"
    ):
        await retrying.complete(ASK)
    assert len(slept) == 1


async def test_no_wait_goes_beyond_the_time_of_the_run() -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    model = Failing(ModelUnavailable("wait", 50), ModelUnavailable("wait", 50))
    left = iter([10.0, -1.0])
    await Retrying(model, sleep=sleep, time_left_s=lambda: next(left)).complete(ASK)
    assert slept == [10.0, 0.0]


async def test_text_that_can_be_taken_back_is_shown_at_once_and_taken_back() -> None:
    screen = Screen()
    assert isinstance(screen, RestartableText)
    retrying, _ = _retrying(Failing(DOWN, DOWN, partly="All is l"))
    await retrying.complete(ASK, screen)
    assert screen.shown == "All is well."
    assert screen.restarts == 2


async def test_nothing_is_taken_back_where_nothing_was_shown() -> None:
    screen = Screen()
    retrying, _ = _retrying(Failing(DOWN))
    await retrying.complete(ASK, screen)
    assert (screen.shown, screen.restarts) == ("All is well.", 0)


async def test_text_that_cannot_be_taken_back_is_shown_when_it_is_complete() -> None:
    shown: list[str] = []
    retrying, _ = _retrying(Failing(DOWN, partly="All is l"))
    await retrying.complete(ASK, shown.append)
    assert shown == ["All is well."]


async def test_a_caller_that_is_cancelled_while_it_waits_asks_no_more() -> None:
    model = Failing(DOWN)
    waiting = asyncio.Event()

    async def sleep(_: float) -> None:
        waiting.set()
        await asyncio.get_running_loop().create_future()

    task = asyncio.create_task(Retrying(model, sleep=sleep).complete(ASK))
    await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(model.requests) == 1


async def test_the_model_underneath_is_described() -> None:
    model = Failing()
    retrying, _ = _retrying(model)
    described: Callable[[], int] = lambda: retrying.count_tokens(ASK.messages)  # noqa: E731
    assert (retrying.card, described()) == (model.card, 1)
