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
