"""What a batch job costs beside its calls: its queue, an item with one call, and going on with it.

    python benchmarks/batch.py [--items 300] [--postgres postgresql://user@host/postgres]

Counted is processor time of this process; the server runs in another. The peer is the openai SDK
alone, with the same calls to the same server in the same run. Documents are stored beforehand, so
nothing is read.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from openai import AsyncOpenAI
from sqlalchemy import create_engine, text, update
from sqlalchemy.engine import make_url

from lcagent.documents import Document, Page
from lcagent.pipelines import Session
from lcagent.pipelines.batch.planning import JobRequest, plan_job
from lcagent.pipelines.batch.runner import JobRun, batch_settings
from lcagent.pipelines.batch.worker import WorkerOptions
from lcagent.results import Usage
from lcagent.storage.database import Database, open_database
from lcagent.storage.item_queue import ItemQueue
from lcagent.storage.job_store import JobStore, NewItem
from lcagent.storage.leases import Owner
from lcagent.storage.tables import items
from lcagent.tasks import AskTask

IN_FLIGHT = 64
QUEUED = 3_000
MANY = 100_000
LATENCY_S = 0.2


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=300)
    parser.add_argument("--postgres", help="a server on which databases may be made")
    given = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print("| what | store | figure |\n|---|---|---|")
    for name, url in _stores(given.postgres):
        database = open_database(url)
        print(f"| queue, CPU ms an item | {name} | {_queue_ms(database):.2f} |")
        asyncio.run(_items_ms(url, IN_FLIGHT, first=1_000_000))  # what is imported, and connections
        ms, seconds = asyncio.run(_items_ms(url, given.items))
        sdk_ms = asyncio.run(_sdk_ms(given.items))
        print(f"| one-call item, {IN_FLIGHT} in flight, CPU ms | {name} | {ms:.1f} |")
        print(f"| the openai SDK alone, CPU ms a call | | {sdk_ms:.1f} ({ms / sdk_ms:.1f} x) |")
        print(f"| wall s of {given.items} items | {name} | {seconds:.1f} |")
        resumed_s = _resume_s(database)
        print(f"| {MANY:,} items, 99 % done: CPU s to the first claim | {name} | {resumed_s:.2f} |")
        database.close()


def _stores(postgres: str | None) -> Iterator[tuple[str, str]]:
    with tempfile.TemporaryDirectory() as folder:
        yield "SQLite", f"sqlite:///{folder}/store.db"
    if postgres is not None:
        name, url = f"bench_{uuid4().hex}", make_url(postgres)
        admin = create_engine(
            url.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT"
        )
        with admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        yield "PostgreSQL", url.set(database=name).render_as_string(hide_password=False)
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


def _job(store: JobStore, count: int) -> str:
    job, _ = store.create(uuid4().hex * 2, verb="index", title="", output=None)
    store.add_items(job.id, (NewItem(uuid4().hex * 2, f"{n}.txt", {}) for n in range(count)))
    store.begin(job.id, {})
    return job.id


def _queue_ms(database: Database) -> float:
    """Return what it costs to claim items, 16 at a time, and to finish each."""
    store = JobStore(database)
    queue = ItemQueue(database, _job(store, QUEUED), Owner.of_this_process())
    began = time.process_time()
    while claimed := queue.claim(16, is_idle=True):
        for item in claimed:
            queue.finish(item, Usage(calls=1, prompt_tokens=900), 1.0, {"text": "x" * 2_000})
    return (time.process_time() - began) * 1_000 / QUEUED


def _resume_s(database: Database) -> float:
    """Return what a job with a hundred thousand items costs before its first item begins."""
    store = JobStore(database)
    job_id = _job(store, MANY)
    with database.write() as connection:
        done = update(items).where(items.c.job_id == job_id, items.c.position <= MANY * 99 // 100)
        connection.execute(done.values(status="done", ended_at=1.0))
    began = time.process_time()
    store.begin(job_id, {})
    store.counts(job_id)
    queue = ItemQueue(database, job_id, Owner.of_this_process())
    queue.free_lost()
    assert len(queue.claim(16, is_idle=True)) == 16
    return time.process_time() - began


async def _items_ms(url: str, count: int, *, first: int = 1) -> tuple[float, float]:
    settings = batch_settings(IN_FLIGHT, database_url=url, embedder="none")
    with _server() as base_url, tempfile.TemporaryDirectory() as folder:
        async with Session.open(settings) as session:
            keys = [f"{number:064x}" for number in range(first, first + count)]
            for number, key in enumerate(keys, start=first):
                page = Page(0, f"The keeper of light number {number} is Tom. " * 20)
                name = f"{number}.txt"
                session.services.documents.save(
                    Document(key, name, "text/plain", "text/1", (page,))
                )
            task = AskTask(
                ("-",), "Who keeps the light?", strategy="rag", model="openai:scripted",
                base_url=base_url,
            )  # fmt: skip
            request = JobRequest(task, tuple(keys), Path(folder, "out.jsonl"))
            planned = await plan_job(request, session.services)
            run = JobRun(session, planned.job, WorkerOptions(in_flight=IN_FLIGHT))
            began, wall = time.process_time(), time.monotonic()
            outcome = await run.run()
            assert outcome.counts["done"] == count
            return (time.process_time() - began) * 1_000 / count, time.monotonic() - wall


async def _sdk_ms(count: int) -> float:
    places = asyncio.Semaphore(IN_FLIGHT)
    with _server() as base_url:
        async with AsyncOpenAI(base_url=base_url, api_key="none") as client:

            async def ask(number: int) -> None:
                text = f"The keeper of light number {number} is Tom. " * 20
                async with places:
                    await client.chat.completions.create(
                        model="scripted", messages=[{"role": "user", "content": text}]
                    )

            began = time.process_time()
            await asyncio.gather(*map(ask, range(count)))
            return (time.process_time() - began) * 1_000 / count


@contextmanager
def _server() -> Iterator[str]:
    command = (
        sys.executable, "-m", "lcagent.testing", "--latency", str(LATENCY_S),
        "--options", '{"text": "Tom keeps it."}',
    )  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        yield server.stdout.readline().decode().strip()
        server.kill()


if __name__ == "__main__":
    main()
