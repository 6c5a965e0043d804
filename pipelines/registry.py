"""The methods that lcagent knows. A new one is a folder in `methods/` and a line here."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lcagent.storage.run_store import StoredStep

from lcagent.errors import UsageError
from lcagent.fields import require, unknown_name
from lcagent.pipelines.method import Method
from lcagent.pipelines.methods import chain, quote, rag, summarize, tree, whole, write
from lcagent.pipelines.step_views import StepView
from lcagent.tasks import TASKS, AskTask, Task

METHODS: dict[str, Method] = {
    each.METHOD.name: each.METHOD for each in (quote, whole, rag, chain, tree, summarize, write)
}

AUTO = "auto"
"""The strategy of who leaves the choice to lcagent."""


def methods_of(verb: str) -> list[Method]:
    """Return the methods for tasks of a verb."""
    return [method for method in METHODS.values() if method.verb == verb]


def strategies() -> tuple[str, ...]:
    """Return what `AskTask.strategy` may be."""
    return (AUTO, *(method.name for method in methods_of("ask")))


def check_task(task: Task) -> None:
    """Refuse a strategy that does not exist, and options that nothing will look at.

    Raises:
        UsageError: There is such a thing.
    """
    usable = {method.name for method in methods_of(task.verb)}
    if isinstance(task, AskTask):
        if task.strategy not in strategies():
            known = ", ".join(strategies())
            raise UsageError(f"no strategy {task.strategy!r}; there are: {known}")
        if task.strategy != AUTO:
            usable = {task.strategy}
    for options in task.options:
        if options.method not in usable:
            what = f"the options of {options.method} are"
            if isinstance(task, AskTask) and options.method in strategies():
                good = f"-s {options.method} and -s {AUTO}"
                raise UsageError(f"{what} for {good}, not for -s {task.strategy}")
            raise UsageError(f"{what} not for {task.verb}")


def read_task(fields: Mapping[str, Any]) -> Task:
    """Return the task that JSON describes, with the options of any method.

    Args:
        fields: As of `Task.as_json`; `verb` says which task it is, what is missing has its default.

    Raises:
        UsageError: A name or a value makes no sense.
    """
    require(fields, Mapping, "a task is a JSON object")
    verb = fields.get("verb")
    if verb is None:
        raise UsageError(f"a task has a verb: {', '.join(TASKS)}")
    if verb not in TASKS:
        raise UsageError(unknown_name("verbs", str(verb), TASKS))
    task = TASKS[verb].from_json(fields)
    check_task(task)
    return task


def task_schema(verb: str) -> dict[str, Any]:
    """Return the JSON schema of the tasks of a verb, with the options of its methods.

    Raises:
        UsageError: There is no such verb.
    """
    if verb not in TASKS:
        raise UsageError(unknown_name("verbs", verb, TASKS))
    schema = TASKS[verb].json_schema()
    options = schema["properties"]["options"]["properties"]
    own = {method.name for method in methods_of(verb)}
    for name in [name for name in options if name not in own]:
        del options[name]
    if verb == "ask":
        schema["properties"]["strategy"]["enum"] = list(strategies())
    return schema


def describe(step: "StoredStep", verb: str) -> StepView:
    """Return a step of a run as it is shown, by the method that it is of."""
    for method in methods_of(verb):
        view = method.describe_step(step)
        if view is not None:
            return view
    return StepView(step.key, step.key, calls=tuple(step.calls))
