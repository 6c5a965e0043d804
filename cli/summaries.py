"""`lcagent summarize`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lcagent.cli import options, printing
from lcagent.cli.progress import reading_progress
from lcagent.cli.watching import watching
from lcagent.cli.writing import Output
from lcagent.errors import UsageError
from lcagent.results import Summary

if TYPE_CHECKING:
    from lcagent.pipelines.methods.summarize.options import SummaryOptions


def summarize(
    documents: options.Documents,
    words: Annotated[
        int, typer.Option("--words", min=1, metavar="N", help="How long it should be.")
    ] = 400,
    focus: Annotated[
        str | None, typer.Option("--focus", metavar="QUESTION", help="What it should be about.")
    ] = None,
    each: Annotated[
        bool, typer.Option("--each/--together", help="A summary of each document, or one of all.")
    ] = False,
    by: Annotated[
        str,
        typer.Option(
            "--by", metavar="chapters|chunks", help="Read chapter by chapter, or as much as fits."
        ),
    ] = "chapters",
    parallel: Annotated[
        bool, typer.Option("--parallel", help="Read all parts at the same time.")
    ] = False,
    output: Output = None,
    model: options.Model = None,
    base_url: options.BaseUrl = None,
    window: options.Window = None,
    pages: options.Pages = None,
    password: options.Password = None,
    ocr: options.Ocr = None,
    max_usd: options.MaxUsd = None,
    max_calls: options.MaxCalls = None,
    max_time: options.MaxTime = None,
    no_cache: options.NoCache = False,
    dry_run: options.DryRun = False,
    explain: options.Explain = False,
    verbose: options.Verbose = False,
    json: options.Json = False,
    strict: options.Strict = False,
) -> int:
    """Summarize the documents, every statement with a checked citation."""
    from lcagent import pipelines  # noqa: PLC0415 -- `--help` must not wait for it

    given: SummaryOptions = {
        "words": words,
        "focus": focus,
        "by": by,
        "is_parallel": parallel,
        "output": output,
        "base_url": base_url,
        "window": window,
        "pages": pages,
        "password": password,
        "ocr": ocr,
        "max_usd": max_usd,
        "max_calls": max_calls,
        "max_time_s": max_time,
        "use_cache": not no_cache,
    }
    if model is not None:
        given["model"] = model
    if each and (output is not None or dry_run):
        raise UsageError("--each goes with neither --output nor --dry-run")
    if dry_run:
        with reading_progress() as progress:
            given["progress"] = progress
            planned = pipelines.plan_summary(documents, **given)
        printing.print_json(planned.as_json()) if json else printing.print_plan(planned)
        return 0
    with watching(shows_answer=False, explains=explain, is_verbose=verbose) as watch:
        given["progress"], given["on_event"] = watch.reading, watch.tell
        if not each:
            made = [pipelines.summarize(documents, **given)]
        else:
            made = pipelines.summarize_each(documents, **given)
    if each and json:
        printing.print_json(_together(made))
        return max(_status(one, strict=strict) for one in made)
    return max(
        finish_summary(one, json=json, strict=strict, output=output, is_titled=each) for one in made
    )


def finish_summary(
    summary: Summary,
    *,
    json: bool,
    strict: bool,
    output: Path | None = None,
    is_titled: bool = False,
) -> int:
    """Print a summary, and return the exit status."""
    figures = f"{summary.words:,} words of {summary.target_words:,}"
    notes = [*summary.notes]
    if json:
        printing.print_json(summary.as_json())
    elif output is not None:
        printing.print_line(f"{output}: {figures}")
    else:
        if is_titled:
            printing.print_line(f"# {', '.join(summary.documents)}\n")
        printing.print_summary(summary)
        notes.append(figures)
    if summary.usage.calls or summary.usage.cached_calls:
        notes.append(printing.in_figures(summary.usage))
    printing.print_notes(notes)
    return _status(summary, strict=strict)


def _status(summary: Summary, *, strict: bool) -> int:
    return 3 if strict and any(one.status == "unsupported" for one in summary.claims) else 0


def _together(summaries: list[Summary]) -> dict[str, Any]:
    found = [summary.as_json() for summary in summaries]
    return {"schema": "lcagent.summaries/1", "summaries": found}
