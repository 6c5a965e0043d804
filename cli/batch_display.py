"""How a batch job is shown: its estimate, and how far it has come.

On a terminal a table is kept up to date, with what is running; elsewhere a line is printed every
ten seconds. Both go to standard error.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from lcagent.cli.printing import print_status, width
from lcagent.errors import StorageError
from lcagent.visible_text import printable

if TYPE_CHECKING:
    from rich.table import Table

    from lcagent.pipelines.batch.estimate import Estimated, JobEstimate
    from lcagent.pipelines.batch.runner import JobProgress, JobRun

LINE_EVERY_S = 10.0
TABLE_EVERY_S = 1.0
_MOST_ROWS = 12
_NAMED_UNREADABLE = 5


def in_words(progress: "JobProgress") -> str:
    """Return a line about how far a job has come."""
    counts, job = progress.counts, progress.job
    failed = counts["failed"] + counts["quarantined"]
    parts = [f"{counts['done']:,} of {progress.total:,} done"]
    parts += [f"{failed:,} failed"] if failed else []
    parts += [f"{counts['running']:,} running"] if counts["running"] else []
    parts += [f"{counts['cancelled']:,} cancelled"] if counts["cancelled"] else []
    if progress.per_minute:
        parts.append(f"{progress.per_minute:,.0f}/min")
    parts += [f"{job.calls:,} calls"] if job.calls else []
    if job.usd or job.limits.get("max_usd") is not None:
        most = job.limits.get("max_usd")
        parts.append(f"${job.usd:.2f}" + ("" if most is None else f" of ${most:.2f}"))
    if progress.left_s:
        parts.append(f"about {_duration(progress.left_s)} left")
    return ", ".join(parts)


def estimate_lines(found: "JobEstimate", in_flight: int) -> Iterator[str]:
    """Yield the lines that say what a job will take."""
    pages, tokens = found.sum_of("pages"), found.sum_of("document_tokens")
    told = f", {_about(pages)} pages, {_about(tokens)} tokens" if found.plans else ""
    read = (
        f"{found.planned - len(found.unreadable):,} planned, {len(found.unreadable):,} unreadable"
    )
    yield f"items   {found.items:,}{told}   ({read})"
    for name, count in found.strategies.items():
        yield f"method  {name}: {count:,} of {len(found.plans):,} planned items"
    if found.plans:
        reading, writing = found.sum_of("prompt_tokens"), found.sum_of("completion_tokens")
        yield f"calls   {_about(found.calls)}"
        yield f"tokens  at most {_about(reading)} to read and {_about(writing)} to write"
        yield f"cost    {_cost(found)}"
    if found.seconds is not None and found.latency_s is not None and found.calls.total:
        yield (
            f"time    about {_duration(found.seconds)} at {in_flight} in flight and "
            f"{found.latency_s:.1f} s a call (measured on your last calls)"
        )
    for name, why in found.unreadable[:_NAMED_UNREADABLE]:
        yield f"note    {name}: {why}"


@asynccontextmanager
async def following(run: "JobRun") -> AsyncIterator[None]:
    """Show how far a job has come while the body runs, and once more at its end."""
    shown = asyncio.ensure_future(_keep_table(run) if sys.stderr.isatty() else _keep_lines(run))
    try:
        yield
    finally:
        shown.cancel()
        with suppress(asyncio.CancelledError, StorageError):
            await shown
        with suppress(StorageError):
            print_status(in_words(await asyncio.to_thread(run.progress)))


async def _keep_lines(run: "JobRun") -> None:
    await asyncio.to_thread(run.progress)  # from where the rate is counted
    while True:
        await asyncio.sleep(LINE_EVERY_S)
        with suppress(StorageError):
            print_status(in_words(await asyncio.to_thread(run.progress)))


async def _keep_table(run: "JobRun") -> None:
    from rich.console import Console  # noqa: PLC0415 -- only for a job on a terminal
    from rich.live import Live  # noqa: PLC0415

    console = Console(stderr=True)
    with Live(console=console, auto_refresh=False, transient=True) as live:
        while True:
            with suppress(StorageError):
                live.update(_table(await asyncio.to_thread(run.progress)), refresh=True)
            await asyncio.sleep(TABLE_EVERY_S)


def _table(progress: "JobProgress") -> "Table":
    from rich.table import Table  # noqa: PLC0415 -- only for a job on a terminal
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, show_header=False, pad_edge=False, width=width())
    table.add_column(ratio=3, no_wrap=True, overflow="ellipsis")
    table.add_column(ratio=2, no_wrap=True, overflow="ellipsis")
    for name, step in progress.steps[:_MOST_ROWS]:
        table.add_row(Text(printable(name)), Text(printable(step)))
    if len(progress.steps) > _MOST_ROWS:
        table.add_row(f"and {len(progress.steps) - _MOST_ROWS} more", "")
    table.caption = Text(in_words(progress))
    table.caption_justify = "left"
    return table


def _cost(found: "JobEstimate") -> str:
    if found.usd is None:
        return "price not known"
    each = found.usd.total / max(1, found.items)
    either = f" ± {_dollars(found.usd.either_way)}" if found.usd.either_way else ""
    return (
        f"at most {_dollars(found.usd.total)}{either} "
        f"(${each:.4f} an item, largest ${found.largest_usd:.4f})"
    )


def _dollars(usd: float) -> str:
    return f"${usd:.4f}" if usd < 1 else f"${usd:,.2f}"


def _about(sum_: "Estimated") -> str:
    either = f" ± {_short(sum_.either_way)}" if sum_.either_way else ""
    return f"{_short(sum_.total)}{either}"


def _short(number: float) -> str:
    return f"{number / 1e6:,.1f} M" if number >= 1e6 else f"{number:,.0f}"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.1f} h"
