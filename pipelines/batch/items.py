"""Carrying out one item of a job: a run of its own, whose id is fixed before it begins.

So a second attempt, by whichever worker, goes on with the run of the first: its steps and replies
are stored, and nothing of them is paid for again.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lcagent.errors import (
    ContextTooLong,
    LcagentError,
    ModelError,
    ModelUnavailable,
    UnreadableDocument,
    UsageError,
)
from lcagent.models.limits import Budget
from lcagent.pipelines.coverage import notes_on
from lcagent.pipelines.events import Event, Planned, StepDone
from lcagent.pipelines.preparing import JobItem
from lcagent.pipelines.registry import read_task
from lcagent.pipelines.session import Session
from lcagent.results import Plan
from lcagent.retrieval.library import content_hash
from lcagent.storage.item_queue import ClaimedItem
from lcagent.tasks import ModelTask, Task

OnStep = Callable[[str], None]
"""Is told how far an item has come, in words."""


@dataclass(frozen=True, slots=True)
class ItemOptions:
    """How an item is carried out.

    Attributes:
        max_usd: What it may spend, beside what the job may.
        base_url: Of the server as it was given, with what proves the user and is not stored.
    """

    max_usd: float | None = None
    base_url: str | None = None

    def changes(self, base_url: str | None) -> dict[str, Any]:
        """Return what is to be different of a task that was stored with this base URL."""
        changed: dict[str, Any] = {} if self.max_usd is None else {"max_usd": self.max_usd}
        if base_url is not None and base_url == self.base_url:
            changed["base_url"] = self.base_url
        return changed


async def plan_item(session: Session, request: Mapping[str, Any]) -> Plan | None:
    """Return what an item will take; None for one that asks no model.

    Raises:
        UsageError: It cannot be carried out.
    """
    if "task" not in request:
        await session.collect(await asyncio.to_thread(_sources, session, request))
        return None
    return await session.plan(await _task(session, request))


async def carry_out(
    session: Session,
    item: ClaimedItem,
    job: JobItem,
    *,
    options: ItemOptions,
    on_step: OnStep,
) -> dict[str, Any] | None:
    """Carry out an item; return its result if that is stored nowhere else.

    Raises:
        LcagentError: As `Session.run`.
    """
    on_step("reading")
    if "task" not in item.request:
        return await _index(session, item.request)
    runs = session.services.runs
    known = await asyncio.to_thread(runs.load, item.run_id)
    if known is not None and known.status == "done":  # its worker was killed right behind it
        return None

    def tell(event: Event) -> None:
        if isinstance(event, Planned):
            on_step("the first call")
        elif isinstance(event, StepDone):
            on_step(f"behind {_in_words(event)}")

    companions: dict[str, Any] = {"on_event": tell, "item": job}
    if known is not None:
        changed = options.changes((known.request or {}).get("base_url"))
        await session.resume(item.run_id, **changed, **companions)
        return None
    task = await _task(session, item.request)
    if isinstance(task, ModelTask):
        task = replace(task, **options.changes(task.base_url))
    await session.run(task, **companions)
    return None


def is_mended_by_another_attempt(error: BaseException) -> bool:
    """Say whether an error may go away by itself: a server's does, a wrong file's does not."""
    if isinstance(error, ModelError):
        return not isinstance(error, ContextTooLong)
    return not isinstance(error, LcagentError)


def is_of_the_server(error: BaseException) -> bool:
    """Say whether other items will fail by the same error, too."""
    return isinstance(error, ModelUnavailable)


def budget_of(item: ClaimedItem, calls: int | None, usd: float | None) -> Budget:
    """Return a budget of what is reserved for an item, more with each attempt that failed."""
    failures = max(1, item.attempts - item.losses)
    return Budget(
        max_usd=None if usd is None else usd * failures,
        max_calls=None if calls is None else calls * failures,
    )


async def _task(session: Session, request: Mapping[str, Any]) -> Task:
    task = read_task(request["task"])
    sources = await asyncio.to_thread(_sources, session, request)
    changed: dict[str, Any] = {"documents": sources}
    return replace(task, **changed) if sources else task


def _sources(session: Session, request: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the documents of an item where they are: as files that did not change, or stored.

    Raises:
        UsageError: One changed since the job was begun, or is gone, and was not read before.
    """
    return tuple(_source(session, path, content) for path, content in request["contents"].items())


def _source(session: Session, path: str, content: str | None) -> str:
    if path == content or content is None:
        return path
    try:
        found = content_hash(Path(path))
    except UnreadableDocument as error:
        found, why = None, str(error)
    else:
        why = f"{path}: it changed since the job was begun: run the same command again"
    if found == content:
        return path
    if session.services.documents.revision(content) is None:
        raise UsageError(why)
    return content


async def _index(session: Session, request: Mapping[str, Any]) -> dict[str, Any]:
    how = request["index"]
    sources = await asyncio.to_thread(_sources, session, request)
    collection = await session.collect(sources, ocr=how["ocr"])
    documents = collection.documents
    await session.services.indexer.prepare(documents, vectors=how["vectors"])
    return {
        "schema": "lcagent.indexed/1",
        "documents": [
            {"id": each.id, "name": each.name, "pages": len(each.pages)} for each in documents
        ],
        "notes": list(notes_on(documents)),
    }


def _in_words(step: StepDone) -> str:
    counted = f"{step.what} {step.done} of {step.total}" if step.total else step.what
    return f"{counted} ({step.where})" if step.where else counted
