"""The reading process: reads one file and writes what it finds to standard output.

Started by `isolation.py` as `python -m lcagent.retrieval.reading.worker`, with a `ReadingRequest`
as one line of JSON on standard input. Writes one JSON object a line: the head, each page as soon
as it is read, then the tail; or an error. It imports the one reader it needs and nothing of lcagent
above `retrieval.reading`.
"""

import ctypes
import dataclasses
import gc
import json
import os
import resource
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lcagent.documents import Page
from lcagent.errors import MissingExtra, PasswordNeeded, UnreadableDocument
from lcagent.retrieval.reading.formats import detect_media_type
from lcagent.retrieval.reading.reader import other_type, reader_for, reads_alone


@dataclass(frozen=True, slots=True)
class ReadingRequest:
    """What to read, and how much memory and processor time it may take.

    Attributes:
        media_type: None to find it out and say it first.
        other_reader: Class path of a LlamaIndex reader for files of kinds unknown to lcagent.
        ocr_pages: Indices of the pages to recognise; empty to read the file itself.
    """

    path: str
    media_type: str | None
    password: str | None = dataclasses.field(repr=False)
    first_page: int
    ocr_pages: tuple[int, ...]
    memory_bytes: int
    cpu_s: int
    other_reader: str | None = None


def main() -> None:
    """Read the file that standard input names."""
    request = ReadingRequest(**json.loads(sys.stdin.readline()))
    if request.other_reader is None:
        _forbid_connections()  # before there is a second thread, as the system demands
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _limit(request)
    gc.disable()  # pages make no cycles; looking for some takes a tenth of the time of reading
    try:
        for event in _ocr_events(request) if request.ocr_pages else _events(request):
            _write(event)
    except PasswordNeeded as error:
        _write({"error": "password", "message": str(error)})
    except (UnreadableDocument, MissingExtra) as error:
        _write({"error": "unreadable", "message": str(error)})
    except (MemoryError, RecursionError):
        _write({"error": "memory", "message": ""})
    except Exception as error:  # noqa: BLE001 -- a hostile file may raise anything in a reader
        _write({"error": "failed", "message": f"{type(error).__name__}: {error}"[:300]})


def _end_with_parent() -> None:
    """End this process, whatever hangs in it, when the one that started it is gone.

    That one never closes standard input, so its end means that it was killed.
    """
    while os.read(sys.stdin.fileno(), 1):
        pass
    os._exit(1)


def _forbid_connections() -> None:
    """Leave this process no network: a file that takes it over has nobody to tell.

    Python refuses to connect; so does Linux, where it gives a process a network of its own.
    """
    sys.addaudithook(_refuse_connections)
    flags = CLONE_NEWNET if os.geteuid() == 0 else CLONE_NEWNET | CLONE_NEWUSER
    with suppress(OSError, AttributeError):  # no Linux, or a container that forbids it
        ctypes.CDLL(None).unshare(flags)


def _refuse_connections(event: str, _: object) -> None:
    if event in _CONNECTIONS:
        raise PermissionError("the reading process connects to nobody")


CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
"""Of Linux; `os.unshare` comes with Python 3.12."""

_CONNECTIONS = frozenset(
    {
        "socket.connect",
        "socket.getaddrinfo",
        "socket.gethostbyname",
        "socket.gethostbyaddr",
        "socket.bind",
        "socket.sendto",
        "socket.sendmsg",
    }
)


def _limit(request: ReadingRequest) -> None:
    """Make the system end this process rather than let a file take the machine."""
    for kind, limit in (
        (resource.RLIMIT_AS, request.memory_bytes),
        (resource.RLIMIT_CPU, request.cpu_s),
    ):
        hard = resource.getrlimit(kind)[1]
        resource.setrlimit(kind, (limit if hard < 0 else min(limit, hard), hard))


def _events(request: ReadingRequest) -> Iterator[dict[str, Any]]:
    media_type = request.media_type or _media_type(Path(request.path), request.other_reader)
    yield {"media_type": media_type}
    if request.other_reader is not None and reads_alone(media_type):
        _forbid_connections()
    read = reader_for(media_type)
    reading = read(Path(request.path), request.password, request.first_page)
    yield {
        "page_count": reading.page_count,
        "title": reading.title,
        "language": reading.language,
        "outline": [dataclasses.astuple(entry) for entry in reading.outline],
    }
    for page in reading.pages:
        yield {"page": _fields(page)}
    yield {"end": True}


def _media_type(path: Path, other_reader: str | None) -> str:
    try:
        return detect_media_type(path)
    except PasswordNeeded:
        raise
    except UnreadableDocument:
        if other_reader is None or not path.is_file() or not path.stat().st_size:
            raise
        return other_type(other_reader)


def _ocr_events(request: ReadingRequest) -> Iterator[dict[str, Any]]:
    from lcagent.retrieval.reading import ocr  # noqa: PLC0415 -- an optional part, and heavy

    for page in ocr.read(Path(request.path), request.password, request.ocr_pages):
        yield {"page": _fields(page)}
    yield {"end": True}


def _fields(page: Page) -> dict[str, Any]:
    fields = {name: getattr(page, name) for name in page.__slots__}
    fields["text"] = page.text.translate(_UNSTORABLE)
    fields["lines"] = [(line.start, line.end, line.box) for line in page.lines]
    fields["hidden"] = [
        (hidden.text.translate(_UNSTORABLE), hidden.reason) for hidden in page.hidden
    ]
    return fields


class _Unstorable(dict[int, str]):
    """Maps what no database takes (NUL, half a surrogate pair) to U+FFFD, one for one."""

    def __missing__(self, code: int) -> str:
        unstorable = code == 0 or 0xD800 <= code <= 0xDFFF
        return self.setdefault(code, "\ufffd" if unstorable else chr(code))


_UNSTORABLE = _Unstorable()


def _write(event: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
