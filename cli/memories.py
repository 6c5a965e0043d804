"""`lcagent memorize` and `lcagent memories`: documents that a local model has read for good."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from lcagent.cli import options, printing
from lcagent.cli.progress import reading_progress
from lcagent.errors import UsageError

if TYPE_CHECKING:
    from lcagent.engine.engine import StoredMemory
    from lcagent.pipelines.local_models.memorizing import MemorizeOptions

app = typer.Typer(
    help="What local models have read for good (memorize).",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Names = Annotated[
    list[str] | None, typer.Argument(metavar="[NAME...]", help="By default all memories.")
]


def memorize(
    document: Annotated[
        str, typer.Argument(metavar="DOC", help="A file, or the id of a stored document.")
    ],
    model: options.Model = None,
    name: Annotated[
        str | None, typer.Option("--name", help="Of the memory; by default the document's.")
    ] = None,
    window: options.Window = None,
    password: options.Password = None,
    ocr: options.Ocr = None,
    json: options.Json = False,
) -> int:
    """Let a local model read a document once, so that questions on all of it need not."""
    from lcagent.pipelines.local_models.memorizing import memorize as memorize_document  # noqa: PLC0415
    from lcagent.settings import load_settings  # noqa: PLC0415

    model = model or load_settings().model
    if not model.startswith("local:"):
        raise UsageError(f"{model} does not run here: name a model such as local:PATH (--model)")
    given: MemorizeOptions = {"name": name, "window": window, "password": password, "ocr": ocr}
    with reading_progress() as pages, reading_progress("tokens") as tokens:
        given["progress"], given["on_tokens"] = pages, tokens
        memory = memorize_document(document, model, **given)
    _print([memory], json=json)
    return 0


@app.command("ls")
def list_all(json: options.Json = False) -> int:
    """List memories, damaged and interrupted ones too."""
    from lcagent.pipelines.local_models.memories import list_memories  # noqa: PLC0415

    listed = list_memories()
    _print(listed, json=json)
    if not listed and not json:
        printing.print_notes(["there are no memories (see: lcagent memorize --help)"])
    return 0


@app.command()
def rm(names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Memories.")]) -> int:
    """Remove memories; the documents stay."""
    from lcagent.pipelines.local_models.memories import remove_memories  # noqa: PLC0415

    remove_memories(names)
    for name in names:
        printing.print_line(f"removed {name}")
    return 0


@app.command()
def verify(names: Names = None, model: options.Model = None, json: options.Json = False) -> int:
    """Compare memories with their checksums; with --model, say which that model cannot use."""
    from lcagent.pipelines.local_models.memories import verify_memories  # noqa: PLC0415

    verified = verify_memories(names or [], model)
    _print(verified, json=json)
    return 1 if any(memory.fault for memory in verified) else 0


def _print(memories: "list[StoredMemory]", *, json: bool) -> None:
    if json:
        listed = [asdict(memory) for memory in memories]
        printing.print_json({"schema": "lcagent.memories/1", "memories": listed})
        return
    for memory in memories:
        line = f"{memory.id}  {memory.tokens:>9,} tokens  {memory.bytes / 1e6:,.1f} MB"
        printing.print_line(f"{line}  {memory.title}")
        if memory.fault:
            printing.print_line(f"  FAULT: {memory.fault}")
