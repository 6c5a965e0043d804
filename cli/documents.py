"""`lcagent docs`: what is in the store."""

from dataclasses import asdict
from typing import Annotated

import typer

from lcagent.cli import options, printing
from lcagent.cli.progress_display import reading_progress

app = typer.Typer(help="The documents in the store.", no_args_is_help=True, rich_markup_mode=None)


@app.command()
def add(
    documents: options.Documents,
    password: options.Password = None,
    ocr: options.Ocr = None,
    vectors: Annotated[
        bool, typer.Option("--vectors/--no-vectors", help="Compute all vectors now, too.")
    ] = False,
) -> int:
    """Read documents now, so that later questions need not."""
    from lcagent import pipelines  # noqa: PLC0415 -- `--help` must not wait for it

    with reading_progress() as progress:
        added = pipelines.add_documents(
            documents, password=password, ocr=ocr, vectors=vectors, progress=progress
        )
    for document in added.collection.documents:
        printing.print_line(_line(document.id, len(document.pages), document.name))
    printing.print_notes(added.notes)
    return 1 if added.collection.unread else 0


@app.command("ls")
def list_documents(json: options.Json = False) -> int:
    """List the documents in the store, the newest first."""
    from lcagent import pipelines  # noqa: PLC0415

    listed = pipelines.list_documents()
    if json:
        printing.print_json(
            {"schema": "lcagent.documents/1", "documents": [asdict(one) for one in listed]}
        )
        return 0
    for document in listed:
        printing.print_line(_line(document.id, document.page_count, document.name))
    if not listed:
        printing.print_notes(["the store is empty (see: lcagent docs add --help)"])
    return 0


@app.command()
def rm(
    documents: options.Documents,
    everything: Annotated[
        bool,
        typer.Option(
            "--everything",
            help="Remove what else knows them, too: runs, replies of models, vectors, memories.",
        ),
    ] = False,
) -> int:
    """Remove documents from the store, and say what else knows them; the files stay."""
    from lcagent import pipelines  # noqa: PLC0415

    for removed in pipelines.remove_documents(documents, everything=everything):
        traces = str(removed.traces)
        also = f"  and {traces}" if everything and traces else ""
        printing.print_line(f"removed {removed.id[:12]}  {removed.name}{also}".rstrip())
        if traces and not everything:
            again = f"lcagent docs rm --everything {removed.id}"
            printing.print_notes([f"still known to {traces} (remove them with: {again})"])
    return 0


@app.command()
def verify(
    documents: Annotated[
        list[str] | None, typer.Argument(metavar="[DOC...]", help="By default all in the store.")
    ] = None,
) -> int:
    """Check stored documents: pages without text, hidden text, sound chunks and indexes."""
    from lcagent import pipelines  # noqa: PLC0415

    verified = pipelines.verify_documents(documents or [])
    for one in verified:
        printing.print_verified(one)
    return 1 if any(one.problems for one in verified) else 0


def _line(document_id: str, page_count: int, name: str) -> str:
    return f"{document_id[:12]}  {page_count:>6} pages  {name}"
