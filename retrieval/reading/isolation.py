"""Reading a file in a process of its own, which can be killed and limited.

A file may be hostile or only broken: its reader, or what finds out its type, may crash, hang, or
take all the memory. Then that process ends and this one goes on. A page on which the reader dies or
stalls becomes a page with the problem "unreadable", and a new process reads on behind it.
"""

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

from lcagent.documents import Document, OutlineEntry, Page
from lcagent.errors import PasswordNeeded, UnreadableDocument
from lcagent.retrieval.reading.reader import (
    PDF,
    ReadingLimits,
    printable,
    reader_version,
)
from lcagent.retrieval.reading.worker import ReadingRequest

PageProgress: TypeAlias = Callable[[int, int], None]
"""Called with the pages read so far and their number."""


OCR_LIMITS = ReadingLimits(memory_bytes=8_000_000_000, cpu_s=100_000, open_s=120.0, page_s=120.0)
"""Address space, not memory in use: the runtime of the models reserves far more than it takes."""


@dataclass(slots=True)
class _SoFar:
    """What has come from the reading processes."""

    media_type: str | None = None
    is_paged: bool = False
    characters: int = 0
    head: dict[str, Any] | None = None
    pages: list[Page] = field(default_factory=list[Page])


async def read_document(
    path: Path,
    document_id: str,
    *,
    password: str | None = None,
    limits: ReadingLimits | None = None,
    other_reader: str | None = None,
    progress: PageProgress | None = None,
) -> Document:
    """Read the file at `path` into a document.

    Args:
        other_reader: Class path of a LlamaIndex reader for files of kinds unknown to lcagent.

    Raises:
        UnreadableDocument: No reader can turn the file into text; the message is one line.
        PasswordNeeded: It is encrypted and `password` does not open it.
    """
    limits = limits or ReadingLimits()
    so_far = _SoFar()
    for attempt in range(1, limits.attempts + 1):
        first_page = len(so_far.pages)
        request = _request(path, so_far.media_type, password, limits, first_page=first_page)
        request = replace(request, other_reader=other_reader)
        try:
            await _read_on(request, so_far, limits, progress)
            break
        except ReaderDied as death:
            _give_up_page(so_far, death, is_last=attempt == limits.attempts)
    return _document(path, document_id, so_far)


async def recognise_pages(
    path: Path, page_indices: Sequence[int], *, password: str | None = None
) -> AsyncIterator[Page]:
    """Yield the pages of a PDF at `page_indices` as OCR reads them.

    One that it dies on, and those behind it, are left out.

    Raises:
        UnreadableDocument: The extra `ocr` is not installed, or the file cannot be opened.
    """
    request = _request(path, PDF, password, OCR_LIMITS, ocr_pages=tuple(page_indices))
    try:
        async with aclosing(_events(request, OCR_LIMITS)) as events:
            async for event in events:
                yield Page.from_fields(event["page"])
    except ReaderDied:
        return


def _request(
    path: Path,
    media_type: str | None,
    password: str | None,
    limits: ReadingLimits,
    *,
    first_page: int = 0,
    ocr_pages: tuple[int, ...] = (),
) -> ReadingRequest:
    return ReadingRequest(
        path=str(path.resolve()),
        media_type=media_type,
        password=password,
        first_page=first_page,
        ocr_pages=ocr_pages,
        memory_bytes=limits.memory_bytes,
        cpu_s=limits.cpu_s,
    )


async def _read_on(
    request: ReadingRequest, so_far: _SoFar, limits: ReadingLimits, progress: PageProgress | None
) -> None:
    """Let one process read from the page after the last one that is known."""
    async with aclosing(_events(request, limits)) as events:
        async for event in events:
            if "media_type" in event:
                so_far.media_type = event["media_type"]
                so_far.is_paged = so_far.is_paged or so_far.media_type == PDF
            elif "page_count" in event:
                so_far.head = so_far.head or event
            elif so_far.head is not None:
                so_far.pages.append(Page.from_fields(event["page"]))
                so_far.is_paged = so_far.pages[-1].number is not None
                _check_length(so_far, limits)
                if progress is not None:
                    progress(len(so_far.pages), so_far.head["page_count"])


def _check_length(so_far: _SoFar, limits: ReadingLimits) -> None:
    so_far.characters += len(so_far.pages[-1].text)
    if so_far.characters > limits.characters:
        raise UnreadableDocument(
            f"it has more than {limits.characters:,} characters of text, and searching it would "
            "take about 35 bytes of memory for each: cut it, or raise LCAGENT_READING_TEXT_MB"
        )


