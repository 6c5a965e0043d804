"""`lcagent memorize`: a local model reads a document for good.

What it reads is the beginning that all questions on the whole document have in common, in the words
in which `ask` shows it to the model: a question that reads it whole continues from there.
"""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Unpack

from lcagent.agents.answering import ReaderPrompt, all_pages_as_sources
from lcagent.agents.token_budget import MARGIN_TOKENS, answer_reply_tokens
from lcagent.concurrency import run_sync
from lcagent.documents import Document
from lcagent.engine.engine import (
    MANIFEST,
    AsyncEngine,
    StoredMemory,
    checked_name,
    describe_memory,
    read_manifest,
)
from lcagent.errors import ContextTooLong, UsageError
from lcagent.models.local import LocalModel
from lcagent.pipelines.local_models.memories import local_model
from lcagent.pipelines.options import ReadingOptions, collect, open_runtime
from lcagent.selection import ALL_PAGES

QUESTION_TOKENS = 256
"""Kept free for a question, beside the reply."""

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9]+")
_LONGEST_STEM = 40


class MemorizeOptions(ReadingOptions, total=False):
    """How a document is memorized.

    Attributes:
        name: Of the memory; by default the document's, with the beginning of its id.
        window: Tokens of the model's window, as in `ask`.
        on_tokens: Is told the name, the tokens read and the tokens in all.
    """

    name: str | None
    window: int | None
    on_tokens: Callable[[str, int, int], None]


async def memorize_async(
    document: str | Path, model: str, **options: Unpack[MemorizeOptions]
) -> StoredMemory:
    """Let a model such as "local:PATH" read a document into a memory, resuming an interrupted one.

    Raises:
        UsageError: The model does not run here, or another's memory has the name.
        ContextTooLong: The document and a question do not fit the window.
        StorageError: The disk is full or cannot be written; an older memory is as it was.
        ModelError: There is not enough memory to read it.
    """
    if (given := options.get("name")) is not None:
        checked_name(given)
    async with open_runtime(options) as runtime:
        local = await asyncio.to_thread(local_model, model, runtime.settings, options.get("window"))
        documents = (await collect(document, options, runtime)).documents
        if len(documents) != 1:
            raise UsageError(f"a memory is of one document; {document} means {len(documents)}")
        name = given or _name_of(documents[0])
        tokens = await asyncio.to_thread(_beginning, documents[0], local)
        folder = runtime.settings.memories / name
        engine = await asyncio.to_thread(local.load)
        await asyncio.to_thread(_refuse_others, folder, engine)
        title, on_tokens = documents[0].name, options.get("on_tokens", _say_nothing)
        await engine.memorize(
            tokens, title, folder, lambda done, total: on_tokens(title, done, total)
        )
    return describe_memory(folder)


def memorize(document: str | Path, model: str, **options: Unpack[MemorizeOptions]) -> StoredMemory:
    """Do as `memorize_async` does, from synchronous code or a notebook."""
    return run_sync(memorize_async(document, model, **options))


def _refuse_others(folder: Path, engine: AsyncEngine) -> None:
    """Refuse to replace what another model has read."""
    if not (folder / MANIFEST).is_file():
        return
    if read_manifest(folder)["model"] != engine.fingerprint():
        raise UsageError(
            f"the memory {folder.name} was made by another model: remove it (lcagent memories rm "
            f"{folder.name}), or give this one another --name"
        )


def _beginning(document: Document, local: LocalModel) -> list[int]:
    """Return the tokens that all questions on the whole document begin with."""
    sources = tuple(source.text for source in all_pages_as_sources([document], ALL_PAGES))
    if not sources:
        raise UsageError(f"{document.name} has no text to read")
    # What the prompts of two questions without a common beginning have in common is not the
    # question's, to the token: a tokenizer may join the last word of the text and the next.
    first, second = (local.encode(ReaderPrompt(q, sources).messages()) for q in ("Who?", "1 (x)"))
    longest = max(len(first), len(second))
    needed = longest + QUESTION_TOKENS + answer_reply_tokens(local) + MARGIN_TOKENS
    if needed > local.card.window_tokens:
        raise ContextTooLong(
            f"{document.name} has {len(first)} tokens; with a question and a reply it needs a "
            f"window of {needed}, and this one has {local.card.window_tokens} (--window)"
        )
    pairs = zip(first, second, strict=False)
    same = next(count for count, pair in enumerate(pairs) if pair[0] != pair[1])
    return first[:same]


def _name_of(document: Document) -> str:
    stem = _NOT_IN_NAMES.sub("-", Path(document.name).stem).strip("-")[:_LONGEST_STEM]
    return "-".join(filter(None, (stem, document.id[:8])))


def _say_nothing(name: str, done: int, total: int) -> None:
    del name, done, total
