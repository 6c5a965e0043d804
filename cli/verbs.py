"""The commands that run a task: `ask`, `search`, `summarize`, `write`.

Each parses, hands its task to the session, and prints. Their flags are the fields of their tasks.
"""

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from lcagent.cli import options, printing
from lcagent.cli.flags import parameters_of, task_of, with_signature
from lcagent.cli.progress_display import reading_progress
from lcagent.cli.run_display import watching
from lcagent.concurrency import run_sync
from lcagent.errors import UsageError
from lcagent.pipelines.methods.write.options import WriteOptions
from lcagent.pipelines.registry import methods_of, strategies
from lcagent.results import Answer, Article, Plan, Result, SearchResult, Summary
from lcagent.tasks import AskTask, MethodOptions, SearchTask, SummarizeTask, Task, WriteTask

if TYPE_CHECKING:
    from lcagent.pipelines.session import Session

TaskT = TypeVar("TaskT", bound=Task)

Question = Annotated[str, typer.Argument(metavar="QUESTION", help="What to find out.")]
Query = Annotated[str, typer.Argument(metavar="QUERY", help="What to look for.")]
Instruction = Annotated[
    str, typer.Argument(metavar="INSTRUCTION", help="What to write, and for whom.")
]
From = Annotated[
    list[str] | None,
    typer.Option(
        "--from", metavar="DOC", help="Write from this document, with citations; repeatable."
    ),
]
Each = Annotated[
    bool, typer.Option("--each/--together", help="A summary of each document, or one of all.")
]


def ask(
    documents: options.Documents,
    question: Question,
    password: options.Password = None,
    dry_run: options.DryRun = False,
    explain: options.Explain = False,
    verbose: options.Verbose = False,
    json: options.Json = False,
    strict: options.Strict = False,
    **typed: Any,
) -> int:
    """Answer QUESTION from the documents, every statement with a checked citation."""
    task = _task(AskTask, typed, documents=tuple(documents), question=question)
    if dry_run:
        return _print_plan_of(task, password, json=json)
    streams = not json and sys.stdout.isatty()
    with watching(shows_answer=streams, explains=explain, is_verbose=verbose) as watch:
        answer = run_sync(
            run_task(task, password=password, progress=watch.reading, on_event=watch.tell)
        )
    return finish(answer, shown=watch.shown, json=json, strict=strict)


def search(
    documents: options.Documents,
    query: Query,
    password: options.Password = None,
    json: options.Json = False,
    **typed: Any,
) -> int:
    """List the passages of the documents that fit QUERY best, with their pages."""
    task = _task(SearchTask, typed, documents=tuple(documents), query=query)
    with reading_progress() as progress:
        found = run_sync(run_task(task, password=password, progress=progress))
    assert isinstance(found, SearchResult)
    printing.print_notes(found.notes)
    if json:
        printing.print_json(found.as_json())
    else:
        printing.print_hits(found)
    return 0


def summarize(
    documents: options.Documents,
    each: Each = False,
    password: options.Password = None,
    dry_run: options.DryRun = False,
    explain: options.Explain = False,
    verbose: options.Verbose = False,
    json: options.Json = False,
    strict: options.Strict = False,
    **typed: Any,
) -> int:
    """Summarize the documents, every statement with a checked citation."""
    output = typed["output"]  # as it was typed; the task has it absolute
    task = _task(SummarizeTask, typed, documents=tuple(documents))
    if each and (output is not None or dry_run):
        raise UsageError("--each goes with neither --output nor --dry-run")
    if dry_run:
        return _print_plan_of(task, password, json=json)
    with watching(shows_answer=False, explains=explain, is_verbose=verbose) as watch:
        told = {"password": password, "progress": watch.reading, "on_event": watch.tell}
        made = run_sync(run_each(task, is_split=each, **told))
    if each and json:
        printing.print_json(
            {"schema": "lcagent.summaries/1", "summaries": [one.as_json() for one in made]}
        )
        return max(status_of(summary, is_strict=strict) for summary in made)
    return max(
        finish(summary, json=json, strict=strict, output=output, is_titled=each) for summary in made
    )


