"""Reading EPUBs."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from lcagent.documents import Page
from lcagent.errors import UnreadableDocument
from lcagent.retrieval.reading.epub import read

CONTAINER = '<container><rootfiles><rootfile full-path="in/a.opf"/></rootfiles></container>'
NAV = (
    '<nav epub:type="toc"><ol>{}</ol></nav><nav epub:type="landmarks"><ol><li><a href="b.xhtml">No'
)
LONG = "<p>" + "Some words of a story. " * 100 + "</p>"


def book(folder: Path, documents: Mapping[str, str], nav: str = "", spine: str = "") -> Path:
    """Write an EPUB whose spine is the documents in order, unless `spine` says another."""
    items = "".join(f'<item id="{name}" href="{name}.xhtml"/>' for name in documents)
    references = spine or "".join(f'<itemref idref="{name}"/>' for name in documents)
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        "<metadata><dc:title>A  Book</dc:title><dc:language>ar</dc:language></metadata><manifest>"
        f'<item id="nav" properties="nav" href="nav.xhtml"/><item id="ncx" href="toc.ncx"/>{items}'
        f'</manifest><spine toc="ncx">{references}</spine></package>'
    )
    path = folder / "a.epub"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("mimetype", "application/epub+zip")
        file.writestr("META-INF/container.xml", CONTAINER)
        file.writestr("in/a.opf", package)
        file.writestr("in/nav.xhtml", NAV.format(nav))
        for name, content in documents.items():
            file.writestr(f"in/{name}.xhtml", f"<html><body>{content}</body></html>")
    return path


def pages(path: Path) -> list[Page]:
    return list(read(path).pages)


def sections(path: Path) -> list[str | None]:
    return [page.section for page in pages(path)]


def test_documents_are_read_in_the_order_of_the_spine(tmp_path: Path) -> None:
    spine = '<itemref idref="b"/><itemref idref="c" linear="no"/><itemref idref="a"/>'
    path = book(tmp_path, {"a": "<p>1", "b": "<p>2", "c": "<p>3"}, spine=spine)
    assert [page.text for page in pages(path)] == ["2", "3", "1"]


def test_title_and_language_are_found(tmp_path: Path) -> None:
    reading = read(book(tmp_path, {"a": "<p>1"}))
    assert (reading.title, reading.language) == ("A Book", "ar")


def test_sections_are_called_as_the_navigation_calls_them(tmp_path: Path) -> None:
    nav = (
        '<li><a href="a.xhtml">Part <b>I</b></a><ol><li><a href="b.xhtml">One</a></li></ol></li>'
        '<li><span>Part II</span><ol><li><a href="c.xhtml">Two</a></li></ol></li>'
    )
    documents = {"a": "<h1>PART I</h1>", "b": "<h4>One</h4>1", "c": "<p>2"}
    reading = read(book(tmp_path, documents, nav))
    assert [page.section for page in reading.pages] == ["Part I", "Part I > One", "Part II > Two"]
    assert [(entry.title, entry.level, entry.page_index) for entry in reading.outline] == [
        ("Part I", 1, 0),
        ("One", 2, 1),
        ("Part II", 1, 2),
        ("Two", 2, 2),
    ]


def test_a_document_is_cut_where_the_navigation_points_into_it(tmp_path: Path) -> None:
    nav = '<li><a href="a.xhtml">One</a></li><li><a href="a.xhtml#x">Two</a></li>'
    path = book(tmp_path, {"a": "<p>1</p><p id=x>2</p>"}, nav)
    assert [(page.section, page.text.strip()) for page in pages(path)] == [
        ("One", "1"),
        ("Two", "2"),
    ]


def test_a_long_document_is_cut_at_its_headings_first(tmp_path: Path) -> None:
    content = f"<h1>One</h1>{LONG * 2}<h2>Deep</h2>{LONG * 2}"
    assert sections(book(tmp_path, {"a": content}, '<li><a href="a.xhtml">One</a>')) == [
        "One",
        "One > Deep",
    ]


def test_a_document_without_an_entry_continues_the_chapter_before_it(tmp_path: Path) -> None:
    documents = {"a": "<p>1", "b": "<p>2", "c": "<h1>Notes</h1>3"}
    path = book(tmp_path, documents, '<li><a href="a.xhtml">One</a></li>')
    assert sections(path) == ["One", "One", "Notes"]


def test_the_ncx_serves_where_there_is_no_nav(tmp_path: Path) -> None:
    point = '<navPoint><navLabel><text>{}</text></navLabel><content src="{}"/>{}</navPoint>'
    ncx = point.format("Part", "a.xhtml", point.format("One", "b.xhtml#x", ""))
    path = book(tmp_path, {"a": "<p>1", "b": "<p>2"})
    with zipfile.ZipFile(path, "a") as file:
        file.writestr("in/toc.ncx", f"<ncx><navMap>{ncx}</navMap></ncx>")
    assert sections(path) == ["Part", "Part > One"]


def test_headings_serve_where_there_is_no_navigation(tmp_path: Path) -> None:
    reading = read(book(tmp_path, {"a": "<h1>One</h1>1", "b": "<p>2"}))
    assert [page.section for page in reading.pages] == ["One", "b.xhtml"]
    assert [entry.title for entry in reading.outline] == ["One"]


def test_a_missing_document_is_an_unreadable_page(tmp_path: Path) -> None:
    package = book(tmp_path, {"a": "<p>1"}, spine='<itemref idref="ncx"/><itemref idref="a"/>')
    missing, found = pages(package)
    assert (missing.problem, missing.section) == ("unreadable", "in/toc.ncx")
    assert (found.text, found.index) == ("1", 1)


def test_a_document_outside_the_archive_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / "secret.xhtml").write_text("<p>secret")
    path = book(tmp_path, {"../../secret": "<p>1"})
    assert [(page.problem, page.text) for page in pages(path)] == [("unreadable", "")]


def encryption(algorithm: str) -> str:
    return (
        "<encryption><EncryptedData>"
        f'<EncryptionMethod Algorithm="{algorithm}"/></EncryptedData></encryption>'
    )


def test_a_protected_book_is_refused_but_not_one_with_obfuscated_fonts(tmp_path: Path) -> None:
    fonts = encryption("http://www.idpf.org/2008/embedding")
    drm = encryption("http://www.w3.org/2001/04/xmlenc#aes128-cbc")
    path = book(tmp_path, {"a": "<p>1"})
    with zipfile.ZipFile(path, "a") as file:
        file.writestr("META-INF/encryption.xml", fonts)
    assert pages(path)[0].text == "1"
    path = book(tmp_path, {"a": "<p>1"})
    with zipfile.ZipFile(path, "a") as file:
        file.writestr("META-INF/encryption.xml", drm)
    with pytest.raises(UnreadableDocument, match="DRM"):
        read(path)


def test_a_cover_picture_is_a_page_without_text(tmp_path: Path) -> None:
    path = book(tmp_path, {"cover": "<img src='a.png' alt='A Book'>"})
    assert pages(path)[0].problem == "no text layer"


def test_ruby_and_right_to_left_text_are_read(tmp_path: Path) -> None:
    path = book(tmp_path, {"a": "<p dir=rtl>مرحبا</p><ruby>漢<rt>kan</rt></ruby>"})
    assert pages(path)[0].text == "مرحبا\n\n漢"


def test_reading_may_begin_at_any_page(tmp_path: Path) -> None:
    reading = read(book(tmp_path, {"a": "<p>1", "b": "<p>2"}), first_page=1)
    assert reading.page_count == 2
    assert [page.index for page in reading.pages] == [1]


def test_a_book_without_a_package_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.epub"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("mimetype", "application/epub+zip")
    with pytest.raises(UnreadableDocument, match="no package document"):
        read(path)
