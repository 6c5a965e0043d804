"""`lcagent doctor` and `lcagent config`: what there is and how it is set."""

from typing import Annotated

import typer

from lcagent.cli import options, printing

config = typer.Typer(help="The settings.", no_args_is_help=True, rich_markup_mode=None)


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


@config.command("prompts")
def show_prompts(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[NAME]", help="Such as answering/reader.md; by default all names."),
    ] = None,
) -> int:
    """List the prompts, or print one: to read it, or to put your own in its place."""
    from lcagent import settings  # noqa: PLC0415 -- `--help` must not wait for it
    from lcagent.agents import prompt_templates  # noqa: PLC0415

    if name is not None:
        printing.print_line(prompt_templates.template_source(name).rstrip())
        return 0
    printing.print_line(f"# your own go to {settings.prompts_folder()}")
    own = prompt_templates.check_overrides()
    for each in prompt_templates.template_names():
        printing.print_line(f"{each}  (your own)" if each in own else each)
    return 0


def doctor(
    model: options.Model = None,
    ask_model: Annotated[
        bool,
        typer.Option("--ask-model", help="Find out what the model can do, by a few short calls."),
    ] = False,
    json: options.Json = False,
) -> int:
    """Say what is installed, which parts are in use, and whether the store is sound."""
    from lcagent.pipelines.examining.doctor import examine  # noqa: PLC0415 -- `--help` must not wait for it

    findings = examine(asks_model=ask_model, model=model)
    if json:
        found = [finding.as_dict() for finding in findings]
        printing.print_json({"schema": "lcagent.doctor/1", "findings": found})
    else:
        for finding in findings:
            printing.print_line(
                f"{'ok  ' if finding.is_ok else 'FAIL'}  {finding.what}: {finding.detail}"
            )
    return 0 if all(finding.is_ok for finding in findings) else 1
