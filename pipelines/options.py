"""What may be said with every question and every search."""

from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypedDict, TypeVar

from lcagent.concurrency import run_sync
from lcagent.models.chat_model import ChatModel
from lcagent.pipelines.running.events import OnEvent
from lcagent.pipelines.runtime import Runtime
from lcagent.retrieval.library import Collection, ReadingProgress
from lcagent.selection import ALL_PAGES, PageSelection, parse_pages

T = TypeVar("T")


class ReadingOptions(TypedDict, total=False):
    """How documents are read.

    Attributes:
        password: Opens encrypted documents.
        ocr: Recognise text on pages that are pictures; by default as the settings say.
        progress: Called while files are read.
        runtime: An open store, for many questions; by default one is opened for the call.
    """

    password: str | None
    ocr: bool | None
    progress: ReadingProgress | None
    runtime: Runtime | None


class SearchOptions(ReadingOptions, total=False):
    """How documents are searched.

    Attributes:
        pages: Only these pages of each document, such as "10-40"; by default all.
        top_k: How many passages to return, or to answer from.
        vectors: Search by meaning too: "none", "stored" or "needed"; see the settings.
    """

    pages: str | None
    top_k: int
    vectors: str | None


class ModelOptions(SearchOptions, total=False):
    """What answers, and what it may cost.

    Attributes:
        model: What answers: "quote" for no language model, "openai:NAME", or a model of your own.
        base_url: Where the model's server is.
        window: Tokens of the model's window, where it is not known.
        max_usd, max_calls, max_time_s: Limits that are never exceeded but by calls in flight.
        use_cache: Take replies that were paid for in other runs.
        on_event: Is told what happens.
    """

    model: str | ChatModel
    base_url: str | None
    window: int | None
    max_usd: float | None
    max_calls: int | None
    max_time_s: float | None
    use_cache: bool
    on_event: OnEvent | None


def readable(question: str) -> str:
    """Return a question as it can be searched and stored: bytes in no encoding as U+FFFD."""
    return question.encode("utf-8", "replace").decode()


def selected_pages(options: SearchOptions) -> PageSelection:
    """Return the pages that the options select."""
    pages = options.get("pages")
    return ALL_PAGES if pages is None else parse_pages(pages)


@asynccontextmanager
async def open_runtime(options: ReadingOptions) -> AsyncIterator[Runtime]:
    """Yield the runtime of the options, or one that lives as long as the call."""
    given = options.get("runtime")
    if given is not None:
        yield given
        return
    async with Runtime.open() as runtime:
        yield runtime


def run_verb(work: Coroutine[Any, Any, T], options: ReadingOptions) -> T:
    """Run a verb from synchronous code, and close what its event loop would leave open."""
    runtime = options.get("runtime")

    async def alone() -> T:
        try:
            return await work
        finally:
            if runtime is not None:
                await runtime.close_models()

    return run_sync(alone())


async def collect(
    names: str | Path | Sequence[str | Path], options: ReadingOptions, runtime: Runtime
) -> Collection:
    """Read the documents that `names` mean, as the options say."""
    return await runtime.collect(
        names,
        password=options.get("password"),
        ocr=options.get("ocr"),
        progress=options.get("progress"),
    )
