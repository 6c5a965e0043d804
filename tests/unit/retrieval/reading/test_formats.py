"""Finding out what a file is."""

import os
import re
import time
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from lcagent.errors import PasswordNeeded, UnreadableDocument
from lcagent.retrieval.reading.formats import detect_media_type
from lcagent.retrieval.reading.reader import (
    DOCX,
    EPUB,
    HTML,
    MARKDOWN,
    PDF,
    TEXT,
    reader_for,
    reader_version,
)

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(100)


def write(folder: Path, content: bytes, name: str = "a.bin") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def pack(folder: Path, *names: str) -> Path:
    path = folder / "a.zip"
    with zipfile.ZipFile(path, "w") as file:
        for name in names:
            file.writestr(name, "application/epub+zip" if name == "mimetype" else "text")
    return path


@pytest.mark.parametrize(
    ("content", "name", "media_type"),
    [
        (b"%PDF-1.7\n", "a.txt", PDF),
        (b"junk\r\n" * 50 + b"%PDF-1.4\n1 0 obj\n<<>>\n", "a.pdf", PDF),
        (b"A PDF begins with %PDF-1.4, this text does not.", "a.pdf", TEXT),
        (b"<!doctype html><p>a", "a.pdf", HTML),
        (b'<?xml version="1.0"?>\n<!-- x --><html xmlns="">', "a.txt", HTML),
        ("<html><p>ä".encode("utf-16"), "a", HTML),
        (b"<p>a</p>", "a.html", HTML),
        (b"<p align=center>a</p>", "README.md", MARKDOWN),
        (b"plain", "a.html", TEXT),
        (b"# a", "a.MARKDOWN", MARKDOWN),
        (b"# a", "a.txt", TEXT),
        ("第一章".encode("utf-16"), "a.txt", TEXT),
    ],
)
def test_the_content_decides_and_the_name_only_where_it_is_open(
    tmp_path: Path, content: bytes, name: str, media_type: str
) -> None:
    assert detect_media_type(write(tmp_path, content, name)) == media_type


@pytest.mark.parametrize(
    ("names", "media_type"),
    [
        (["mimetype"], EPUB),
        (["META-INF/container.xml"], EPUB),
        (["a/b.opf"], EPUB),
        (["[Content_Types].xml", "word/document.xml"], DOCX),
    ],
)
def test_a_zip_archive_is_known_by_its_members(
    tmp_path: Path, names: list[str], media_type: str
) -> None:
    assert detect_media_type(pack(tmp_path, *names)) == media_type


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (PNG, "an image"),
        (b"\xff\xd8\xff\xe0" + bytes(range(256)), "an image"),
        (b"\x1f\x8b\x08" + bytes(range(256)), "an archive"),
        (b"\x7fELF" + bytes(range(256)), "a program"),
        (bytes(range(256)) * 4, "unknown kind"),
        (b"{\\rtf1 text}", "RTF"),
        (b"%!PS-Adobe-3.0", "PostScript"),
        (OLE + "WordDocument".encode("utf-16-le"), ".doc"),
        (OLE + "Workbook".encode("utf-16-le"), ".xls"),
        (b"PK\x03\x04 cut off", "damaged"),
    ],
)
def test_what_cannot_be_read_is_named_in_one_line(
    tmp_path: Path, content: bytes, said: str
) -> None:
    with pytest.raises(UnreadableDocument) as error:
        detect_media_type(write(tmp_path, content))
    assert said in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("member", "said"),
    [("xl/workbook.xml", ".xlsx"), ("ppt/a.xml", ".pptx"), ("content.xml", ".odt"), ("a", "zip")],
)
def test_other_archives_are_named(tmp_path: Path, member: str, said: str) -> None:
    with pytest.raises(UnreadableDocument, match=said):
        detect_media_type(pack(tmp_path, member))


def test_folders_and_missing_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableDocument, match="folder"):
        detect_media_type(tmp_path)
    with pytest.raises(UnreadableDocument, match="no such file"):
        detect_media_type(tmp_path / "a.txt")


def test_an_encrypted_office_document_needs_a_password(tmp_path: Path) -> None:
    with pytest.raises(PasswordNeeded):
        detect_media_type(write(tmp_path, OLE + "EncryptedPackage".encode("utf-16-le")))


def test_every_media_type_has_a_reader_and_its_version() -> None:
    for media_type in (PDF, EPUB, DOCX, HTML, MARKDOWN, TEXT):
        assert callable(reader_for(media_type))
        assert re.fullmatch(r"[a-z]+/\d", reader_version(media_type))


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"<!-- a -->\n" * 400 + b"Ada Quill is the harbour master.\n", MARKDOWN),
        (b"<!-- a -->\n" * 400 + b"<html><p>a", HTML),
        (b"<!-- a --> <?xml b?> " * 400 + b"<", MARKDOWN),
        (b"<!--" * 10_000, MARKDOWN),
        (b" " * 60_000 + b"a", MARKDOWN),
        (b"x%PDF-1.4 " + b"%PDF-1.4 " * 100 + b"7" * 50_000, MARKDOWN),
        (b"x%PDF-1.4 " * 20 + b"7 " * 30_000, MARKDOWN),
        (b"x%PDF-1.4 " * 6_000, MARKDOWN),
    ],
    ids=[
        "comments", "a page behind comments", "declarations", "open comments", "blanks", "digits",
        "numbers", "marks",
    ],
)  # fmt: skip
def test_whatever_the_head_of_a_file_repeats_its_type_is_found_soon(
    content: bytes, media_type: str, tmp_path: Path
) -> None:
    began = time.process_time()
    assert detect_media_type(write(tmp_path, content, "a.md")) == media_type
    assert time.process_time() - began < 5  # where it goes wrong it takes days


def test_of_a_large_office_document_only_the_ends_are_looked_at(tmp_path: Path) -> None:
    path = write(tmp_path, OLE)
    with path.open("r+b") as file:
        file.truncate(3_000_000_000)
        file.seek(2_999_999_000)
        file.write("WordDocument".encode("utf-16-le"))
    tracemalloc.start()
    with pytest.raises(UnreadableDocument, match=re.escape(".doc")):
        detect_media_type(path)
    assert tracemalloc.get_traced_memory()[1] < 200_000_000
    tracemalloc.stop()


def test_of_a_mimetype_that_unpacks_to_much_only_the_beginning_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "a.epub"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("mimetype", EPUB + " " * 30_000_000)
        file.writestr("noise", os.urandom(1_000_000))
    tracemalloc.start()
    assert detect_media_type(path) == EPUB
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()