async def _events(
    request: ReadingRequest, limits: ReadingLimits
) -> AsyncGenerator[dict[str, Any], None]:
    """Yield what a reading process tells, its errors raised."""
    async with aclosing(read_events(request, limits.open_s, limits.page_s)) as events:
        async for event in events:
            match event.get("error"):
                case None:
                    yield event
                case "password":
                    raise PasswordNeeded(event["message"])
                case "unreadable":
                    raise UnreadableDocument(event["message"])
                case "memory":
                    raise ReaderDied("it needs more memory than reading may take")
                case _:
                    raise ReaderDied(event["message"])


def _give_up_page(so_far: _SoFar, death: "ReaderDied", *, is_last: bool) -> None:
    """Put a marker in place of the page that ended the reader, or of all that are left."""
    if so_far.head is None:
        raise UnreadableDocument(f"reading it failed: {death}") from death
    count = so_far.head["page_count"]
    first = len(so_far.pages)
    for index in range(first, count if is_last else min(first + 1, count)):
        number = index + 1 if so_far.is_paged else None
        section = None if so_far.is_paged else f"part {index + 1}"
        so_far.pages.append(Page(index, "", number, section=section, problem="unreadable"))


def _document(path: Path, document_id: str, so_far: _SoFar) -> Document:
    assert so_far.head is not None
    media_type = so_far.media_type
    assert media_type is not None
    return Document(
        id=document_id,
        name=printable(path.name),
        media_type=media_type,
        reader=reader_version(media_type),
        pages=tuple(so_far.pages),
        outline=tuple(OutlineEntry(*entry) for entry in so_far.head["outline"]),
        title=so_far.head["title"],
        language=so_far.head["language"],
    )


_LONGEST_LINE = 1 << 28


class ReaderDied(Exception):
    """The reading process ended, or was ended, before it had read everything."""


async def read_events(
    request: ReadingRequest, open_s: float, page_s: float
) -> AsyncGenerator[dict[str, Any], None]:
    """Yield what a new reading process writes, until its end mark.

    Raises:
        ReaderDied: It was silent for `open_s` before the first page, or `page_s` after it, or
            it ended without the mark.
    """
    patience_s = open_s
    async with _started(request) as stdout:
        while True:
            line = await _line(stdout, patience_s)
            event = _event(line)
            if "end" in event:
                return
            yield event
            if "page" in event:
                patience_s = page_s


async def _line(stdout: asyncio.StreamReader, patience_s: float) -> bytes:
    try:
        line = await asyncio.wait_for(stdout.readline(), patience_s)
    except TimeoutError:
        raise ReaderDied(f"its reader made no progress for {patience_s:.0f} s") from None
    except ValueError:
        raise ReaderDied("one of its pages is too large") from None
    if not line.endswith(b"\n"):
        raise ReaderDied("its reader crashed or ran out of memory")
    return line


def _event(line: bytes) -> dict[str, Any]:
    try:
        event: dict[str, Any] = json.loads(line)
    except ValueError:  # a library that its reader uses printed something
        raise ReaderDied("its reader wrote what cannot be understood") from None
    return event


_HARMLESS = re.compile(
    r"PATH|HOME|LANG|LC_\w+|TZ|TMPDIR|(?:DY)?LD_LIBRARY_PATH|(?:OMP|MKL)_NUM_THREADS|PYTHON\w+"
    r"|VIRTUAL_ENV|NLTK_DATA|TIKTOKEN_CACHE_DIR|LLAMA_INDEX_CACHE_DIR"
)


def reading_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that a reading process gets: what Python needs, and no key.

    Whoever takes that process over by a hostile file finds no secret in it.
    """
    kept = {name: value for name, value in environment.items() if _HARMLESS.fullmatch(name)}
    return {**kept, "PYTHONSAFEPATH": "1"}


@asynccontextmanager
async def _started(request: ReadingRequest) -> AsyncIterator[asyncio.StreamReader]:
    """Start a process that has got its request, and end it on the way out, however that is."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "lcagent.retrieval.reading.worker",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        limit=_LONGEST_LINE,
        env=reading_environment(os.environ),
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        # The password goes through the pipe: arguments are visible to other users.
        process.stdin.write(json.dumps(asdict(request)).encode() + b"\n")
        yield process.stdout
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
