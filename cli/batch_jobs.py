"""`lcagent batch` with a job that exists: looking at it, and working at it.

Exit status of what works at a job: 0 done; 4 finished with failures; 5 a limit stopped it; 130
interrupted.
"""

import asyncio
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lcagent.cli import options, printing
from lcagent.cli.batch_display import following, in_words
from lcagent.concurrency import run_sync
from lcagent.errors import UsageError

if TYPE_CHECKING:
    from lcagent.pipelines.batch.runner import JobLimits, JobOutcome, JobRun
    from lcagent.pipelines.session import Session
    from lcagent.storage.job_store import JobStore, StoredJob

FAILED_ITEMS = 4
_INTERRUPTED = 130
_LOOK_EVERY_S = 1.0

app = typer.Typer(
    help="One task over many documents, which goes on where it was stopped.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

JobId = Annotated[
    str | None,
    typer.Argument(metavar="[JOB]", help="The id, or how it begins; by default the last job."),
]
Output = Annotated[
    Path | None,
    typer.Option("-o", "--output", metavar="OUT", help="The file of results, one JSON a line."),
]
InFlight = Annotated[
    int, typer.Option("--in-flight", min=1, max=1_000, metavar="N", help="Items at the same time.")
]
Attempts = Annotated[
    int, typer.Option("--attempts", min=1, metavar="N", help="How many an item may have.")
]
ItemMaxUsd = Annotated[
    float | None,
    typer.Option("--item-max-usd", min=0, metavar="N", help="Dollars that one item may cost."),
]
Grace = Annotated[
    float,
    typer.Option(
        "--grace", min=0, metavar="SECONDS", help="How long running items have, if told to end."
    ),
]


@app.command("ls")
def list_jobs() -> int:
    """List the jobs, the last one first."""
    with open_session() as session:
        store = job_store(session)
        for job in store.listed():
            when = f"{job.created_at:%Y-%m-%d %H:%M}"
            counts = store.counts(job.id)
            total = sum(counts.values()) - counts["superseded"]
            state = "" if job.status == "done" else f"  [{job.status}]"
            done = f"{counts['done']:,} of {total:,}"
            printing.print_line(f"{job.id[:12]}  {when}  {job.verb}{state}  {done}  {job.title}")
    return 0


@app.command("status")
def show_status(job: JobId = None) -> int:
    """Say how far a job has come, and who is at it."""
    from lcagent.pipelines.batch.runner import JobRun  # noqa: PLC0415 -- `--help` is fast

    with open_session() as session:
        found = job_of(session, job)
        printing.print_line(f"{found.id[:12]}  {found.verb}  {found.status}  {found.title}")
        printing.print_line(in_words(JobRun(session, found).progress()))
        if found.error:
            printing.print_line(f"stopped: {found.error}")
        for worker in job_store(session).workers(found.id):
            printing.print_line(
                f"worker {worker.host} (pid {worker.pid}), {worker.in_flight} items, "
                f"heard of {worker.idle_s:.0f} s ago"
            )
        if found.output:
            printing.print_line(f"results: {found.output}")
    return 0


@app.command("watch")
def watch(job: JobId = None) -> int:
    """Show how far a job has come until it ends; it does not end with this command."""
    from lcagent.pipelines.batch.runner import JobRun  # noqa: PLC0415 -- `--help` is fast

    async def look() -> None:
        async with open_session() as session:
            found = await asyncio.to_thread(job_of, session, job)
            looked_at = JobRun(session, found)
            async with following(looked_at):
                await asyncio.to_thread(_wait_for_end, looked_at)

    run_sync(look())
    return 0


@app.command("cancel")
def cancel(job: JobId = None) -> int:
    """Let no more items of a job begin; those that are running end."""
    with open_session() as session:
        found = job_of(session, job)
        count = job_store(session).cancel(found.id)
        printing.print_line(f"{found.id[:12]}: {count:,} items cancelled")
    return 0


@app.command("failures")
def failures(job: JobId = None, json: options.Json = False) -> int:
    """List the items that did not end well: what each was, why, and how far it had come."""
    from lcagent.pipelines.batch.output import failure_of  # noqa: PLC0415 -- `--help` is fast

    with open_session() as session:
        found = job_of(session, job)
        failed = job_store(session).with_status(found.id, "failed", "quarantined")
        if json:
            printing.print_json({"failures": [failure_of(found.id, item) for item in failed]})
            return 0
        for item in failed:
            step = f" (at: {item.error_step})" if item.error_step else ""
            tries = f"{item.attempts} attempt{'s' * (item.attempts != 1)}"
            printing.print_line(
                f"{item.position}  {item.input}  {item.status} after {tries}: "
                f"{item.error_kind}: {item.error}{step}"
            )
    return 0


@app.command("retry-failed")
def retry_failed(
    job: JobId = None, in_flight: InFlight = 16, attempts: Attempts = 3, grace: Grace = 25.0
) -> int:
    """Try what failed again, with what its files hold now, and finish the job."""

    async def work() -> "JobOutcome":
        from lcagent.pipelines.batch import planning  # noqa: PLC0415 -- `--help` is fast
        from lcagent.pipelines.batch.runner import JobLimits  # noqa: PLC0415

        async with open_session(in_flight) as session:
            found = await asyncio.to_thread(job_of, session, job)
            count = await planning.retry_failed(found, session.services)
            again = f"{count:,} item{'s are' if count != 1 else ' is'} tried again"
            printing.print_notes([again])
            how = {"in_flight": in_flight, "attempts": attempts, "grace": grace}
            limits = JobLimits(**found.limits)
            return await carry_out(session, found, limits, how)

    return report(run_sync(work()))


@app.command("export")
def export(job: JobId = None, output: Output = None) -> int:
    """Write the results of a job in the order of its items, to OUT or standard output."""
    from lcagent.pipelines.batch.output import exported  # noqa: PLC0415 -- `--help` is fast

    with open_session() as session:
        lines = exported(job_of(session, job), job_store(session))
        if output is None:
            for line in lines:
                sys.stdout.write(line.decode())
            return 0
        try:
            with output.open("xb") as file:
                file.writelines(lines)
        except FileExistsError as error:
            raise UsageError(f"{output} exists: choose another file with -o") from error
    return 0


@app.command("work")
def work_at(
    job: JobId = None,
    in_flight: InFlight = 16,
    attempts: Attempts = 3,
    item_max_usd: ItemMaxUsd = None,
    grace: Grace = 25.0,
) -> int:
    """Work at the items of a job that was begun elsewhere, on any machine with the same store."""

    async def work() -> "JobOutcome":
        async with open_session(in_flight) as session:
            found = await asyncio.to_thread(job_of, session, job)
            how: dict[str, Any] = {"in_flight": in_flight, "attempts": attempts, "grace": grace}
            how["item_max_usd"] = item_max_usd
            return await carry_out(session, found, None, how)

    return report(run_sync(work()))


def _wait_for_end(looked_at: "JobRun") -> None:
    while looked_at.progress().job.status == "running":
        time.sleep(_LOOK_EVERY_S)


async def carry_out(
    session: "Session", job: "StoredJob", limits: "JobLimits | None", how: dict[str, Any]
) -> "JobOutcome":
    """Work at a job, with progress on standard error, until it ends or a signal comes."""
    from lcagent.pipelines.batch.runner import JobRun  # noqa: PLC0415 -- `--help` is fast
    from lcagent.pipelines.batch.worker import WorkerOptions  # noqa: PLC0415

    given = {name: how[name] for name in WorkerOptions.__slots__ if name in how}
    run = JobRun(session, job, WorkerOptions(**given), limits=limits, is_helper=limits is None)
    loop = asyncio.get_running_loop()

    def end_soon() -> None:
        run.stop.ask_softly()
        loop.call_later(how["grace"], run.stop.now)

    loop.add_signal_handler(signal.SIGINT, run.stop.ask)
    loop.add_signal_handler(signal.SIGTERM, end_soon)
    try:
        async with following(run):
            return await run.run()
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        loop.remove_signal_handler(signal.SIGTERM)


def report(outcome: "JobOutcome") -> int:
    """Say how a job ended, and return the exit status."""
    if outcome.error is not None:
        outcome.error.go_on_with = outcome.error.go_on_with or "the same command again"
        raise outcome.error
    if outcome.is_interrupted:
        return _INTERRUPTED
    if outcome.failed:
        where = f"; they are in {outcome.failures}" if outcome.failures else ""
        count = f"{outcome.failed:,} item{'s' * (outcome.failed != 1)}"
        failed = f"{count} failed{where} (see: lcagent batch failures)"
        printing.print_notes([failed])
        return FAILED_ITEMS
    return 0


def open_session(in_flight: int = 1) -> "Session":
    """Return a session for a job that has so many items in flight."""
    from lcagent.pipelines.batch.runner import batch_settings  # noqa: PLC0415 -- `--help` is fast
    from lcagent.pipelines.session import Session  # noqa: PLC0415

    return Session.open(batch_settings(in_flight))


def job_store(session: "Session") -> "JobStore":
    """Return the jobs of a session's store."""
    from lcagent.storage.job_store import JobStore  # noqa: PLC0415 -- `--help` is fast

    return JobStore(session.services.database)


def job_of(session: "Session", prefix: str | None) -> "StoredJob":
    """Return the job that was named, or the last one.

    Raises:
        UsageError: There is none, or more than one.
    """
    from lcagent.pipelines.batch.runner import find_job  # noqa: PLC0415 -- `--help` is fast

    return find_job(job_store(session), prefix)
