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
Pages = Annotated[
    str | None, typer.Option("--pages", metavar="10-40", help="Only these pages of each document.")
]
Password = Annotated[
    str | None,
    typer.Option(
        "--password", envvar="LCAGENT_PASSWORD", help="Password of an encrypted document."
    ),
]
Ocr = Annotated[
    bool | None, typer.Option("--ocr/--no-ocr", help="Recognise text on pages that are pictures.")
]
TopK = Annotated[int, typer.Option("-k", "--top-k", min=1, max=1000, help="How many passages.")]

Vectors = Annotated[
    str | None,
    typer.Option(
        "--vectors",
        metavar="none|stored|needed",
        help="Search by meaning too: never, with stored vectors, or computing those needed.",
    ),
]

STRATEGIES = "auto|quote|whole|rag|chain|tree"

Strict = Annotated[bool, typer.Option("--strict", help="Exit with 3 if a claim is unsupported.")]
Model = Annotated[
    str | None,
    typer.Option(
        "-m",
        "--model",
        metavar="openai:NAME|local:PATH|quote",
        help="What answers; by default the setting `model`, which is quote: no language model.",
    ),
]
BaseUrl = Annotated[
    str | None,
    typer.Option("--base-url", metavar="URL", help="Where the model's server is."),
]
Window = Annotated[
    int | None,
    typer.Option(
        "--window", min=256, metavar="N", help="Tokens of the model's window, if it is not known."
    ),
]
Preset = Annotated[
    str,
    typer.Option(
        "--preset",
        metavar="default|fast|thorough|faithful",
        help="How a chain reads: one after the other; all at once; twice, with a judge; as in the "
        "paper.",
    ),
]
Tree = Annotated[
    str | None,
    typer.Option(
        "--tree",
        metavar="NAME=N,...",
        help="How a tree is answered: lazy=-0.1 or beam=2; samples, temperature, top_k, "
        "top_k_below.",
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
NoCache = Annotated[
    bool, typer.Option("--no-cache", help="Take no reply that was paid for in another run.")
]
DryRun = Annotated[
    bool,
    typer.Option("--dry-run", help="Say what it would do and cost; call no model."),
]
Explain = Annotated[
    bool, typer.Option("--explain", help="Say first which method is taken, why, and its cost.")
]
