"""From marked text to pages."""

from lcagent.documents import HiddenText
from lcagent.retrieval.reading.parts import Heading, MarkedText, cut_into_pages, read_parts

LONG = "A sentence. " * 800


def mark(text: str, *titles: tuple[str, int]) -> MarkedText:
    headings: list[Heading] = []
    for title, level in titles:
        start = text.index(title, headings[-1].end if headings else 0)
        headings.append(Heading(start, start + len(title), level, title))
    return MarkedText(text, tuple(headings))


def sections(marked: MarkedText) -> list[str | None]:
    return [page.section for page in cut_into_pages(marked)[0]]


def test_a_page_begins_at_each_heading_and_is_called_by_the_path_to_it() -> None:
    marked = mark("Before.\n\nA\n\none\n\nB\n\ntwo\n\nC\n\nthree", ("A", 1), ("B", 2), ("C", 1))
    assert sections(marked) == ["paragraph 1", "A", "A > B", "C"]


def test_a_heading_without_text_shares_the_page_of_the_next() -> None:
    marked = mark("BOOK\n\nONE\n\ntext", ("BOOK", 1), ("ONE", 2))
    pages, outline = cut_into_pages(marked)
    assert [page.text for page in pages] == [marked.text]
    assert pages[0].section == "BOOK > ONE"
    assert [(entry.title, entry.level) for entry in outline] == [("BOOK", 1), ("ONE", 2)]


def test_a_long_section_is_cut_and_each_page_says_its_paragraphs() -> None:
    text = "A\n\n" + "\n\n".join(["word " * 400] * 6)
    assert sections(mark(text, ("A", 1))) == [
        "A, paragraphs 1-2",
        "A, paragraphs 3-4",
        "A, paragraphs 5-6",
    ]


def test_deep_headings_begin_a_page_only_where_the_section_is_too_long() -> None:
    short = mark("A\n\none\n\nB\n\ntwo", ("A", 1), ("B", 4))
    long = mark(f"A\n\none\n\nB\n\n{LONG}", ("A", 1), ("B", 4))
    assert sections(short) == ["A"]
    assert sections(long)[:2] == ["A", "A > B, paragraph 1 (part 1 of 2)"]


def test_the_pages_join_back_to_the_text() -> None:
    marked = mark(f"{LONG}\n\nA\n\n{LONG}\n\nB\n\n", ("\nA\n", 1), ("\nB\n", 1))
    assert "".join(page.text for page in cut_into_pages(marked)[0]) == marked.text


def test_the_outline_points_to_the_page_on_which_a_heading_stands() -> None:
    marked = mark(f"A\n\n{LONG}\n\nB\n\nend", ("A", 2), ("B", 3))
    pages, outline = cut_into_pages(marked, first_index=10)
    assert [(entry.title, entry.level) for entry in outline] == [("A", 1), ("B", 2)]
    assert outline[1].page_index == pages[-1].index == 12


def test_hidden_text_belongs_to_the_page_it_was_left_out_of() -> None:
    hidden = (HiddenText("first", "invisible"), HiddenText("last", "invisible"))
    marked = mark("A\n\none\n\nB\n\ntwo", ("A", 1), ("B", 1))
    marked = MarkedText(
        marked.text, marked.headings, ((2, hidden[0]), (len(marked.text), hidden[1]))
    )
    assert [page.hidden for page in cut_into_pages(marked)[0]] == [hidden[:1], hidden[1:]]


def test_an_empty_text_is_one_page_that_says_so() -> None:
    (page,) = cut_into_pages(MarkedText(" \n"))[0]
    assert (page.problem, page.text) == ("blank", " \n")
    assert page.section is not None


def test_reading_may_begin_at_any_page() -> None:
    reading = read_parts(mark("A\n\none\n\nB\n\ntwo", ("A", 1), ("B", 1)), first_page=1)
    assert reading.page_count == 2
    assert [page.index for page in reading.pages] == [1]
