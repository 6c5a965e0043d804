"""`lcagent doctor`, `lcagent config` and `lcagent runs`: what there is and what happened."""

from typing import Annotated

import typer

from lcagent.cli import options, printing
from lcagent.errors import UsageError

config = typer.Typer(help="The settings.", no_args_is_help=True, rich_markup_mode=None)
runs = typer.Typer(
    help="Past questions and their answers.", no_args_is_help=True, rich_markup_mode=None
)


@config.callback()
def _config() -> None:
    """The settings."""


@config.command("show")
def show_config() -> int:
    """Print each setting with its value, its source, and what it is for."""
    from lcagent import settings  # noqa: PLC0415 -- `--help` must not wait for it

    printing.print_line(f"# {settings.config_path()}")
    current = settings.load_settings()
    for name, field in type(current).model_fields.items():
        value = settings.masked(getattr(current, name))
        printing.print_line(
            f"{name} = {value}  ({settings.source_of(name)})  # {field.description}"
        )
    return 0


def doctor(json: options.Json = False) -> int:
    """Say what is installed, which parts are in use, and whether the store is sound."""
    from lcagent.pipelines.doctor import examine  # noqa: PLC0415 -- `--help` must not wait for it

    findings = examine()
    if json:
        found = [finding.as_dict() for finding in findings]
        printing.print_json({"schema": "lcagent.doctor/1", "findings": found})
    else:
        for finding in findings:
            printing.print_line(
                f"{'ok  ' if finding.is_ok else 'FAIL'}  {finding.what}: {finding.detail}"
            )
    return 0 if all(finding.is_ok for finding in findings) else 1


@runs.command("ls")
def list_runs(
    most: Annotated[int, typer.Option("-n", min=1, help="How many, the newest first.")] = 20,
) -> int:
    """List past questions, the newest first."""
    from lcagent import pipelines  # noqa: PLC0415

    for run in pipelines.list_runs(most):
        when = f"{run.started_at:%Y-%m-%d %H:%M}"
        printing.print_line(f"{run.id[:12]}  {when}  {run.verb} ({run.strategy})  {run.question}")
    return 0


@runs.command("show")
def show_run(
    run_id: Annotated[str, typer.Argument(metavar="ID", help="The id, or how it begins.")],
) -> int:
    """Print the result of a past question, as --json printed it."""
    from lcagent import pipelines  # noqa: PLC0415

    found = pipelines.find_runs(run_id)
    if len(found) != 1:
        raise UsageError(f"{len(found) or 'no'} runs have an id that begins with {run_id}")
    printing.print_json(found[0].result)
    return 0
