"""Reading in a process of its own, which a hostile file crashes, hangs or fills.

The process is the real one. A `sitecustomize` module, which Python imports when it starts, puts
a reader into it that yields five pages and does something hostile on one of them.
"""

import asyncio
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lcagent.documents import Document
from lcagent.errors import PasswordNeeded, UnreadableDocument
from lcagent.retrieval.reading.isolation import PageProgress, read_document
from lcagent.retrieval.reading.reader import ReadingLimits, printable

PAGE_COUNT = 5
HOSTILE_PAGE = 2
LIMITS = ReadingLimits(memory_bytes=400_000_000, cpu_s=20, open_s=10.0, page_s=1.0)
READER = f"""
import ctypes, os, sys, time
from lcagent.documents import Page
from lcagent.errors import PasswordNeeded, UnreadableDocument
from lcagent.retrieval.reading import reader
from lcagent.retrieval.reading.reader import Reading

def opened(): OPENED
def hostile(): HOSTILE

def page(index):
    if index in HOSTILE_PAGES: hostile()
    return Page(index, f"Text of page {{index}}.", index + 1)

def read(path, password=None, first_page=0):
    opened()
    return Reading({PAGE_COUNT}, (page(index) for index in range(first_page, {PAGE_COUNT})))

reader.reader_for = lambda media_type: read
"""
HOSTILITIES = {
    "ends": "os._exit(0)",
    "crashes": "ctypes.string_at(0)",
    "aborts": "os.abort()",
    "hangs": "time.sleep(600)",
    "hangs with the lock of Python": "ctypes.PyDLL(None).sleep(600)",
    "eats memory": "bytearray(10**9)",
    "recurses": "hostile()",
    "raises": "raise KeyError('a\\nb')",
    "prints": "print('nonsense')",
    "exits": "sys.exit(0)",
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a file that passes for a PDF; its reader does not look at it."""
    path = tmp_path / "hostile.pdf"
    path.write_bytes(b"%PDF-1.7\n")
    return path


@pytest.fixture
def use_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return what makes reading processes use a reader that runs this code."""

    def use(
        hostile: str = "pass",
        *,
        opened: str = "pass",
        pages: tuple[int, ...] = (HOSTILE_PAGE,),
    ) -> None:
        script = READER.replace("HOSTILE_PAGES", repr(pages)).replace("HOSTILE", hostile)
        (tmp_path / "sitecustomize.py").write_text(script.replace("OPENED", opened))
        monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)

    return use


def _read(
    file: Path, limits: ReadingLimits = LIMITS, progress: PageProgress | None = None
) -> Document:
    return asyncio.run(read_document(file, "f" * 64, limits=limits, progress=progress))


def _problems(document: Document) -> list[str | None]:
    return [page.problem for page in document.pages]


def test_a_harmless_reader_is_heard_to_its_end(file: Path, use_reader: Callable[..., None]) -> None:
    use_reader()
    document = _read(file)
    assert [page.text for page in document.pages] == [
        f"Text of page {index}." for index in range(PAGE_COUNT)
    ]
    assert document.id == "f" * 64
    assert document.name == "hostile.pdf"


@pytest.mark.parametrize("hostile", HOSTILITIES.values(), ids=HOSTILITIES)
def test_a_page_that_ends_its_reader_is_given_up_and_the_rest_is_read(
    hostile: str, file: Path, use_reader: Callable[..., None]
) -> None:
    use_reader(hostile)
    document = _read(file)
    assert _problems(document) == [None, None, "unreadable", None, None]
    assert [page.number for page in document.pages] == [1, 2, 3, 4, 5]
    assert document.pages[3].text == "Text of page 3."


