"""`lcagent runs`: what was asked, how far it came, what happened, and going on."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lcagent.cli import options, printing
from lcagent.cli.printing import proof_lines, proof_of
from lcagent.cli.run_display import watching
from lcagent.cli.verbs import finish
from lcagent.concurrency import run_sync

if TYPE_CHECKING:
    from lcagent.pipelines.step_views import StepView
    from lcagent.storage.run_store import StoredRun

app = typer.Typer(
    help="Past questions and their answers.", no_args_is_help=True, rich_markup_mode=None
)
RunId = Annotated[str, typer.Argument(metavar="ID", help="The id, or how it begins.")]
LONGEST_TEXT = 160


@app.command("ls")
def list_runs(
    most: Annotated[int, typer.Option("-n", min=1, help="How many, the newest first.")] = 20,
) -> int:
    """List past questions, the newest first."""
    from lcagent.pipelines import Session  # noqa: PLC0415 -- `--help` must not wait for it

    with Session.open() as session:
        for run in session.services.runs.listed(most):
            when = f"{run.started_at:%Y-%m-%d %H:%M}"
            state = "" if run.status == "done" else f"  [{run.status}]"
            printing.print_line(
                f"{run.id[:12]}  {when}  {run.verb} ({run.strategy}){state}  {run.question}"
            )
    return 0


@app.command("show")
def show_run(run_id: RunId, json: options.Json = False) -> int:
    """Show what happened in a run: who read what, what it handed on, what it cost."""
    from lcagent.pipelines import Session  # noqa: PLC0415 -- `--help` must not wait for it

    with Session.open() as session:
        run = session.find_run(run_id)
        if json:
            printing.print_json(run.result or {"run_id": run.id, "status": run.status})
            return 0
        for line in drawing(run, session.steps(run)):
            printing.print_line(line)
    return 0


@app.command("resume")
def resume_run(
    run_id: RunId,
    max_usd: options.MaxUsd = None,
    max_calls: options.MaxCalls = None,
    max_time: options.MaxTime = None,
    json: options.Json = False,
    strict: options.Strict = False,
) -> int:
    """Go on with a run that was killed, failed, or was stopped by a limit."""
    from lcagent.pipelines import resume_async  # noqa: PLC0415 -- `--help` must not wait for it

    limits = {"max_usd": max_usd, "max_calls": max_calls, "max_time_s": max_time}
    changed: dict[str, Any] = {name: limit for name, limit in limits.items() if limit is not None}
    with watching(shows_answer=not json) as watch:
        result = run_sync(
            resume_async(run_id, progress=watch.reading, on_event=watch.tell, **changed)
        )
    return finish(result, shown=watch.shown, json=json, strict=strict)


def drawing(run: "StoredRun", steps: "list[StepView]") -> Iterator[str]:
    """Yield the lines that show a run, step by step."""
    yield f"{run.id[:12]}  {run.verb} ({run.strategy})  {run.status}"
    yield f"  {run.question}"
    if run.error:
        yield f"  {run.error}"
    for step in steps:
        numbers = sorted({page + 1 for _, page in step.pages})
        read = f": pages {printing.ranges(numbers)}" if numbers else ""
        yield f"- {step.title}{read}  {_cost(step.calls)}".rstrip()
        yield from (f"    {line}" for line in _lines(step))
    if run.result is not None:
        usage = run.result["usage"]
        yield f"  {usage['calls']} calls and {usage['cached_calls']} cached"
        if run.result.get("proof"):
            yield from proof_lines(proof_of(run.result["proof"]))


def _lines(step: "StepView") -> Iterator[str]:
    for fact in step.facts:
        mark = {"exact": "✓", "fuzzy": "≈"}.get(fact.status, "✗")
        yield f"{fact.label} {mark} {_short(fact.text)}"
    for name, text in step.texts:
        yield f"{name}: {_short(text)}" if name else _short(text)
    yield from (f"! {flag}" for flag in step.flags)


def _cost(calls: tuple[Mapping[str, Any], ...]) -> str:
    parts: list[str] = []
    for call in calls:
        price = f" ${call['usd']:.5f}" if call["usd"] else ""
        tokens = f"{call['prompt_tokens']}+{call['completion_tokens']} tokens"
        when = "cached" if call["is_cached"] else f"{call['latency_s']} s"
        parts.append(f"{tokens} {when}{price}")
    return f"({'; '.join(parts)})" if parts else ""


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_TEXT else f"{line[: LONGEST_TEXT - 1]}…"
