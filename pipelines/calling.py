"""What makes a verb of an asynchronous function: known arguments, and a synchronous form."""

import inspect
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from lcagent.concurrency import run_sync
from lcagent.fields import unknown_name
from lcagent.pipelines.session import Session

P = ParamSpec("P")
ResultT = TypeVar("ResultT")


def verb(
    function: Callable[P, Coroutine[Any, Any, ResultT]],
) -> Callable[P, Coroutine[Any, Any, ResultT]]:
    """Let a verb say which arguments there are when it is called with one that is none."""
    names = [
        name
        for name, each in inspect.signature(function).parameters.items()
        if each.kind is not inspect.Parameter.VAR_KEYWORD
    ]
    takes_any = len(names) < len(inspect.signature(function).parameters)
    shown = function.__name__.removesuffix("_async")

    @wraps(function)
    async def checked(*args: P.args, **kwargs: P.kwargs) -> ResultT:
        for name in kwargs:
            if name not in names and not takes_any:
                raise TypeError(unknown_name(f"arguments of {shown}()", name, names))
        return await function(*args, **kwargs)

    return checked


def synchronous(function: Callable[P, Coroutine[Any, Any, ResultT]]) -> Callable[P, ResultT]:
    """Return a verb for synchronous code and notebooks, with the same signature."""

    @wraps(function)
    def waiting(*args: P.args, **kwargs: P.kwargs) -> ResultT:
        return run_sync(_alone(function(*args, **kwargs), kwargs.get("session")))

    waiting.__name__ = function.__name__.removesuffix("_async")
    waiting.__qualname__ = waiting.__name__
    return waiting


async def _alone(work: Coroutine[Any, Any, ResultT], session: Any) -> ResultT:
    """Do some work, and close what its event loop would leave open of a session of the caller's."""
    try:
        return await work
    finally:
        if isinstance(session, Session):
            await session.services.close_models()
