"""Finding the chapters of a plain text."""

import pytest

from lcagent.retrieval.reading.plain_text import find_headings

BODY = "\n\n" + "Some words of a story that goes on. " * 30 + "\n\n"


def titles(text: str) -> list[str]:
    return [heading.title for heading in find_headings(text)]


@pytest.mark.parametrize(
    "line",
    [
        "CHAPTER IV",
        "Chapter 12. The Road",
        "Chapter Twenty-One: Home",
        "BOOK ONE: 1805",
        "PART THE SECOND",
        "Part II The Return",
        "SECOND EPILOGUE",
        "Erstes Kapitel",
        "Kapitel 3 \u2013 Der Weg",
        "Chapitre premier",
        "Capítulo VII",
        "Глава первая",
        "ЧАСТЬ 2",
        "الفصل الثاني",
        "الباب ٣: الطريق",
        "第三回 山中一夜",
        "第十二章",
        "第2章 序論",
        "Preface",
    ],
)
def test_a_line_that_names_a_chapter_is_a_heading(line: str) -> None:
    assert titles(f"Before.{BODY}{line}{BODY}") == [line]


@pytest.mark.parametrize(
    "line",
    [
        "Part one was over.",
        "Chapter and verse",
        "Book me a room",
        "第四回中已经说过这件事",
        "“Chapter 1 is missing,” he said.",
    ],
)
def test_a_line_of_prose_is_none(line: str) -> None:
    assert titles(f"Before.{BODY}{line}{BODY}") == []


def test_a_line_inside_a_paragraph_is_none() -> None:
    assert titles("He read\nChapter 3: Of Whales\nand slept.") == []
    assert titles("He read\nChapter 3\n\nand slept.") == []


def test_the_text_may_follow_a_bare_number_at_once() -> None:
    assert titles("\nChapter 3\n" + "It was late, and the road was long and dark. " * 3) == [
        "Chapter 3"
    ]


def test_a_title_on_the_next_line_belongs_to_the_heading() -> None:
    assert titles(f"CHAPTER I.\nDown the Hill{BODY}") == ["CHAPTER I. Down the Hill"]


def test_the_table_of_contents_is_not_taken_for_the_chapters() -> None:
    contents = "".join(f"CHAPTER {number}. Title\n\n" for number in range(1, 6))
    text = f"CONTENTS\n\n{contents}\n\n" + "".join(
        f"CHAPTER {number}. Title{BODY}" for number in range(1, 6)
    )
    headings = find_headings(text)
    assert len(headings) == 5
    assert headings[0].start > len(contents)


def test_a_table_of_contents_by_parts_is_not_taken_for_them_either() -> None:
    plan = [("PART I", "CHAPTER 1", "CHAPTER 2"), ("PART II", "CHAPTER 1", "CHAPTER 2")]
    contents = "\n\n".join(line for part in plan for line in part)
    body = BODY.join(line for part in plan for line in part)
    headings = find_headings(f"{contents}\n\n\n{body}{BODY}")
    assert [heading.title for heading in headings] == [line for part in plan for line in part]
    assert headings[0].start > len(contents)


def test_short_chapters_are_no_table_of_contents() -> None:
    text = "".join(f"Chapter {number}\n\nShort.\n\n" for number in range(1, 6))
    assert len(titles(text)) == 5


def test_the_licence_at_the_end_is_not_part_of_the_last_chapter() -> None:
    end = "*** END OF THIS PROJECT GUTENBERG EBOOK A TALE ***"
    headings = find_headings(f"CHAPTER I{BODY}CHAPTER II{BODY}{end}{BODY}1.A. Terms{BODY}")
    assert [heading.level for heading in headings] == [3, 3, 1]


def test_numbered_lines_serve_where_chapters_have_no_name() -> None:
    assert titles(f"I.{BODY}II.{BODY}III.{BODY}") == ["I.", "II.", "III."]
    assert titles(f"1. Start{BODY}2. Middle{BODY}3. End{BODY}") == [
        "1. Start",
        "2. Middle",
        "3. End",
    ]


def test_a_numbered_list_is_no_list_of_chapters() -> None:
    assert titles("1. Milk\n\n2. Bread\n\n3. Salt\n\n") == []


def test_lines_in_capitals_serve_where_there_are_no_numbers() -> None:
    assert titles(f"THE ROAD{BODY}THE RIVER{BODY}THE SEA{BODY}") == [
        "THE ROAD",
        "THE RIVER",
        "THE SEA",
    ]
