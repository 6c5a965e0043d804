"""What a user is told of pages that were not read."""

import pytest

from lcagent.documents import Document, HiddenText, Page
from lcagent.errors import UsageError
from lcagent.pipelines.coverage import check_selection, coverage_of, has_text, notes_on
from lcagent.retrieval.library import Collection
from lcagent.retrieval.reading.reader import EPUB, PDF
from lcagent.selection import ALL_PAGES, parse_pages

PICTURE = Page(0, "", 1, problem="no text layer")
TEXT = Page(1, "The stair has 163 steps.", 2)


def _document(*pages: Page, media_type: str = PDF) -> Document:
    return Document("a" * 64, "book", media_type, "test/1", pages)


def test_ocr_is_offered_for_a_pdf_only() -> None:
    (note,) = notes_on([_document(PICTURE, TEXT)])
    assert "1 of 2 pages is a picture without" in note
    assert "--ocr" in note
    part = Page(0, "", section="Cover", problem="no text layer")
    (note,) = notes_on([_document(part, media_type=EPUB)])
    assert "1 of 1 part is a picture without" in note
    assert "--ocr" not in note


def test_a_picture_that_was_recognised_and_has_no_text_was_read() -> None:
    document = _document(Page(0, "", 1, problem="no text layer", is_ocr=True), TEXT)
    coverage = coverage_of(Collection((document,)), ALL_PAGES, 1, 1)
    assert (coverage.pages_read, coverage.left_out) == (2, ())
    assert notes_on([document]) == []


def test_one_is_not_written_as_many() -> None:
    hidden = HiddenText("nothing to see", "tiny")
    one = Page(0, "caf\ufffd", 1, hidden=(hidden,))
    two = Page(0, "\ufffd\ufffd", 1, hidden=(hidden, hidden))
    assert [note.removeprefix("book: ")[:30] for note in notes_on([_document(one)])] == [
        "1 character is damaged and sho",
        "1 piece of hidden text was lef",
    ]
    assert [note.removeprefix("book: ")[:30] for note in notes_on([_document(two)])] == [
        "2 characters are damaged and s",
        "2 pieces of hidden text were l",
    ]


def test_a_selection_of_no_page_says_how_long_the_document_is() -> None:
    with pytest.raises(UsageError, match=r"the longest document has 1 page$"):
        check_selection(Collection((_document(PICTURE),)), parse_pages("7"))


def test_there_is_text_only_where_a_selected_page_has_some() -> None:
    collection = Collection((_document(PICTURE, TEXT),))
    assert has_text(collection, ALL_PAGES)
    assert not has_text(collection, parse_pages("1"))
