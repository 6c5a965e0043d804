"""`lcagent batch run`: begins a job of a verb, or goes on with it.

What it may cost is said first, and asked for where it is much.
"""

import inspect
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lcagent.cli import batch_jobs, options, printing
from lcagent.cli.batch_display import estimate_lines
from lcagent.cli.flags import parameters_of, task_of, with_signature
from lcagent.concurrency import run_sync
from lcagent.errors import UsageError
from lcagent.pipelines.registry import methods_of, strategies
from lcagent.tasks import AskTask, MethodOptions, SummarizeTask, Task

if TYPE_CHECKING:
    from lcagent.pipelines.batch.planning import JobRequest
    from lcagent.pipelines.batch.runner import JobLimits, JobOutcome
    from lcagent.pipelines.session import Session

_CONFIRM_SAMPLE = 50

run_app = typer.Typer(
    help="Begin a job, or go on with it: the same command again continues.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app = batch_jobs.app
app.add_typer(run_app, name="run")

Requests = Annotated[
    Path | None,
    typer.Option(
        "--requests", metavar="FILE", help="Tasks, one JSON object a line, in place of documents."
    ),
]
New = Annotated[bool, typer.Option("--new", help="Begin afresh, although there is such a job.")]
Sample = Annotated[
    int | None,
    typer.Option("--sample", min=1, metavar="N", help="With --dry-run: plan so many items only."),
]
Yes = Annotated[bool, typer.Option("--yes", help="Ask for no confirmation.")]
ConfirmAbove = Annotated[
    float,
    typer.Option(
        "--confirm-above", min=0, metavar="USD", help="Ask before a job that may cost more."
    ),
]
Vectors = Annotated[bool, typer.Option("--vectors/--no-vectors", help="Compute all vectors, too.")]


@run_app.command("ask")
def run_ask(
    documents: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="DOC... QUESTION",
            help="Files, folders, globs or stored ids; then the question.",
        ),
    ] = None,
    requests: Requests = None,
    **typed: Any,
) -> int:
    """Ask each document the same question, or each line of --requests its own."""
    named = list(documents or ())
    question = named.pop() if named and requests is None else ""
    if requests is None and not named:
        raise UsageError("give documents and a question: lcagent batch run ask DOC... QUESTION")
    how, limits, task = _typed(AskTask, typed, documents=("-",), question=question or "-")
    return _run(_requested(task, named, requests, how), limits, how)


@run_app.command("summarize")
def run_summarize(
    documents: Annotated[
        list[str] | None,
        typer.Argument(metavar="DOC...", help="Files, folders, globs or stored ids."),
    ] = None,
    requests: Requests = None,
    **typed: Any,
) -> int:
    """Summarize each document by itself, or what each line of --requests names."""
    named = list(documents or ())
    if requests is None and not named:
        raise UsageError("give documents: lcagent batch run summarize DOC...")
    how, limits, task = _typed(SummarizeTask, typed, documents=("-",))
    return _run(_requested(task, named, requests, how), limits, how)


@run_app.command("index")
def run_index(
    documents: options.Documents,
    ocr: options.Ocr = None,
    vectors: Vectors = False,
    in_flight: batch_jobs.InFlight = 16,
    attempts: batch_jobs.Attempts = 3,
    grace: batch_jobs.Grace = 25.0,
    new: New = False,
) -> int:
    """Read and index each document, so that later questions need not."""
    from lcagent.pipelines.batch.planning import IndexRequest, JobRequest  # noqa: PLC0415
    from lcagent.pipelines.batch.runner import JobLimits  # noqa: PLC0415 -- `--help` is fast

    work = IndexRequest(ocr=ocr, vectors=vectors)
    how: dict[str, Any] = {"in_flight": in_flight, "attempts": attempts, "grace": grace}
    return _run(JobRequest(work, tuple(documents), is_new=new), JobLimits(), how)


def _typed(
    kind: type[Task], typed: dict[str, Any], **positional: Any
) -> "tuple[dict[str, Any], JobLimits, Task]":
    """Return how the job is run, its limits, and the task of each item."""
    from lcagent.pipelines.batch.runner import JobLimits  # noqa: PLC0415 -- `--help` is fast

    how = {name: typed.pop(name) for name in _HOW}
    limits = JobLimits(**{name: typed[name] for name in JobLimits.__slots__})
    typed = {**_NO_FILE, **typed, **dict.fromkeys(JobLimits.__slots__)}
    return how, limits, task_of(kind, _methods(kind), typed, **positional)


