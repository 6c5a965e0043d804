"""Real books: the right number of parts, and known words in the right chapter.

The books lie outside the project; see `DATA`.
"""

import os
import time
from pathlib import Path

import pytest

from lcagent.documents import Page
from lcagent.retrieval.reading.formats import detect_media_type
from lcagent.retrieval.reading.parts import LONGEST
from lcagent.retrieval.reading.reader import Reading, reader_for

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("LCAGENT_TEST_DATA") or ROOT.parent / "shared" / "data")

pytestmark = pytest.mark.skipif(not (DATA / "books").is_dir(), reason="needs the test data")


def read(name: str) -> Reading:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"needs {name}")
    return reader_for(detect_media_type(path))(path)


def pages_with(name: str, words: str) -> list[Page]:
    return [page for page in read(name).pages if words in page.text]


@pytest.mark.parametrize(
    ("name", "entries", "pages"),
    [
        ("books/war_and_peace_en.epub", 393, 826),
        ("books/war_and_peace_en.txt", 383, 804),  # 365 chapters, 17 books, the licence
        ("books/moby_dick_en.epub", 141, 299),
        ("books/moby_dick_en.txt", 137, 297),  # 135 chapters, and what is around them
        ("books/pride_and_prejudice_en.txt", 62, 167),  # 61 chapters, the licence
        ("books/die_verwandlung_de.html", 4, 32),
        ("books/hongloumeng_zh.gbk.txt", 120, 243),
        ("books/jlreq_ja.epub", 138, 174),
        ("books/regime_anticancer_ar.epub", 3, 10),
        ("nasty/derived_one_line_1MB.txt", 0, 197),
    ],
)
def test_a_book_has_all_its_chapters(name: str, entries: int, pages: int) -> None:
    reading = read(name)
    found = list(reading.pages)
    assert (len(reading.outline), len(found), reading.page_count) == (entries, pages, pages)
    assert [page.index for page in found] == list(range(pages))
    assert all(page.section and page.number is None for page in found)
    assert all(len(page.text) <= LONGEST for page in found)


@pytest.mark.parametrize(
    ("name", "words", "section"),
    [
        ("books/war_and_peace_en.epub", "It was in July, 1805", "Book I > Part I: 1805 > I,"),
        ("books/war_and_peace_en.txt", "It was in July, 1805", "BOOK ONE: 1805 > CHAPTER I,"),
        ("books/moby_dick_en.epub", "Call me Ishmael", "Chapter 1. Loomings.,"),
        ("books/moby_dick_en.epub", "found another orphan", "Epilogue"),
        ("books/moby_dick_en.txt", "Call me Ishmael", "CHAPTER 1. Loomings.,"),
        ("books/moby_dick_en.txt", "found another orphan", "Epilogue"),
        ("books/pride_and_prejudice_en.txt", "universally acknowledged", "Chapter 1"),
        ("books/die_verwandlung_de.html", "aus unruhigen Träumen", "DIE VERWANDLUNG > I.,"),
        ("books/hongloumeng_zh.gbk.txt", "却说雨村忙回", "第三回 托内兄如海荐西宾"),
        ("books/jlreq_ja.epub", "割注の利用", "第3章 行の組版処理 > 3.4 割注処理 > 3.4.1"),
        ("books/regime_anticancer_ar.epub", "من أين تأتي الحياة", "Commencer la lecture > من أين"),
    ],
)
def test_known_words_stand_in_their_chapter(name: str, words: str, section: str) -> None:
    sections = [page.section or "" for page in pages_with(name, words)]
    assert any(section in found for found in sections), sections


def test_the_licence_does_not_belong_to_the_last_chapter() -> None:
    for page in pages_with("books/pride_and_prejudice_en.txt", "1.E.9."):
        assert (page.section or "").startswith("END OF THIS PROJECT GUTENBERG EBOOK")


def test_a_gb18030_book_is_decoded_without_loss() -> None:
    text = "".join(page.text for page in read("books/hongloumeng_zh.gbk.txt").pages)
    assert "\ufffd" not in text
    assert text.encode("gb18030") == (DATA / "books/hongloumeng_zh.gbk.txt").read_bytes()


def test_html_called_pdf_is_read_as_html() -> None:
    assert [page.text for page in read("nasty/derived_html_named.pdf").pages] == ["Not a PDF"]


def test_a_book_of_366_documents_is_read_in_three_seconds() -> None:
    start = time.process_time()
    list(read("books/war_and_peace_en.epub").pages)
    assert time.process_time() - start < 3
