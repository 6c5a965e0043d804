"""Reading HTML files."""

from pathlib import Path

import pytest

from lcagent.retrieval.reading.html import parse, read


def write(folder: Path, content: bytes) -> Path:
    file = folder / "a.html"
    file.write_bytes(content)
    return file


def test_title_language_and_sections_are_found(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        b"<html lang=de><title> A\n title </title><h1>One</h1><p>a<h2>Two</h2><p>b<h4>No</h4>c",
    )
    reading = read(file)
    assert (reading.title, reading.language) == ("A title", "de")
    assert [page.section for page in reading.pages] == ["One", "One > Two"]
    assert [entry.title for entry in reading.outline] == ["One", "Two", "No"]


@pytest.mark.parametrize(
    ("head", "codec"),
    [
        ('<meta charset="shift_jis">', "shift_jis"),
        ('<meta http-equiv=Content-Type content="text/html; charset=EUC-JP">', "euc_jp"),
        ('<?xml version="1.0" encoding="utf-16"?>', "utf-16"),
        ('<meta charset="utf-8">', "shift_jis"),
        ("", "utf-8"),
    ],
)
def test_the_declared_encoding_is_used_if_it_fits(tmp_path: Path, head: str, codec: str) -> None:
    body = "その朝、彼は戸を開けた。" * 5
    (page,) = read(write(tmp_path, f"{head}<p>{body}</p>".encode(codec))).pages
    assert page.text == body


def test_elements_closed_at_once_do_not_swallow_the_rest_of_xhtml() -> None:
    html = b'<html xmlns="http://www.w3.org/1999/xhtml"><head><title/><script src="x"/></head>'
    tree = parse(html + b"<body><p>a<br/>b<![CDATA[ c<d ]]></p></body></html>")
    assert tree.body is not None
    assert tree.body.text() == "ab c<d "