def _requested(
    task: Task, documents: Sequence[str], requests: Path | None, how: dict[str, Any]
) -> "JobRequest":
    from lcagent.pipelines.batch.planning import JobRequest, read_requests  # noqa: PLC0415

    output, is_new = how.pop("output"), how.pop("new")
    if requests is None:
        return JobRequest(task, tuple(documents), output, is_new=is_new)
    if documents:
        raise UsageError("--requests names the documents of each line: give none beside it")
    defaults = {name: value for name, value in task.as_json().items() if value != "-"}
    defaults.pop("documents")
    read = list(read_requests(requests, task.verb, defaults))
    if not read:
        raise UsageError(f"{requests} has no requests")
    names, tasks = zip(*read, strict=True)
    return JobRequest(tasks, (), output, is_new, names)


def _run(request: "JobRequest", limits: "JobLimits", how: dict[str, Any]) -> int:
    if how.pop("dry_run", False):
        run_sync(_print_estimate(request, how))
        return 0
    return batch_jobs.report(run_sync(_begin(request, limits, how)))


async def _print_estimate(request: "JobRequest", how: dict[str, Any]) -> None:
    from lcagent.pipelines.batch.estimate import estimate  # noqa: PLC0415 -- `--help` is fast
    from lcagent.pipelines.batch.planning import planned_items  # noqa: PLC0415

    async with batch_jobs.open_session(how["in_flight"]) as session:
        items = await planned_items(request, session.services)
        found = await estimate(session, items, sample=how["sample"], in_flight=how["in_flight"])
        for line in estimate_lines(found, how["in_flight"]):
            printing.print_line(line)


async def _begin(request: "JobRequest", limits: "JobLimits", how: dict[str, Any]) -> "JobOutcome":
    from lcagent.pipelines.batch.planning import plan_job  # noqa: PLC0415 -- `--help` is fast

    async with batch_jobs.open_session(how["in_flight"]) as session:
        if not how.pop("yes", True):
            await _confirm(session, request, how)
        planned = await plan_job(request, session.services)
        if planned.copies:
            what = f"{planned.copies[0]} asks for the same as one before it, and is done once"
            more = f" (and {len(planned.copies) - 1:,} more)" if len(planned.copies) > 1 else ""
            printing.print_notes([f"{what}{more}"])
        verb = "begun" if planned.is_made else "goes on"
        new = f"{planned.added:,} new item{'s' * (planned.added != 1)}"
        printing.print_notes([f"job {planned.job.id[:12]} {verb}, {new}"])
        how["stops_at_unusable_models"] = not request.names
        how["base_url"] = getattr(request.work, "base_url", None)
        return await batch_jobs.carry_out(session, planned.job, limits, how)


async def _confirm(session: "Session", request: "JobRequest", how: dict[str, Any]) -> None:
    """Ask whether a job that may cost much is meant.

    Raises:
        UsageError: It is not, or nobody is there to be asked.
    """
    from lcagent.pipelines.batch.estimate import estimate  # noqa: PLC0415 -- `--help` is fast
    from lcagent.pipelines.batch.planning import planned_items  # noqa: PLC0415

    most_usd, in_flight = how["confirm_above"], how["in_flight"]
    items = await planned_items(request, session.services)
    first = await estimate(session, items[:1], in_flight=in_flight)
    if first.usd is None or (first.plans and not first.usd.total):
        return  # nobody is paid, or nobody knows how much
    found = await estimate(session, items, sample=_CONFIRM_SAMPLE, in_flight=in_flight)
    if found.usd is None or found.usd.total + found.usd.either_way <= most_usd:
        return
    for line in estimate_lines(found, in_flight):
        printing.print_status(line)
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(
            f"the job may cost more than ${most_usd:g} (--confirm-above): give --yes to begin it"
        )
    if not typer.confirm("Begin?", err=True):
        raise UsageError("not begun")


def _methods(kind: type[Task]) -> list[type[MethodOptions]]:
    return [each.options for each in methods_of(kind.verb) if each.options is not None]


_NO_FILE = {"output": None, "may_overwrite": False}
"""Flags of `summarize` for a file of one summary, which a job does not have."""
_HOW: dict[str, tuple[Any, Any]] = {
    "output": (batch_jobs.Output, None),
    "dry_run": (options.DryRun, False),
    "sample": (Sample, None),
    "yes": (Yes, False),
    "confirm_above": (ConfirmAbove, 1.0),
    "in_flight": (batch_jobs.InFlight, 16),
    "attempts": (batch_jobs.Attempts, 3),
    "item_max_usd": (batch_jobs.ItemMaxUsd, None),
    "grace": (batch_jobs.Grace, 25.0),
    "new": (New, False),
}
"""Options of a job by their names: how each is typed, and its default."""
_METAVARS = {"strategy": "|".join(strategies())}

for _command, _kind in ((run_ask, AskTask), (run_summarize, SummarizeTask)):
    _of_the_job = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
        for name, (kind, default) in _HOW.items()
    ]
    _of_the_task = [
        each
        for each in parameters_of(_kind, _methods(_kind), _METAVARS)
        if each.name not in _NO_FILE
    ]
    with_signature(_command, [*_of_the_job, *_of_the_task])
