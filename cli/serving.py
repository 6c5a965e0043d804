"""`lcagent serve`: a local model for other programs, or what it would take."""

import os
import re
from typing import Annotated

import typer

from lcagent.cli import options, printing
from lcagent.errors import UsageError
from lcagent.local_options import LocalOptions, StoreDtype, StoreName

FEWEST_TOKENS = 256
"""As of `--window`; a prompt of ours has no room in fewer."""

_TIMES = {"": 1, "k": 1_000, "m": 1_000_000}


def tokens(text: str) -> int:
    """Return a number of tokens, as in 8192, 128K or 1M."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([km]?)", text.strip().lower())
    number = int(float(found[1]) * _TIMES[found[2]]) if found else 0
    if number < FEWEST_TOKENS:
        raise typer.BadParameter(
            f"{text!r} is no number of tokens such as 8192, 128K or 1M, {FEWEST_TOKENS} at least"
        )
    return number


def serve(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL", help="A folder with a model, a GGUF file, or hub:OWNER/NAME."
        ),
    ],
    host: Annotated[
        str, typer.Option("--host", help="Where to listen; others than this machine need a key.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="0 for any that is free.")
    ] = 8000,
    context: Annotated[
        int | None,
        typer.Option(
            "--context", metavar="N", parser=tokens, help="Tokens of prompt and reply, as in 1M."
        ),
    ] = None,
    key_env: Annotated[
        str | None,
        typer.Option("--key-env", metavar="NAME", help="Variable with the key that clients send."),
    ] = None,
    device: Annotated[
        str, typer.Option("--device", metavar="auto|cpu|cuda", help="Where the model runs.")
    ] = "auto",
    dtype: Annotated[
        str, typer.Option("--dtype", metavar="auto|bfloat16|...", help="What it computes in.")
    ] = "auto",
    store: Annotated[
        StoreName, typer.Option("--store", help="Where it keeps what left its window.")
    ] = "cpu",
    store_dtype: Annotated[
        StoreDtype, typer.Option("--store-dtype", help="What it keeps that in.")
    ] = "model",
    plan: Annotated[
        bool,
        typer.Option("--plan", help="Only say what it takes: MODEL may also be a config.json."),
    ] = False,
    json: options.Json = False,
) -> int:
    """Serve a local model over OpenAI's interface, until Ctrl-C."""
    if plan:
        return _plan(model, context, dtype, json=json)
    if json:
        raise UsageError("--json goes with --plan; a server prints no result")
    from lcagent.pipelines.local_models.serving import ServeOptions  # noqa: PLC0415 -- `--help` must not wait
    from lcagent.pipelines.local_models.serving import serve as serve_model  # noqa: PLC0415

    local = LocalOptions(device=device, dtype=dtype, store=store, store_dtype=store_dtype)
    given = ServeOptions(host, port, _key(key_env), context, local)
    serve_model(model, given, _say_ready)
    printing.print_status("ended")
    return 0


def _plan(model: str, context: int | None, dtype: str, *, json: bool) -> int:
    from lcagent.cli.memory_plan_output import print_memory_plan  # noqa: PLC0415
    from lcagent.pipelines.local_models.memory_plan import plan_memory  # noqa: PLC0415

    planned = plan_memory(model, context_tokens=context, dtype=dtype)
    if json:
        printing.print_json(planned.as_json())
    else:
        print_memory_plan(planned)
    return 0


def _key(variable: str | None) -> str | None:
    if variable is None:
        return None
    key = os.environ.get(variable, "").strip()
    if not key:
        raise UsageError(f"the variable {variable} holds no key")
    return key


def _say_ready(name: str, url: str) -> None:
    printing.print_status(f"{name} is served at {url}/v1 (Ctrl-C ends it)")
