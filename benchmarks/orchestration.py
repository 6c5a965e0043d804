"""What orchestration costs beside the model: CPU time per call, and depth.

    python benchmarks/orchestration.py

A scripted server that replies at once runs in a process of its own; this process asks a chain over
a book of its own making. The peer is the openai SDK alone, sending requests of the same size one
after the other: what is above it is ours. CPU seconds are user plus system of the asking
process. Depth is shown with a server that takes a fixed time for each reply.
"""

import asyncio
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from openai import AsyncOpenAI

from lcagent.pipelines import Session, ask_async
from lcagent.pipelines.methods.chain.options import ChainOptions
from lcagent.results import Answer
from lcagent.settings import load_settings
from lcagent.tasks import AskTask

WINDOW = 3_400
QUESTION = "What became of it? [[Q anna mother city river]]"
FACTS = {3: "anna --mother--> berta", 9_000: "berta --city--> cork", 17_900: "cork --river--> lee"}
SENTENCES = 18_000
LATENCY_S = 0.2


def main() -> None:
    """Print the tables."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        book = _book(home, SENTENCES)
        _cost_per_call(home, book)
        _depth(home)


def _cost_per_call(home: Path, book: Path) -> None:
    with _server(0.0) as url:
        asyncio.run(_ask(home, book, url, ChainOptions(), "docs only", window=1_000_000))
        rows = [
            ("chain, default", ChainOptions()),
            ("chain, faithful", ChainOptions.preset("faithful")),
            ("chain, fast", ChainOptions.preset("fast")),
        ]
        print(f"book: {book.stat().st_size / 1e6:.2f} MB, window {WINDOW:,} tokens")
        print("| | calls | CPU ms per call | of these cutting and counting |")
        print("|---|---|---|---|")
        for name, chain in rows:
            cutting = _cpu_of(lambda c=chain: asyncio.run(_plan_only(home, book, url, c)))
            started = _cpu_s()
            answer = asyncio.run(_ask(home, book, url, chain, name))
            spent = _cpu_s() - started
            calls = answer.usage.calls
            print(
                f"| {name} | {calls} | {1000 * (spent - cutting) / calls:.2f} | "
                f"{1000 * cutting / calls:.2f} |",
                flush=True,
            )
        size = book.stat().st_size // max(1, calls)
        spent = _cpu_of(lambda: asyncio.run(_sdk_alone(url, 200, "word " * (size // 5))))
        print(f"| peer: the openai SDK alone | 200 | {1000 * spent / 200:.2f} | |")


def _depth(home: Path) -> None:
    short = _book(home, 1_200, name="short.txt")
    with _server(LATENCY_S) as url:
        print(f"\nserver with {LATENCY_S} s per reply")
        print("| | calls | seconds | calls one after the other would take |")
        print("|---|---|---|---|")
        for name, chain in (
            ("one path", ChainOptions()),
            ("two paths and a judge", ChainOptions(orders=("ltr", "rtl"))),
            ("five paths and a vote", ChainOptions(orders=("random",) * 5, combine="vote")),
            ("fast", ChainOptions.preset("fast")),
        ):
            started = time.perf_counter()
            answer = asyncio.run(_ask(home, short, url, chain, name, window=2_000))
            calls = answer.usage.calls
            seconds = time.perf_counter() - started
            print(f"| {name} | {calls} | {seconds:.1f} | {calls * LATENCY_S:.1f} |", flush=True)


async def _ask(
    home: Path, book: Path, url: str, chain: ChainOptions, label: str, window: int = WINDOW
) -> Answer:
    settings = load_settings(home=home, embedder="none")
    async with Session.open(settings) as session:
        return await ask_async(
            book,
            f"{QUESTION} ({label})",
            session=session,
            strategy="chain",
            model="openai:scripted",
            base_url=url,
            window=window,
            options=chain,
        )


async def _plan_only(home: Path, book: Path, url: str, chain: ChainOptions) -> None:
    """Do what a chain does before its first call."""
    from lcagent.pipelines.methods.chain.run import chain_of  # noqa: PLC0415

    async with Session.open(load_settings(home=home, embedder="none")) as session:
        task = AskTask(
            (str(book),),
            QUESTION,
            strategy="chain",
            model="openai:scripted",
            base_url=url,
            window=WINDOW,
            options=(chain,),
        )
        await chain_of(QUESTION, await session.context(task))


async def _sdk_alone(url: str, calls: int, text: str) -> None:
    client = AsyncOpenAI(base_url=url, api_key="none", max_retries=0)
    for number in range(calls):
        await client.chat.completions.create(
            model="scripted",
            messages=[{"role": "user", "content": f"{number} {text}"}],
            max_tokens=100,
        )
    await client.close()


def _book(folder: Path, many: int, name: str = "book.txt") -> Path:
    last = max(FACTS)
    facts = {place * (many - 1) // last: fact for place, fact in FACTS.items()}
    said = (
        f"[[S{number:05}]] the old ferry went slowly over a grey sea"
        + (f" and {facts[number]}." if number in facts else ".")
        for number in range(many)
    )
    path = folder / name
    path.write_text(" ".join(said), encoding="utf-8")
    return path


@contextmanager
def _server(latency_s: float) -> Iterator[str]:
    command = [
        sys.executable, "-m", "lcagent.testing",
        "--script", "facts", "--latency", str(latency_s),
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.kill()


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _cpu_of(work: Callable[[], object]) -> float:
    started = _cpu_s()
    work()
    return _cpu_s() - started


if __name__ == "__main__":
    main()
