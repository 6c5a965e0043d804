"""The `lcagent` command, and what its errors mean to a shell.

Exit status: 0 done; 1 our error; 2 wrong usage or configuration; 3 unproved claims under
`--strict`; 4 items of a job failed; 5 a limit stopped it; 130 interrupted. Every error
is one line on standard error.
"""

import gc
import os
import sys
import traceback
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated

import typer

from lcagent import __version__
from lcagent.cli import (
    batch,
    documents,
    inspection,
    memories,
    printing,
    runs,
    serving,
    verbs,
)
from lcagent.errors import BudgetExceeded, LcagentError, UsageError

_STATUSES = ((UsageError, 2), (BudgetExceeded, 5), (LcagentError, 1))
_INTERRUPTED = 130

app = typer.Typer(
    name="lcagent",
    help="Answers from documents that are too long, with checked citations.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
app.command()(verbs.ask)
app.command()(verbs.search)
app.command()(verbs.summarize)
app.command()(verbs.write)
app.add_typer(batch.app, name="batch")
app.add_typer(documents.app, name="docs")
app.add_typer(runs.app, name="runs")
app.add_typer(inspection.config, name="config")
app.command()(serving.serve)
app.command()(memories.memorize)
app.add_typer(memories.app, name="memories")
app.command()(inspection.doctor)


def _print_version(wanted: bool) -> None:
    if wanted:
        printing.print_line(f"lcagent {__version__}")
        raise typer.Exit


@app.callback()
def lcagent(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Answers from documents that are too long, with checked citations."""


def main() -> None:
    """Run the command line and leave with its exit status."""
    _mend_streams()
    gc.set_threshold(100_000, 50, 1_000)  # the default looks through all pages again and again
    status = run(sys.argv[1:])
    gc.freeze()  # spares the last collection, at exit
    sys.exit(status)


def run(arguments: list[str]) -> int:
    """Run one command and return its exit status; without arguments, print the help."""
    try:
        status = app(arguments or ["--help"], standalone_mode=False)
        _flush()
    except (BrokenPipeError, SystemExit):  # whoever read our output has left; typer exits then
        return 0
    except Exception as error:  # noqa: BLE001 -- the last stop: no traceback reaches a user
        return _report(error)
    if status == _INTERRUPTED:  # what typer makes of Ctrl-C
        return _fail("interrupted; what was stored is kept", _INTERRUPTED)
    return status if isinstance(status, int) else 0


def _mend_streams() -> None:
    """Make printing safe where a stream is closed (`>&-`) or cannot encode a character."""
    nowhere = Path(os.devnull)
    sys.stdout = sys.stdout or nowhere.open("w", encoding="utf-8")
    sys.stderr = sys.stderr or nowhere.open("w", encoding="utf-8")
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def _flush() -> None:
    """Write out what is printed; if that fails, leave nothing for Python to try at exit."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise


def _report(error: Exception) -> int:
    causes = _causes(error)
    for cause in causes:
        for kind, status in _STATUSES:
            if isinstance(cause, kind):
                return _fail(_with_advice(cause), status)
    if isinstance(error, typer.exceptions.TyperException):
        return _fail(_usage(error), 2)
    if isinstance(error, typer.Abort):
        return _fail("interrupted", _INTERRUPTED)
    return _unexpected(causes[0])


def _with_advice(error: BaseException) -> str:
    """Return what happened and, where something can be done, the command that does it."""
    command = error.go_on_with if isinstance(error, LcagentError) else ""
    return f"{error} (go on with: {command})" if command else str(error)


def _unexpected(error: BaseException) -> int:
    if os.environ.get("LCAGENT_DEBUG"):
        printing.print_status("".join(traceback.format_exception(error)).rstrip())
    if isinstance(error, OSError):
        return _fail(f"the operating system refused: {error}", 1)
    hint = "set LCAGENT_DEBUG=1 to see where, and please report it"
    return _fail(f"a mistake in lcagent: {type(error).__name__}: {error} ({hint})", 1)


def _causes(error: BaseException) -> list[BaseException]:
    """Return the error, or those that a task group collected."""
    if isinstance(error, BaseExceptionGroup):
        return [cause for inner in error.exceptions for cause in _causes(inner)]
    return [error]


def _usage(error: typer.exceptions.TyperException) -> str:
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "lcagent"
    message = error.format_message().strip().rstrip(".")
    if message.startswith("Usage:"):  # what typer says to a bare `lcagent docs`
        message = "missing command"
    return f"{message[:1].lower()}{message[1:]} (see: {command} --help)"


def _fail(message: str, status: int) -> int:
    printing.print_status(f"Error: {' '.join(message.split())}")
    return status
