"""`lcagent runs`: what was asked, how far it came, what happened, and going on."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lcagent.cli import options, printing
from lcagent.cli.proofs import proof_lines, proof_of
from lcagent.cli.questions import finish
from lcagent.cli.summaries import finish_summary
from lcagent.cli.watching import watching
from lcagent.cli.writing import finish_article
from lcagent.errors import UsageError
from lcagent.texts import Article, Summary

if TYPE_CHECKING:
    from lcagent.pipelines.ask_options import AskOptions
    from lcagent.storage.run_store import StoredRun, StoredStep

app = typer.Typer(
    help="Past questions and their answers.", no_args_is_help=True, rich_markup_mode=None
)
RunId = Annotated[str, typer.Argument(metavar="ID", help="The id, or how it begins.")]


@app.command("ls")
def list_runs(
    most: Annotated[int, typer.Option("-n", min=1, help="How many, the newest first.")] = 20,
) -> int:
    """List past questions, the newest first."""
    from lcagent import pipelines  # noqa: PLC0415

    for run in pipelines.list_runs(most):
        when = f"{run.started_at:%Y-%m-%d %H:%M}"
        state = "" if run.status == "done" else f"  [{run.status}]"
        printing.print_line(
            f"{run.id[:12]}  {when}  {run.verb} ({run.strategy}){state}  {run.question}"
        )
    return 0


@app.command("show")
def show_run(run_id: RunId, json: options.Json = False) -> int:
    """Show what happened in a run: who read what, what it handed on, what it cost."""
    from lcagent import pipelines  # noqa: PLC0415

    found = pipelines.find_runs(run_id)
    if len(found) != 1:
        raise UsageError(f"{len(found) or 'no'} runs have an id that begins with {run_id}")
    (run,) = found
    if json:
        printing.print_json(run.result or {"run_id": run.id, "status": run.status})
        return 0
    for line in drawing(run, pipelines.steps_of(run.id)):
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
    from lcagent import pipelines  # noqa: PLC0415

    changed: AskOptions = {}
    if max_usd is not None:
        changed["max_usd"] = max_usd
    if max_calls is not None:
        changed["max_calls"] = max_calls
    if max_time is not None:
        changed["max_time_s"] = max_time
    with watching(shows_answer=not json) as watch:
        changed["progress"], changed["on_event"] = watch.reading, watch.tell
        answer = pipelines.resume(run_id, **changed)
    if isinstance(answer, Article):
        return finish_article(answer, shown=watch.shown, json=json, strict=strict)
    if isinstance(answer, Summary):
        return finish_summary(answer, json=json, strict=strict)
    return finish(answer, shown=watch.shown, json=json, strict=strict)


def drawing(run: "StoredRun", steps: "list[StoredStep]") -> Iterator[str]:
    """Yield the lines that show a run, step by step."""
    yield f"{run.id[:12]}  {run.verb} ({run.strategy})  {run.status}"
    yield f"  {run.question}"
    if run.error:
        yield f"  {run.error}"
    for step in steps:
        yield f"- {_title(step)}  {_cost(step.calls)}".rstrip()
        yield from (f"    {line}" for line in _what_came_of(step.detail))
    if run.result is not None:
        usage = run.result["usage"]
        yield f"  {usage['calls']} calls and {usage['cached_calls']} cached"
        if run.result.get("proof"):
            yield from proof_lines(proof_of(run.result["proof"]))


def _what_came_of(detail: dict[str, Any]) -> Iterator[str]:
    change = detail.get("change") or {}
    for fact in change.get("facts", ()):
        mark = {"exact": "✓", "fuzzy": "≈"}.get(fact["status"], "✗")
        yield f"{fact['label']} {mark} {_short(fact['text'])}"
    for name in ("message", "answer"):
        if change.get(name):
            yield f"{name}: {_short(change[name])}"
    if change.get("kept") is not None:
        yield f"kept: {', '.join(change['kept'])}"
    yield from (f"! {flag}" for flag in change.get("flags", ()))
    if "answered" in detail:
        answered = detail["answered"]
        yield f"{_short(answered['asked'])} -> {answered['chosen'].replace('_', ' ')}"
    if "reply" in detail:
        yield _short(detail["reply"])


def _title(step: "StoredStep") -> str:
    kind, _, rest = step.key.partition("/")
    path, _, place = rest.partition("/")
    names = {
        "read": f"path {path}, worker {_one_up(place)}",
        "after": f"path {path}, again {place}",
        "tree": {"node": "question ", "try": "passages for question "}.get(path, "tree")
        + _one_up(place.partition("/")[0]),
    }
    title = names.get(kind, step.key)
    numbers = sorted({page for _, page in step.detail.get("pages", ())})
    return f"{title}: pages {printing.ranges([n + 1 for n in numbers])}" if numbers else title


def _one_up(place: str) -> str:
    return str(int(place) + 1) if place.isdigit() else place


def _cost(calls: list[dict[str, Any]]) -> str:
    parts: list[str] = []
    for call in calls:
        price = f" ${call['usd']:.5f}" if call["usd"] else ""
        tokens = f"{call['prompt_tokens']}+{call['completion_tokens']} tokens"
        when = "cached" if call["is_cached"] else f"{call['latency_s']} s"
        parts.append(f"{tokens} {when}{price}")
    return f"({'; '.join(parts)})" if parts else ""


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 160 else f"{line[:159]}…"
