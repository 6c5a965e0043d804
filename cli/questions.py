"""`lcagent ask` and `lcagent search`."""

from typing import Annotated

import typer

from lcagent.cli import options, printing
from lcagent.cli.progress import reading_progress
from lcagent.results import Answer, as_json


def ask(
    documents: options.Documents,
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="What to find out.")],
    strategy: Annotated[
        str, typer.Option("-s", "--strategy", metavar="auto|quote", help="How to answer.")
    ] = "auto",
    model: Annotated[
        str, typer.Option("-m", "--model", metavar="quote", help="What answers; so far: quote.")
    ] = "quote",
    pages: options.Pages = None,
    top_k: options.TopK = 12,
    vectors: options.Vectors = None,
    password: options.Password = None,
    ocr: options.Ocr = None,
    json: options.Json = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 3 if a claim is unsupported.")
    ] = False,
) -> int:
    """Answer QUESTION from the documents, every statement with a checked citation."""
    from lcagent import pipelines  # noqa: PLC0415 -- `--help` must not wait for it

    with reading_progress() as progress:
        answer = pipelines.ask(
            documents,
            question,
            strategy=strategy,
            model=model,
            pages=pages,
            top_k=top_k,
            vectors=vectors,
            password=password,
            ocr=ocr,
            progress=progress,
        )
    printing.print_notes(answer.notes)
    if json:
        printing.print_json(as_json(answer))
    else:
        printing.print_answer(answer)
    return status_of(answer, is_strict=strict)


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
        printing.print_json(as_json(result))
    else:
        printing.print_hits(result)
    return 0


def status_of(answer: Answer, *, is_strict: bool) -> int:
    """Return the exit status of an answer: 3 for unsupported claims, if they matter."""
    has_unsupported = any(claim.status == "unsupported" for claim in answer.claims)
    return 3 if is_strict and has_unsupported else 0
