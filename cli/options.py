"""Options that several commands share."""

from typing import Annotated

import typer

Documents = Annotated[
    list[str],
    typer.Argument(
        metavar="DOC...", help="Files, folders, globs, or ids of stored documents (docs ls)."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Password = Annotated[
    str | None,
    typer.Option(
        "--password", envvar="LCAGENT_PASSWORD", help="Password of an encrypted document."
    ),
]
Ocr = Annotated[
    bool | None, typer.Option("--ocr/--no-ocr", help="Recognise text on pages that are pictures.")
]
Strict = Annotated[bool, typer.Option("--strict", help="Exit with 3 if a statement has no proof.")]
Model = Annotated[
    str | None,
    typer.Option(
        "-m",
        "--model",
        metavar="openai:NAME|local:PATH|quote",
        help="What answers; by default the setting `model`, which is quote: no language model.",
    ),
]
Window = Annotated[
    int | None,
    typer.Option(
        "--window", min=256, metavar="N", help="Tokens of the model's window, if it is not known."
    ),
]
MaxUsd = Annotated[
    float | None, typer.Option("--max-usd", min=0, metavar="N", help="Dollars to spend at most.")
]
MaxCalls = Annotated[
    int | None, typer.Option("--max-calls", min=0, metavar="N", help="Calls to make at most.")
]
MaxTime = Annotated[
    float | None,
    typer.Option("--max-time", min=0, metavar="SECONDS", help="Begin no call after so long."),
]
Verbose = Annotated[
    bool, typer.Option("-v", "--verbose", help="Print a line for each step as it ends.")
]
DryRun = Annotated[
    bool,
    typer.Option("--dry-run", help="Say what it would do and cost; call no model."),
]
Explain = Annotated[
    bool, typer.Option("--explain", help="Say first which method is taken, why, and its cost.")
]