@pytest.mark.parametrize("hostile", ["crashes", "hangs", "eats memory", "raises"])
def test_a_file_whose_type_cannot_be_found_out_is_unreadable(
    hostile: str, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = (
        "import ctypes, time\nfrom lcagent.retrieval.reading import formats\n"
        f"def detect(path): {HOSTILITIES[hostile]}\nformats.detect_media_type = detect\n"
    )
    (tmp_path / "sitecustomize.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(UnreadableDocument):
        _read(file, ReadingLimits(memory_bytes=400_000_000, cpu_s=20, open_s=4.0))


def test_a_text_longer_than_the_limit_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "a.txt"
    text.write_text("A sentence of a long book. " * 1_000)
    with pytest.raises(UnreadableDocument, match="raise LCAGENT_READING_TEXT_MB"):
        _read(text, ReadingLimits(characters=20_000))
    assert _read(text, ReadingLimits(characters=30_000)).pages


def test_many_hostile_pages_are_given_up_after_some_attempts(
    file: Path, use_reader: Callable[..., None]
) -> None:
    use_reader("os._exit(1)", pages=(0, 1, 2))
    assert _problems(_read(file)) == ["unreadable"] * PAGE_COUNT
    patient = ReadingLimits(open_s=10.0, attempts=4)
    assert _problems(_read(file, patient)) == ["unreadable"] * 3 + [None] * 2


def test_a_hostile_last_page_costs_nothing_else(
    file: Path, use_reader: Callable[..., None]
) -> None:
    use_reader("os._exit(1)", pages=(PAGE_COUNT - 1,))
    assert _problems(_read(file)) == [None] * (PAGE_COUNT - 1) + ["unreadable"]


@pytest.mark.parametrize(
    ("opened", "says"),
    [
        ("os._exit(1)", "crashed"),
        ("time.sleep(600)", "no progress for 1 s"),
        ("bytearray(10**9)", "more memory"),
        ("raise ValueError('odd')", "ValueError: odd"),
        ("raise UnreadableDocument('it is odd')", "it is odd"),
    ],
)
def test_a_file_that_cannot_be_opened_is_unreadable(
    opened: str, says: str, file: Path, use_reader: Callable[..., None]
) -> None:
    use_reader(opened=opened)
    limits = ReadingLimits(memory_bytes=400_000_000, open_s=1.0 if "sleep" in opened else 10.0)
    with pytest.raises(UnreadableDocument, match=says):
        _read(file, limits)


def test_a_password_error_passes_through(file: Path, use_reader: Callable[..., None]) -> None:
    use_reader(opened="raise PasswordNeeded('use --password')")
    with pytest.raises(PasswordNeeded, match=r"^use --password$"):
        _read(file)


def test_processor_time_is_limited(file: Path, use_reader: Callable[..., None]) -> None:
    use_reader("exec('while True: pass')")
    began = time.monotonic()
    document = _read(file, ReadingLimits(cpu_s=1, open_s=10.0, page_s=60.0))
    assert _problems(document) == [None, None, "unreadable", None, None]
    assert time.monotonic() - began < 60


def test_progress_is_reported_page_by_page_in_order(
    file: Path, use_reader: Callable[..., None]
) -> None:
    use_reader("os._exit(1)")
    reports: list[tuple[int, int]] = []
    _read(file, progress=lambda done, total: reports.append((done, total)))
    assert reports == [(1, 5), (2, 5), (4, 5), (5, 5)]


def test_a_name_is_made_storable_and_harmless() -> None:
    assert printable("a\nb\x1b[31m\udcff.pdf") == "a\ufffdb\ufffd[31m\ufffd.pdf"
    assert printable("résumé 文書 🏮 نیم‌فاصله.pdf") == "résumé 文書 🏮 نیم‌فاصله.pdf"


SECRETS = {
    "LCAGENT_API_KEY": "sk-lcagent",
    "OPENAI_API_KEY": "sk-openai",
    "LCAGENT_PASSWORD": "open sesame",
    "LCAGENT_DATABASE_URL": "postgresql://user:word@host/store",
    "HTTPS_PROXY": "http://user:word@proxy",
    "HF_TOKEN": "hf_secret",
    "SOME_SERVICE_SECRET": "unheard of",
}


def test_a_reading_process_has_no_key_in_its_environment(
    file: Path, tmp_path: Path, use_reader: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = tmp_path / "environment"
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    use_reader(opened=f"print(os.environ, file=open({str(found)!r}, 'w'), flush=True)")
    _read(file)
    seen = found.read_text(encoding="utf-8")
    assert "PYTHONSAFEPATH" in seen
    assert not any(name in seen or value in seen for name, value in SECRETS.items())


CONNECTIONS = {
    "connects": "import socket; socket.create_connection(('127.0.0.1', PORT), 1)",
    "sends": "import socket; socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 9))",
    "asks for a name": "import socket; socket.getaddrinfo('example.com', 80)",
    "connects in another way": "import socket; socket.socket().connect_ex(('127.0.0.1', PORT))",
}


@pytest.mark.parametrize("hostile", CONNECTIONS.values(), ids=CONNECTIONS)
def test_a_reading_process_connects_to_nobody(
    hostile: str, file: Path, use_reader: Callable[..., None]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        use_reader(hostile.replace("PORT", str(listener.getsockname()[1])))
        document = _read(file)
        assert _problems(document) == [None, None, "unreadable", None, None]
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()
