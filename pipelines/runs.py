"""Past runs, for `lcagent runs`, and going on with those that did not end."""

from typing import Any, Unpack, cast

from lcagent.errors import UsageError
from lcagent.pipelines.ask import ask_again
from lcagent.pipelines.ask_options import AskOptions
from lcagent.pipelines.methods.summary_options import SummaryOptions
from lcagent.pipelines.options import open_runtime, run_verb
from lcagent.pipelines.runtime import Runtime
from lcagent.pipelines.summarize import summarize_again
from lcagent.pipelines.write import write_again
from lcagent.pipelines.writing.options import WriteOptions
from lcagent.results import Answer
from lcagent.storage.run_store import StoredRun, StoredStep
from lcagent.texts import Article, Summary


def list_runs(most: int = 20) -> list[StoredRun]:
    """Return the newest runs, the newest first."""
    with Runtime.open() as runtime:
        return runtime.runs.listed(most)


def find_runs(prefix: str) -> list[StoredRun]:
    """Return the runs whose id begins with `prefix`."""
    with Runtime.open() as runtime:
        return runtime.runs.with_prefix(prefix)


def steps_of(run_id: str) -> list[StoredStep]:
    """Return the steps of a run in the order in which they ended."""
    with Runtime.open() as runtime:
        return runtime.runs.steps(run_id)


async def resume_async(run_id: str, **options: Unpack[AskOptions]) -> Answer | Article | Summary:
    """Go on with a run that was killed, failed, or was stopped by a limit.

    Args:
        run_id: The id, or how it begins.
        options: What is to be different from before, such as a higher limit.

    Raises:
        UsageError: There is no such run, it has ended, or it cannot be resumed.
    """
    async with open_runtime(options) as runtime:
        stored, request = _resumable(runtime.runs.with_prefix(run_id), run_id)
        merged = cast("AskOptions", {**request["options"], **options})
        if stored.verb == "write":
            return await write_again(stored, request, cast("WriteOptions", merged), runtime)
        if stored.verb == "summarize":
            given = cast("SummaryOptions", merged)
            return await summarize_again(stored, request, given, runtime)
        return await ask_again(stored, request, merged, runtime)


def resume(run_id: str, **options: Unpack[AskOptions]) -> Answer | Article | Summary:
    """Do as `resume_async` does, from synchronous code or a notebook."""
    return run_verb(resume_async(run_id, **options), options)


def _resumable(found: list[StoredRun], run_id: str) -> tuple[StoredRun, dict[str, Any]]:
    if len(found) != 1:
        raise UsageError(f"{len(found) or 'no'} runs have an id that begins with {run_id}")
    if found[0].status == "done":
        raise UsageError(f"the run {run_id} has ended (see: lcagent runs show {run_id})")
    if found[0].request is None:
        raise UsageError(f"the run {run_id} cannot be resumed: its model was made by a program")
    return found[0], found[0].request
