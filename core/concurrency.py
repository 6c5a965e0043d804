"""Event loops: run the async core from synchronous code, gather results, keep a value a loop."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

T = TypeVar("T")


def run_sync(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` to its end and return its result.

    Works inside a running event loop too (a notebook cell): the work then gets a loop in a
    thread of its own, and the caller's loop waits, as it would for any synchronous call.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(asyncio.run, work).result()


async def gather(coroutines: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """Run coroutines at the same time; return what each gives, in their order.

    Unlike `asyncio.gather`, the first failure cancels the others.
    """
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(each) for each in coroutines]
    return [task.result() for task in tasks]


class PerLoop(Generic[T]):
    """One value for each event loop, made when it is first needed there.

    Connections, semaphores and futures cannot be shared between loops, but what holds them
    outlives a loop: `run_sync` makes one for each call, and a notebook has several.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._values: WeakKeyDictionary[asyncio.AbstractEventLoop, T] = WeakKeyDictionary()

    def get(self) -> T:
        """Return the value of the running loop."""
        loop = asyncio.get_running_loop()
        if loop not in self._values:
            self._values[loop] = self._make()
        return self._values[loop]

    def pop(self) -> T | None:
        """Take the value of the running loop away."""
        return self._values.pop(asyncio.get_running_loop(), None)
