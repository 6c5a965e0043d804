"""The log of a run: its steps, as they end, in the store and in memory; and who may write it.

It is what survives a kill: a run that goes on takes in the steps that ended, and does the others;
replies that were paid for meanwhile are in the reply cache.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from lcagent.errors import StorageError, UsageError
from lcagent.models.finishes import cut_notes
from lcagent.models.limits import total_usage
from lcagent.results import Usage
from lcagent.storage.leases import LEASE_S, Owner
from lcagent.storage.run_store import RunStore, StoredStep

RENEWALS = 3
"""How often a claim is renewed before it would end."""


@dataclass(slots=True)
class RunLog:
    """The steps of one run that ended.

    Attributes:
        store: Where they are kept; None to keep them in memory only, as a graph in somebody
            else's program may.
    """

    run_id: str = ""
    store: RunStore | None = None
    _steps: dict[str, StoredStep] = field(default_factory=dict[str, StoredStep])

    async def load(self) -> None:
        """Take in what was logged before this process."""
        if self.store is not None:
            stored = await asyncio.to_thread(self.store.steps, self.run_id)
            self._steps = {step.key: step for step in stored}

    async def add(self, step: StoredStep) -> None:
        """Keep a step that ended, in place of an earlier go at it."""
        if self.store is not None:
            await asyncio.to_thread(self.store.record_step, self.run_id, step)
        self._steps.pop(step.key, None)
        self._steps[step.key] = step

    def __getitem__(self, key: str) -> StoredStep:
        """Return a step by its key."""
        return self._steps[key]

    def __contains__(self, key: str) -> bool:
        """Say whether a step ended."""
        return key in self._steps

    def steps(self, prefix: str = "") -> Iterator[StoredStep]:
        """Yield the steps whose key begins so, in the order in which they ended."""
        return (step for key, step in self._steps.items() if key.startswith(prefix))

    def cut_notes(self, key: str) -> list[str]:
        """Return why the reply that a step ended with is no whole one; nothing if it is."""
        calls = self._steps[key].calls if key in self._steps else []
        return cut_notes(calls[-1]["finish"]) if calls else []

    @property
    def usage(self) -> Usage:
        """What all calls cost together."""
        return total_usage(self._calls())

    def _calls(self) -> Iterator[Mapping[str, Any]]:
        return (call for step in self._steps.values() for call in step.calls)


@asynccontextmanager
async def claimed(runs: RunStore, run_id: str) -> AsyncIterator[None]:
    """Be the only one at a run, on whatever machine; the claim is renewed while the body runs.

    A process that dies renews no more, so that its run is taken over when the lease has ended, at
    once on the same machine.

    Raises:
        UsageError: Another process is at the run, or took it over while this one stood still.
    """
    owner, body = Owner.of_this_process(), asyncio.current_task()
    await asyncio.to_thread(runs.claim, run_id, owner)
    is_lost = False

    async def renew() -> None:
        nonlocal is_lost
        while not is_lost:
            await asyncio.sleep(LEASE_S / RENEWALS)
            with suppress(StorageError):  # a database that is away for a moment; the next may do
                is_lost = not await asyncio.to_thread(runs.renew, run_id, owner)
        assert body is not None
        body.cancel()

    heartbeat = asyncio.create_task(renew())
    try:
        yield
    except asyncio.CancelledError:
        if not is_lost or body is None:
            raise
        body.uncancel()
        message = f"another process has taken over the run {run_id[:12]}, which goes on there"
        raise UsageError(message) from None
    finally:
        heartbeat.cancel()
        await asyncio.shield(asyncio.to_thread(runs.release, run_id, owner))
