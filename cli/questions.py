"""`lcagent ask` and `lcagent search`."""

from typing import TYPE_CHECKING, Annotated

import typer

from lcagent.cli import options, printing
from lcagent.cli.progress import reading_progress
from lcagent.cli.trees import tree_of
from lcagent.cli.watching import watching
from lcagent.results import Answer

if TYPE_CHECKING:
    from lcagent.pipelines.ask_options import AskOptions


def ask(
    documents: options.Documents,
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="What to find out.")],
    strategy: Annotated[
        str, typer.Option("-s", "--strategy", metavar=options.STRATEGIES, help="How to answer.")
    ] = "auto",
    model: options.Model = None,
    base_url: options.BaseUrl = None,
    window: options.Window = None,
    preset: options.Preset = "default",
    tree: options.Tree = None,
    pages: options.Pages = None,
    top_k: options.TopK = 12,
    vectors: options.Vectors = None,
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
    """Answer QUESTION from the documents, every statement with a checked citation."""
    from lcagent import pipelines  # noqa: PLC0415 -- `--help` must not wait for it

    given: AskOptions = {
        "strategy": strategy,
        "base_url": base_url,
        "window": window,
        "preset": preset,
        "pages": pages,
        "top_k": top_k,
        "vectors": vectors,
        "password": password,
        "ocr": ocr,
        "max_usd": max_usd,
        "max_calls": max_calls,
        "max_time_s": max_time,
        "use_cache": not no_cache,
    }
    if model is not None:
        given["model"] = model
    if tree is not None:
        given["tree"] = tree_of(tree, strategy)
    if dry_run:
        with reading_progress() as progress:
            given["progress"] = progress
            planned = pipelines.plan(documents, question, **given)
        printing.print_json(planned.as_json()) if json else printing.print_plan(planned)
        return 0
    with watching(shows_answer=not json, explains=explain, is_verbose=verbose) as watch:
        given["progress"], given["on_event"] = watch.reading, watch.tell
        answer = pipelines.ask(documents, question, **given)
    return finish(answer, shown=watch.shown, json=json, strict=strict)


def search(
    documents: options.Documents,
    query: Annotated[str, typer.Argument(metavar="QUERY", help="What to look for.")],
    pages: options.Pages = None,
    top_k: options.TopK = 10,
    vectors: options.Vectors = None,
    password: options.Password = None,
    ocr: options.Ocr = None,
    json: options.Json = False,
) -> int:
    """List the passages of the documents that fit QUERY best, with their pages."""
    from lcagent import pipelines  # noqa: PLC0415 -- `--help` must not wait for it

    with reading_progress() as progress:
        result = pipelines.search(
            documents,
            query,
            pages=pages,
            top_k=top_k,
            vectors=vectors,
            password=password,
            ocr=ocr,
            progress=progress,
        )
    printing.print_notes(result.notes)
    if json:
        printing.print_json(result.as_json())
    else:
        printing.print_hits(result)
    return 0


def finish(answer: Answer, *, shown: str, json: bool, strict: bool) -> int:
    """Print what of an answer is not `shown` yet, and return the exit status."""
    if json:
        printing.print_json(answer.as_json())
    else:
        printing.print_answer(answer, shown)
    printing.print_notes(answer.notes)
    return status_of(answer, is_strict=strict)


def status_of(answer: Answer, *, is_strict: bool) -> int:
    """Return the exit status of an answer: 3 for unsupported claims, if they matter."""
    has_unsupported = any(claim.status == "unsupported" for claim in answer.claims)
    return 3 if is_strict and has_unsupported else 0