def write(
    instruction: Instruction,
    documents: From = None,
    password: options.Password = None,
    dry_run: options.DryRun = False,
    explain: options.Explain = False,
    verbose: options.Verbose = False,
    json: options.Json = False,
    strict: options.Strict = False,
    **typed: Any,
) -> int:
    """Write what INSTRUCTION asks for by a plan, on its own or from documents."""
    output = typed["output"]  # as it was typed; the task has it absolute
    task = _task(WriteTask, typed, instruction=instruction, documents=tuple(documents or ()))
    how = task.method_options(WriteOptions)
    if dry_run:
        return _print_plan_of(task, password, json=json)
    shows_text = not json and how.output is None and not how.plan_only
    with watching(shows_answer=shows_text, explains=explain, is_verbose=verbose) as watch:
        article = run_sync(
            run_task(task, password=password, progress=watch.reading, on_event=watch.tell)
        )
    if how.plan_only and not json:
        return _print_plan_text(article, output)
    return finish(article, shown=watch.shown, json=json, strict=strict, output=output)


def finish(
    result: "Result | SearchResult",
    *,
    shown: str = "",
    json: bool,
    strict: bool,
    output: str | None = None,
    is_titled: bool = False,
) -> int:
    """Print what of a result is not `shown` yet, and return the exit status.

    Args:
        output: The file that holds the text already.
        is_titled: The text is one of several, and needs the names of its documents.
    """
    assert isinstance(result, Result)
    if json:
        printing.print_json(result.as_json())
    elif isinstance(result, Answer):
        printing.print_answer(result, shown)
    elif output is not None:
        printing.print_line(f"{output}: {printing.length_in_words(result)}")
    elif isinstance(result, Article):
        printing.print_article(result, shown)
    elif isinstance(result, Summary):
        printing.print_summary(result, is_titled=is_titled)
    printing.print_notes(printing.notes_on(result, is_shown=not json and output is None))
    return status_of(result, is_strict=strict)


def status_of(result: Result, *, is_strict: bool) -> int:
    """Return the exit status of a result: 3 for claims that are not proved, if they matter."""
    is_proved = all(claim.status == "supported" for claim in result.claims)
    return 0 if is_proved or not is_strict else 3


async def run_task(task: Task, **companions: Any) -> "Any":
    """Carry out a task in a session of its own."""
    async with _session() as session:
        return await session.run(task, **companions)


async def run_each(task: SummarizeTask, *, is_split: bool, **companions: Any) -> list[Summary]:
    """Carry out a task, or with `is_split` once for each of its documents."""
    reading = {name: companions[name] for name in ("password", "progress")}
    async with _session() as session:
        if not is_split:
            return [await session.run(task, **companions)]
        collection = await session.collect(task.documents, ocr=task.ocr, **reading)
        return [
            await session.run(replace(task, documents=(document.id,)), **companions)
            for document in collection.documents
        ]


async def _plan(task: Task, **companions: Any) -> Plan:
    async with _session() as session:
        return await session.plan(task, **companions)


def _session() -> "Session":
    from lcagent.pipelines.session import Session  # noqa: PLC0415 -- `--help` must not wait for it

    return Session.open()


def _methods(kind: type[Task]) -> list[type[MethodOptions]]:
    return [each.options for each in methods_of(kind.verb) if each.options is not None]


def _task(kind: type[TaskT], typed: dict[str, Any], **positional: Any) -> TaskT:
    task = task_of(kind, _methods(kind), typed, **positional)
    assert isinstance(task, kind)
    return task


def _print_plan_of(task: Task, password: str | None, *, json: bool) -> int:
    with reading_progress() as progress:
        planned = run_sync(_plan(task, password=password, progress=progress))
    printing.print_json(planned.as_json()) if json else printing.print_plan(planned)
    return 0


def _print_plan_text(article: Article, output: str | None) -> int:
    from lcagent.pipelines.methods.write.result import plan_text  # noqa: PLC0415

    if output is None:
        printing.print_line(plan_text(article))
    printing.print_notes(article.notes)
    return 0


_METAVARS = {"strategy": "|".join(strategies())}

for _command, _kind in (
    (ask, AskTask),
    (search, SearchTask),
    (summarize, SummarizeTask),
    (write, WriteTask),
):
    with_signature(_command, parameters_of(_kind, _methods(_kind), _METAVARS))
