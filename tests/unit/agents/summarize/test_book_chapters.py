"""Chapters come from the outline, and hold every page once."""

from hypothesis import given
from hypothesis import strategies as st

from lcagent.agents.summarize.book_chapters import find_chapters, merge_chapters, split_by_chapters
from lcagent.documents import Document, OutlineEntry, Page
from lcagent.selection import ALL_PAGES


def _document(pages: int, *outline: tuple[str, int, int]) -> Document:
    return Document(
        id="d",
        name="book.pdf",
        media_type="application/pdf",
        reader="test/1",
        pages=tuple(Page(at, f"Page {at} is old.", number=at + 1) for at in range(pages)),
        outline=tuple(OutlineEntry(title, level, page) for title, level, page in outline),
    )


def _spans(document: Document) -> list[tuple[str, int, int]]:
    return [(one.title, one.first, one.last) for one in find_chapters(document)]


def test_the_highest_level_with_several_entries_is_that_of_chapters() -> None:
    document = _document(
        10, ("The Book", 1, 0), ("One", 2, 1), ("a", 3, 2), ("Two", 2, 4), ("Three", 2, 7)
    )
    assert _spans(document) == [
        ("The Book", 0, 0), ("One", 1, 3), ("Two", 4, 6), ("Three", 7, 9),
    ]  # fmt: skip


def test_what_stands_before_the_first_chapter_is_one_too() -> None:
    document = _document(6, ("One", 1, 2), ("Two", 1, 3), ("Three", 1, 5))
    assert _spans(document)[0] == ("book.pdf", 0, 1)


def test_a_document_without_an_outline_is_one_chapter() -> None:
    assert _spans(_document(3)) == [("book.pdf", 0, 2)]


_OUTLINES = st.lists(st.tuples(st.just("x"), st.integers(1, 3), st.integers(0, 25)), max_size=12)


@given(st.integers(1, 20), _OUTLINES, st.integers(1, 8))
def test_every_page_is_in_exactly_one_chapter(
    pages: int, outline: list[tuple[str, int, int]], most: int
) -> None:
    document = _document(pages, *sorted(outline, key=lambda entry: entry[2]))
    chapters = find_chapters(document)
    for found in (chapters, merge_chapters(chapters, [document], most)):
        assert [at for one in found for at in range(one.first, one.last + 1)] == [*range(pages)]
    assert len(merge_chapters(chapters, [document], most)) <= max(most, 1)
    chunks = split_by_chapters([document], chapters, 8, lambda text: len(text.split()), ALL_PAGES)
    read = "".join(segment.text for chunk in chunks for segment in chunk.segments)
    assert read == "".join(page.text for page in document.pages)
    assert [chunk.index for chunk in chunks] == [*range(len(chunks))]
