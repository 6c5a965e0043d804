"""What may be said with every question and every search."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypedDict

from lcagent.pipelines.runtime import Runtime
from lcagent.retrieval.library import Collection, ReadingProgress
from lcagent.selection import ALL_PAGES, PageSelection, parse_pages


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


class AskOptions(SearchOptions, total=False):
    """How a question is answered.

    Attributes:
        strategy: The method: "quote", or "auto" to let lcagent choose.
        model: What answers: "quote", no language model; others are planned.
    """

    strategy: str
    model: str


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
    with Runtime.open() as runtime:
        yield runtime


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
