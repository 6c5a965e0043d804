"""`lcagent memorize`: a local model reads a document for good.

What it reads is the beginning that all questions on the whole document have in common, in the words
in which `ask` shows it to the model: a question that reads it whole goes on from there.
"""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

from lcagent.agents.answering import ReaderPrompt, all_pages_as_sources
from lcagent.agents.token_budget import MARGIN_TOKENS, answer_reply_tokens
from lcagent.concurrency import run_sync
from lcagent.documents import Document
from lcagent.errors import ContextTooLong, UsageError
from lcagent.models.local import LocalModel
from lcagent.pipelines.local_models.memories import (
    StoredMemory,
    checked_name,
    local_model,
    stored_memory,
)
from lcagent.pipelines.session import Session
from lcagent.retrieval.library import ReadingProgress
from lcagent.selection import ALL_PAGES

QUESTION_TOKENS = 256
"""Kept free for a question, beside the reply."""

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9]+")
_LONGEST_STEM = 40


async def memorize_async(  # noqa: PLR0913 -- how it is read, and who is told
    document: str | Path,
    model: str,
    *,
    name: str | None = None,
    window: int | None = None,
    password: str | None = None,
    ocr: bool | None = None,
    progress: ReadingProgress | None = None,
    on_tokens: Callable[[str, int, int], None] | None = None,
) -> StoredMemory:
    """Let a model such as "local:PATH" read a document into a memory; what was interrupted goes on.

    Args:
        name: Of the memory; by default the document's, with the beginning of its id.
        window: Tokens of the model's window, as in `ask`.
        password, ocr, progress: As those of `ask`.
        on_tokens: Is told the name, the tokens read and the tokens in all.

    Raises:
        UsageError: The model does not run here, or another's memory has the name.
        ContextTooLong: The document and a question do not fit the window.
        StorageError: The disk is full or cannot be written; an older memory is as it was.
        ModelError: There is not enough memory to read it.
    """
    if name is not None:
        checked_name(name)
    async with Session.open() as session:
        settings = session.services.settings
        local = await asyncio.to_thread(local_model, model, settings, window)
        collection = await session.collect(document, password=password, ocr=ocr, progress=progress)
        documents = collection.documents
        if len(documents) != 1:
            raise UsageError(f"a memory is of one document; {document} means {len(documents)}")
        name = name or _name_of(documents[0])
        tokens = await asyncio.to_thread(_beginning, documents[0], local)
        folder = settings.memories / name
        await _read(tokens, documents[0].name, folder, local, on_tokens or _say_nothing)
    return stored_memory(folder)


def memorize(document: str | Path, model: str, **options: Any) -> StoredMemory:
    """Do as `memorize_async` does, from synchronous code or a notebook."""
    return run_sync(memorize_async(document, model, **options))


async def _read(
    tokens: list[int],
    title: str,
    folder: Path,
    local: LocalModel,
    on_tokens: Callable[[str, int, int], None],
) -> None:
    """Read in a thread; who interrupts it waits until what was read is saved."""
    from lcagent.engine.memories.reading_up import Text, read_up  # noqa: PLC0415 -- imports torch

    stop = Event()

    def work() -> None:
        opened = local.load()
        _refuse_others(folder, local)
        read_up(
            opened.model,
            local.memory,
            Text(tokens, title, folder),
            progress=lambda done, total: on_tokens(title, done, total),
            is_stopped=stop.is_set,
        )

    working = asyncio.create_task(asyncio.to_thread(work))
    try:
        await asyncio.shield(working)
    except asyncio.CancelledError:
        stop.set()
        await asyncio.wait([working])
        raise


def _refuse_others(folder: Path, local: LocalModel) -> None:
    """Refuse to replace what another model has read."""
    from lcagent.engine.memories.fingerprint import fingerprint  # noqa: PLC0415 -- imports torch
    from lcagent.engine.memories.manifest import MANIFEST, read_manifest  # noqa: PLC0415

    if not (folder / MANIFEST).is_file():
        return
    if read_manifest(folder)["model"] != fingerprint(local.load().model):
        raise UsageError(
            f"the memory {folder.name} was made by another model: remove it (lcagent memories rm "
            f"{folder.name}), or give this one another --name"
        )


def _beginning(document: Document, local: LocalModel) -> list[int]:
    """Return the tokens that all questions on the whole document begin with."""
    sources = tuple(source.text for source in all_pages_as_sources([document], ALL_PAGES))
    if not sources:
        raise UsageError(f"{document.name} has no text to read")
    one, other = (local.encode(ReaderPrompt(q, sources).messages()) for q in ("Who?", "1 (x)"))
    needed = (
        max(len(one), len(other)) + QUESTION_TOKENS + answer_reply_tokens(local) + MARGIN_TOKENS
    )
    if needed > local.card.window_tokens:
        raise ContextTooLong(
            f"{document.name} has {len(one)} tokens; with a question and a reply it needs a window "
            f"of {needed}, and this one has {local.card.window_tokens} (--window)"
        )
    same = next(n for n, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1])
    return one[:same]


def _name_of(document: Document) -> str:
    stem = _NOT_IN_NAMES.sub("-", Path(document.name).stem).strip("-")[:_LONGEST_STEM]
    return "-".join(filter(None, (stem, document.id[:8])))


def _say_nothing(name: str, done: int, total: int) -> None:
    del name, done, total
