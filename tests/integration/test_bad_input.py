"""What `lcagent ask` does with every kind of bad input; docs/bad-input.md says it to users."""

import json
import os
import resource
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from lcagent.documents import Document, Page
from lcagent.storage.database import open_database
from lcagent.storage.document_store import DocumentStore

if TYPE_CHECKING:
    from tests.integration.conftest import RunCommand

FACT = "The lighthouse at Havenby was lit for the first time in 1871."
QUESTION = "When was the lighthouse at Havenby lit?"
PAGES = (
    "This report is about the islands and their people.",
    FACT,
    "The ferry costs four shillings and leaves at noon.",
)
MOST_BYTES_FOR_A_BOMB = 300_000_000


def _pdf(path: Path, encrypt: StandardEncryption | None = None) -> Path:
    canvas = Canvas("", encrypt=encrypt)
    for text in PAGES:
        canvas.drawString(72, 700, text)
        canvas.showPage()
    return _written(path, canvas.getpdfdata())


def _written(path: Path, content: bytes | str) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def _zip(path: Path, *members: str, zeros: int = 0) -> Path:
    """Make an archive; its last member holds `zeros` bytes that pack well."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in members[:-1]:
            archive.writestr(name, "<x/>")
        archive.writestr(members[-1], bytes(zeros))
    return path


def _encrypted(path: Path) -> Path:
    return _pdf(path, encrypt=StandardEncryption("secret", "owner"))


def _truncated(path: Path) -> Path:
    return _written(path, _pdf(path).read_bytes()[:1500])


def _old_word(path: Path) -> Path:
    start = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1016)
    return _written(path, start + "WordDocument".encode("utf-16-le") + bytes(512))


def _scanned(path: Path) -> Path:
    canvas = Canvas(str(path))
    for _ in range(2):
        canvas.drawImage(ImageReader(Image.new("L", (40, 40), 200)), 0, 0, 400, 400)
        canvas.showPage()
    canvas.save()
    return path


def _with_a_broken_page(path: Path) -> Path:
    """Make a PDF whose last page is an object of another kind."""
    before, last, after = _pdf(path).read_bytes().rpartition(b"/Type /Page\n")
    return _written(path, before + last.replace(b"Page", b"Pane") + after)


def _fifo(path: Path) -> Path:
    os.mkfifo(path)
    return path


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def _no_access(path: Path) -> Path:
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    _pdf(path).chmod(0)
    return path


REFUSED: dict[str, tuple[Callable[[Path], Path | str], str]] = {
    "empty name": (lambda folder: "", "name of a document is empty"),
    "missing file": (lambda folder: folder / "missing.pdf", "no such file"),
    "name too long": (lambda folder: folder / ("x" * 300), "cannot be opened"),
    "nobody's home": (lambda folder: "~nobody-at-all/book.pdf", "no such file"),
    "empty folder": (lambda folder: _folder(folder / "empty"), "no documents in the folder"),
    "glob without match": (lambda folder: str(folder / "*.pdf"), "no file matches"),
    "unknown id": (lambda folder: "0123456789abcdef", "no stored document"),
    "empty file": (lambda folder: _written(folder / "a.pdf", b""), "empty"),
    "no permission": (lambda folder: _no_access(folder / "a.pdf"), "ermission"),
    "encrypted PDF": (lambda folder: _encrypted(folder / "a.pdf"), "--password"),
    "truncated PDF": (lambda folder: _truncated(folder / "a.pdf"), "cut off"),
    "random bytes": (lambda folder: _written(folder / "a.pdf", os.urandom(9_000)), "binary file"),
    "random PDF": (
        lambda folder: _written(folder / "a.pdf", b"%PDF-1.7\n" + os.urandom(9)),
        "damaged",
    ),
    "PNG": (lambda folder: _written(folder / "a.png", b"\x89PNG\r\n\x1a\n" + bytes(9)), "an image"),
    "zip": (lambda folder: _zip(folder / "a.zip", "a.pdf"), "a zip archive"),
    "old Word": (lambda folder: _old_word(folder / "a.doc"), "old format"),
    "xlsx": (lambda folder: _zip(folder / "a.xlsx", "xl/workbook.xml"), "Excel"),
    "pptx": (lambda folder: _zip(folder / "a.pptx", "ppt/presentation.xml"), "PowerPoint"),
}


@pytest.mark.parametrize(("make", "says"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_read_is_refused_in_one_line(
    make: Callable[[Path], Path | str], says: str, tmp_path: Path, call: "RunCommand"
) -> None:
    call("ask", make(tmp_path), QUESTION).assert_refused(2, says)


@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_what_never_ends_is_not_waited_for(kind: str, tmp_path: Path, run: "RunCommand") -> None:
    given = _fifo(tmp_path / "a.pdf") if kind == "pipe" else Path("/dev/zero")
    run("ask", given, QUESTION).assert_refused(2, "pipe or a device")


@pytest.mark.parametrize(
    "members", [("mimetype", "META-INF/container.xml"), ("word/document.xml",)]
)
def test_a_zip_bomb_is_refused_before_it_fills_the_memory(
    members: tuple[str, ...], tmp_path: Path, run: "RunCommand"
) -> None:
    bomb = _zip(tmp_path / "a.epub", *members, zeros=400_000_000)
    finished = run("ask", bomb, QUESTION)
    finished.assert_refused(2, "more than is safe")
    ours = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    assert finished.peak_bytes < max(MOST_BYTES_FOR_A_BOMB, 1.05 * ours)


ANSWERED: dict[str, Callable[[Path], Path]] = {
    "HTML called PDF": lambda folder: _written(folder / "a.pdf", f"<html><p>{FACT}</p></html>"),
    "PDF called text": lambda folder: _pdf(folder / "a.txt"),
    "line of 1 MB": lambda folder: _written(folder / "a.txt", "All was calm. " * 70_000 + FACT),
    "spaces": lambda folder: _pdf(folder / "a b.pdf"),
    "unicode": lambda folder: _pdf(folder / "résumé 文書 🏮.pdf"),
    "line break": lambda folder: _pdf(folder / "a\nb.pdf"),
    "leading dash": lambda folder: _pdf(folder / "-k.pdf"),
    "tilde": lambda folder: _pdf(folder / "~a.pdf"),
    "brackets": lambda folder: _pdf(folder / "a[1].pdf"),
    "escape sequence": lambda folder: _pdf(folder / "a\x1b[31m.pdf"),
    "no UTF-8": lambda folder: _pdf(folder / os.fsdecode(b"a\xff.pdf")),
}


@pytest.mark.parametrize("make", ANSWERED.values(), ids=ANSWERED)
def test_what_can_be_read_is_answered_whatever_its_name(
    make: Callable[[Path], Path], tmp_path: Path, run: "RunCommand"
) -> None:
    finished = run("ask", "--", make(tmp_path).name, QUESTION, cwd=tmp_path)
    finished.assert_done()
    assert "1871" in finished.out
    assert "\x1b" not in finished.out + finished.err


WRONG_USAGE: dict[str, tuple[list[str], str]] = {
    "empty question": (["ask", "a.pdf", " "], "the question is empty"),
    "no question": (["ask", "a.pdf"], "missing argument"),
    "pages in words": (["ask", "a.pdf", QUESTION, "--pages", "all"], "pages are written like"),
    "page 0": (["ask", "a.pdf", QUESTION, "--pages", "0"], "count from 1"),
    "pages backwards": (["ask", "a.pdf", QUESTION, "--pages", "3-1"], "upwards"),
    "unknown strategy": (["ask", "a.pdf", QUESTION, "-s", "guess"], "no strategy 'guess'"),
    "no passages": (["ask", "a.pdf", QUESTION, "-k", "0"], "--top-k"),
    "unknown option": (["ask", "a.pdf", QUESTION, "--fast"], "no such option"),
    "name like an option": (["ask", "-k.pdf", QUESTION], "invalid value for '-k'"),
    "unknown command": (["answer", "a.pdf", QUESTION], "no such command"),
    "missing command": (["docs"], "missing command"),
    "unknown run": (["runs", "show", "0123"], "no runs"),
    "not stored": (["docs", "rm", "a.pdf"], "not in the store"),
}


@pytest.mark.parametrize(("arguments", "says"), WRONG_USAGE.values(), ids=WRONG_USAGE)
def test_wrong_usage_is_refused_in_one_line(
    arguments: list[str],
    says: str,
    tmp_path: Path,
    call: "RunCommand",
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _pdf(tmp_path / "a.pdf")
    monkeypatch.chdir(tmp_path)
    call(*arguments).assert_refused(2, says)


def test_a_bare_command_prints_its_help(call: "RunCommand") -> None:
    finished = call()
    finished.assert_done()
    assert finished.out.startswith("Usage: ")


def test_pages_that_are_not_there_are_refused(tmp_path: Path, call: "RunCommand") -> None:
    given = _pdf(tmp_path / "a.pdf")
    call("ask", given, QUESTION, "--pages", "7-9").assert_refused(2, "3 pages")


def test_a_question_in_no_encoding_is_asked_with_its_bad_bytes_replaced(
    tmp_path: Path, run: "RunCommand"
) -> None:
    finished = run("ask", _pdf(tmp_path / "a.pdf"), f"{QUESTION} \udcff")
    finished.assert_done()
    assert "1871" in finished.out


def test_an_id_that_means_several_documents_is_refused(own_home: Path, call: "RunCommand") -> None:
    database = open_database(f"sqlite:///{own_home / 'lcagent.db'}")
    for end in "ab":
        page = Page(0, FACT, 1)
        DocumentStore(database).save(
            Document("0" * 63 + end, "a.pdf", "application/pdf", "pdf/1", (page,))
        )
    database.close()
    call("ask", "0" * 8, QUESTION).assert_refused(2, "2 stored documents")


@pytest.mark.parametrize("password", ["swordfish", "SECRET", "\U0001f511"])
def test_a_wrong_password_is_refused_and_not_repeated(
    password: str, tmp_path: Path, call: "RunCommand"
) -> None:
    finished = call("ask", _encrypted(tmp_path / "a.pdf"), QUESTION, "--password", password)
    finished.assert_refused(2, "the password given does not open it")
    assert password not in finished.err


def test_the_right_password_opens_a_document(
    tmp_path: Path, call: "RunCommand", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LCAGENT_PASSWORD", "secret")
    from_environment = call("ask", _encrypted(tmp_path / "a.pdf"), QUESTION)
    from_environment.assert_done()
    monkeypatch.setenv("LCAGENT_PASSWORD", "wrong")
    from_option = call("ask", _encrypted(tmp_path / "b.pdf"), QUESTION, "--password", "secret")
    from_option.assert_done()
    assert "1871" in from_environment.out
    assert "1871" in from_option.out


def test_pictures_without_text_are_named_and_answer_nothing(
    tmp_path: Path, call: "RunCommand"
) -> None:
    finished = call("ask", _scanned(tmp_path / "scan.pdf"), QUESTION, "--json")
    finished.assert_done()
    assert "scan.pdf: 2 of 2 pages are pictures" in finished.err
    answer = json.loads(finished.out)
    assert answer["outcome"] == "nearest"
    assert answer["coverage"]["pages_without_text"] == [1, 2]
    assert answer["coverage"]["pages_read"] == 0


def test_a_page_that_cannot_be_read_is_left_out_and_named(
    tmp_path: Path, call: "RunCommand"
) -> None:
    given = _with_a_broken_page(tmp_path / "a.pdf")
    as_json, as_text = call("ask", given, QUESTION, "--json"), call("ask", given, QUESTION)
    answer = json.loads(as_json.out)
    assert answer["citations"][0]["page"] == 2
    (left_out,) = answer["coverage"]["left_out"]
    assert (left_out["page"], left_out["reason"]) == (3, "unreadable")
    as_text.assert_done()
    assert "a.pdf, p. 3: unreadable" in as_text.err


def test_a_broken_document_among_others_is_left_out_and_named(
    tmp_path: Path, call: "RunCommand"
) -> None:
    _pdf(tmp_path / "whole.pdf")
    _truncated(tmp_path / "broken.pdf")
    as_json, as_text = call("ask", tmp_path, QUESTION, "--json"), call("ask", tmp_path, QUESTION)
    (left_out,) = json.loads(as_json.out)["coverage"]["left_out"]
    assert left_out["document"].endswith("broken.pdf")
    assert "cut off" in left_out["reason"]
    as_text.assert_done()
    assert "1871" in as_text.out
    assert "broken.pdf" in as_text.err


def test_what_was_not_read_is_named_where_nothing_was_found(
    tmp_path: Path, call: "RunCommand"
) -> None:
    finished = call("ask", _with_a_broken_page(tmp_path / "a.pdf"), "Who sells umbrellas?")
    assert "No passage was found" in finished.out
    assert "a.pdf, p. 3: unreadable" in finished.err


def test_of_several_broken_documents_the_first_is_explained(
    tmp_path: Path, call: "RunCommand"
) -> None:
    given = [_truncated(tmp_path / "a.pdf"), _written(tmp_path / "b.pdf", b"")]
    call("ask", *given, QUESTION).assert_refused(2, "none of the 2 files", "a.pdf", "cut off")
