"""The sample document is what its script makes, and its questions are true of it."""

import importlib.util
import re
import subprocess
import sys
import tomllib
import unicodedata
from pathlib import Path
from typing import Any

import pypdfium2 as pdfium
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
SAMPLE = EXAMPLES / "sample.pdf"
QUESTIONS: list[dict[str, Any]] = tomllib.loads(
    (EXAMPLES / "sample" / "questions.toml").read_text(encoding="utf-8")
)["questions"]
HYPHEN = "\ufffe"
STORM_PAGES = [5, 9, 13, 14, 15, 17, 21, 22, 24, 30, 36, 38]


@pytest.fixture(scope="module")
def pages() -> list[str]:
    return [_read_as_prose(text) for text in _page_texts(SAMPLE)]


def test_the_script_makes_the_document_in_the_repository(tmp_path: Path) -> None:
    if importlib.util.find_spec("reportlab") is None:
        pytest.skip("needs reportlab")
    made = _make(tmp_path / "sample.pdf")
    assert _page_texts(made) == _page_texts(SAMPLE)


def test_the_script_makes_the_same_bytes_each_time(tmp_path: Path) -> None:
    if importlib.util.find_spec("reportlab") is None:
        pytest.skip("needs reportlab")
    once, again = _make(tmp_path / "once.pdf"), _make(tmp_path / "again.pdf")
    assert once.read_bytes() == again.read_bytes()


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question["id"])
def test_each_quote_stands_on_its_page(question: dict[str, Any], pages: list[str]) -> None:
    for page, quote in zip(question["pages"], question["quotes"], strict=True):
        assert quote in pages[page - 1]


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question["id"])
def test_only_what_is_not_in_the_document_has_no_pages(question: dict[str, Any]) -> None:
    assert (question["kind"] == "not_in_document") == (not question["pages"])


def test_there_are_twenty_questions_and_five_are_not_in_the_document() -> None:
    assert len({question["id"] for question in QUESTIONS}) == len(QUESTIONS) == 20
    assert sum(question["kind"] == "not_in_document" for question in QUESTIONS) == 5


def test_the_storm_is_named_on_exactly_twelve_pages(pages: list[str]) -> None:
    assert _pages_with("Hesper Gale", pages) == STORM_PAGES
    assert _pages_with("Hesper", pages) == STORM_PAGES


def test_the_steps_of_the_tower_are_counted_on_one_page_only(pages: list[str]) -> None:
    assert _pages_with("163", pages) == _pages_with("steps", pages) == [11]


def test_the_second_hop_is_far_from_the_first_and_cannot_be_guessed_from_it(
    pages: list[str],
) -> None:
    assert _pages_with("Varnholt", pages) == [31]
    assert _pages_with("Torrance", pages) == [15, 16]
    assert "1987" not in pages[30]


def test_front_matter_has_roman_labels_and_the_rest_begins_at_one() -> None:
    with pdfium.PdfDocument(SAMPLE) as document:
        labels = [document.get_page_label(index) for index in range(len(document))]
    assert labels[:6] == ["i", "ii", "iii", "iv", "v", "vi"]
    assert labels[6:] == [str(number) for number in range(1, 34)]


def test_each_label_is_printed_on_its_page() -> None:
    with pdfium.PdfDocument(SAMPLE) as document:
        labels = [document.get_page_label(index) for index in range(len(document))]
    for label, text in list(zip(labels, _page_texts(SAMPLE), strict=True))[1:]:
        assert label in text.split()[:12]


def test_the_outline_leads_to_the_page_where_each_heading_stands(pages: list[str]) -> None:
    found = _outline()
    assert [title for level, title, _ in found if level == 0][2:6] == [
        "A letter from the chair",
        "The island and the Company",
        "The light",
        "The ferry",
    ]
    assert sum(level == 1 for level, _, _ in found) > 25
    for _, title, page in found[1:]:
        assert title in pages[page - 1]


def test_the_contents_give_the_printed_label_of_each_heading(pages: list[str]) -> None:
    contents = pages[2] + " " + pages[3]
    for _, title, page in _outline():
        if page > 6:
            assert re.search(rf"{re.escape(title)}[ .]* {page - 6}\b", contents)


def _make(path: Path) -> Path:
    subprocess.run([sys.executable, str(EXAMPLES / "make_sample.py"), str(path)], check=True)
    return path


def _page_texts(path: Path) -> list[str]:
    with pdfium.PdfDocument(path) as document:
        return [document[index].get_textpage().get_text_range() for index in range(len(document))]


def _read_as_prose(text: str) -> str:
    """Return `text` with hyphens at line ends undone, without ligatures, lines joined."""
    return " ".join(unicodedata.normalize("NFKC", text.replace(HYPHEN, "")).split())


def _pages_with(words: str, pages: list[str]) -> list[int]:
    return [number for number, text in enumerate(pages, 1) if words in text]


def _outline() -> list[tuple[int, str, int]]:
    """Return level, title and physical page of each bookmark."""
    with pdfium.PdfDocument(SAMPLE) as document:
        marks = [(mark, mark.get_dest()) for mark in document.get_toc()]
        return [
            (mark.level, mark.get_title(), (target.get_index() or 0) + 1)
            for mark, target in marks
            if target is not None
        ]
