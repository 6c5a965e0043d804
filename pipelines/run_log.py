"""The log of a run: its steps, as they end, in the store and in memory.

It is what survives a kill: a run that goes on takes in the steps that ended, and does the others;
replies that were paid for meanwhile are in the reply cache.
"""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lcagent.pipelines.running.metering import usage_of
from lcagent.results import Usage
from lcagent.storage.runs import RunStore, StoredStep


@dataclass(frozen=True, slots=True)
class Finding:
    """A statement that a step noted, with its quote looked up.

    Attributes:
        status: Of the quote, as that of a citation.
    """

    label: str
    status: str
    text: str


@dataclass(frozen=True, slots=True)
class StepView:
    """A step as it is shown, whatever its method.

    Attributes:
        pages: What it read: ids of documents, and places of pages in them, from 0.
        texts: What it handed on, each with a name; that of a reply is empty.
        calls: What each of its calls to a model cost.
    """

    key: str
    title: str
    pages: tuple[tuple[str, int], ...] = ()
    findings: tuple[Finding, ...] = ()
    texts: tuple[tuple[str, str], ...] = ()
    flags: tuple[str, ...] = ()
    calls: tuple[Mapping[str, Any], ...] = ()


def view_of(step: StoredStep, title: str, **more: Any) -> StepView:
    """Return a step as it is shown, its pages, reply and flags as all methods store them."""
    detail = step.detail
    texts = [(name, str(detail[key])) for name, key in _TEXTS if detail.get(key)]
    shown: dict[str, Any] = {
        "pages": tuple((document, page) for document, page in detail.get("pages", ())),
        "texts": tuple(texts),
        "flags": tuple(detail.get("flags", ())),
        "calls": tuple(step.calls),
    }
    return StepView(step.key, title, **{**shown, **more})


def describe_answer(step: StoredStep) -> StepView | None:
    """Return the step that writes an answer, or chooses the method, as it is shown."""
    kind = step.key.partition("/")[0]
    return view_of(step, step.key) if kind in ("answer", "route") else None


_TEXTS = (("message", "message"), ("", "reply"))


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

    @property
    def usage(self) -> Usage:
        """What all calls cost together."""
        return usage_of(self._calls())

    def _calls(self) -> Iterator[Mapping[str, Any]]:
        return (call for step in self._steps.values() for call in step.calls)
