"""Reading plain text."""

import time
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lcagent.retrieval.reading.encoding import clean
from lcagent.retrieval.reading.plain_text import read

BODY = "\n\n" + "\n\n".join(["Some words of a story. " * 40] * 12) + "\n\n"
LINES = st.sampled_from(
    [
        "CHAPTER I",
        "第一回 題",
        "1.",
        "THE END",
        "",
        "  indented",
        "A line.",
        "x" * 7000,
        "\r",
        "\x00",
    ]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.lists(LINES | st.text(max_size=60), max_size=60))
def test_nothing_is_lost(tmp_path: Path, lines: list[str]) -> None:
    text = "\n".join(lines)
    file = tmp_path / "a.txt"
    file.write_bytes(b"\xef\xbb\xbf" + text.encode("utf-8", errors="ignore"))
    expected = clean(text.encode("utf-8", errors="ignore").decode().removeprefix("\ufeff"))
    assert "".join(page.text for page in read(file).pages) == expected


def test_pages_have_no_numbers_but_always_a_section(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text(f"Title{BODY}BOOK ONE\n\nCHAPTER I{BODY}CHAPTER II\n\nShort.")
    pages = list(read(file).pages)
    assert {page.number for page in pages} == {None}
    assert pages[0].section == "paragraphs 1-5"
    assert pages[-2].section == "BOOK ONE > CHAPTER I, paragraphs 9-12"
    assert pages[-1].section == "BOOK ONE > CHAPTER II"


def test_one_line_of_a_megabyte_is_read_at_once(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("word " * 200_000)
    start = time.process_time()
    assert read(file).page_count == 200
    assert time.process_time() - start < 1


def test_reading_may_begin_at_any_page(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text(BODY)
    whole = read(file)
    assert list(read(file, first_page=1).pages) == list(whole.pages)[1:]
    assert read(file, first_page=1).page_count == whole.page_count
