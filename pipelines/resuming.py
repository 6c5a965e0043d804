"""What it takes to go on with a run: its task as it is stored, and read again."""

from dataclasses import replace
from typing import Any

from lcagent.errors import UsageError
from lcagent.pipelines.context import RunContext
from lcagent.pipelines.registry import read_task
from lcagent.storage.run_store import StoredRun
from lcagent.tasks import QUOTE, ModelTask, Task


def stored_request(context: RunContext, *, model_is_given: bool) -> dict[str, Any]:
    """Return what it takes to resume a run: its task, on the stored documents."""
    task = context.task
    changed: dict[str, Any] = {"documents": tuple(context.documents)}
    if isinstance(task, ModelTask):
        changed["model"] = QUOTE if context.model is None else context.model.card.name
    request = replace(task, **changed).as_json()
    return {**request, "model_is_given": model_is_given}


def resumable_task(stored: StoredRun, *, has_model: bool) -> Task:
    """Return the task of a run that can go on.

    Raises:
        UsageError: It has ended, or its model was made by a program and is not here.
    """
    if stored.status == "done":
        raise UsageError(
            f"the run {stored.id[:12]} has ended (see: lcagent runs show {stored.id[:12]})"
        )
    request = dict(stored.request or {})
    if not request or (request.pop("model_is_given", False) and not has_model):
        what = "its model was made by a program"
        raise UsageError(f"the run {stored.id[:12]} cannot be resumed: {what}")
    return read_task(request)
