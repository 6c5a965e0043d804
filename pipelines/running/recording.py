"""The record of a run: its steps, as they end, in the store and in memory."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lcagent.models.limits import total_usage
from lcagent.results import Usage
from lcagent.storage.run_store import RunStore, StoredStep


@dataclass(slots=True)
class Record:
    """The steps of one run that ended.

    Attributes:
        store: Where they are kept; None to keep them in memory only, as a graph in somebody
            else's program may.
    """

    run_id: str = ""
    store: RunStore | None = None
    _steps: dict[str, StoredStep] = field(default_factory=dict[str, StoredStep])

    async def load(self) -> None:
        """Take in what was recorded before this process."""
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

    @property
    def usage(self) -> Usage:
        """What all calls cost together."""
        return total_usage(self._calls())

    def _calls(self) -> Iterator[Mapping[str, Any]]:
        return (call for step in self._steps.values() for call in step.calls)
