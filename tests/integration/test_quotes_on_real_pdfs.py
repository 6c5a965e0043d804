"""Quotes as a person would copy them, against the text that pdfium takes from real PDF files."""

from pathlib import Path

import pypdfium2
import pytest

from lcagent.documents import Document, Page, Span
from lcagent.retrieval.quotes.checking import Location, QuoteChecker

PRIDE = "books/pride_and_prejudice_en.pdf"
COLUMNS = "nasty/pypdf_multicolumn.pdf"
TEN_K = "financebench/pdfs/3M_2018_10K.pdf"


def read(path: Path) -> Document:
    if not path.exists():
        pytest.skip(f"{path.name} is not here")
    with pypdfium2.PdfDocument(path) as pdf:
        texts = [page.get_textpage().get_text_range() for page in pdf]
    pages = tuple(Page(index, text, index + 1) for index, text in enumerate(texts))
    return Document(path.name, path.name, "application/pdf", "test/1", pages)


def locate(document: Document, quote: str, page_index: int) -> Location:
    return QuoteChecker([document]).locate(quote, Span(document.id, page_index))


@pytest.mark.parametrize(
    ("file", "page_index", "quote", "where"),
    [
        # Over a line break with a hyphen, over the border of two columns, over a page break.
        (COLUMNS, 0, "consectetuer adipiscing elit. Ut purus elit, vestibulum ut", [0]),
        (COLUMNS, 0, "Donec nonummy pellentesque ante. Phasellus adipiscing semper", [0]),
        (COLUMNS, 0, "Quisque egestas wisi eget nunc. Nam feugiat lacus vel est.", [0, 1]),
        (PRIDE, 7, "But, however, he did not admire her at all; indeed, nobody can", [7, 8]),
        (PRIDE, 10, "they admired her and liked her, and pronounced her to be a sweet girl", [10]),
        # A hyphen of the word's own at the end of a page, before a page number and a header.
        (TEN_K, 30, "3M estimates that year-on-year derivative and other", [30, 31]),
        (TEN_K, 31, "inclusive of legal fees and other related obligations, was", [31, 32]),
    ],
)
def test_a_copied_quote_is_exact(
    shared_data: Path, file: str, page_index: int, quote: str, where: list[int]
) -> None:
    location = locate(read(shared_data / file), quote, page_index)
    assert location.status == "exact"
    assert [span.page_index for span in location.spans] == where


def test_ligatures_are_the_letters_they_join(shared_data: Path) -> None:
    document = read(shared_data / "nasty/pdfjs_copy_paste_ligatures.pdf")
    assert locate(document, "abcdeffffiflffifflststghijklmno", 0).status == "exact"


@pytest.mark.parametrize(
    ("quote", "status"),
    [
        ("Darcy was clever. He was at the same time haughty, reserved", "misattributed"),
        ("Bingley was clever, but Darcy was by no means deficient", "not_found"),
        ("Mr. Darcy sold his estate to the railway company of Derbyshire", "not_found"),
    ],
)
def test_words_of_another_page_or_of_none_are_told_apart(
    shared_data: Path, quote: str, status: str
) -> None:
    assert locate(read(shared_data / PRIDE), quote, 100).status == status


@pytest.mark.parametrize(
    ("quote", "status"),
    [
        ("The effective tax rate for 2018 was 23.4 percent, compared to 35.5 percent", "exact"),
        ("The effective tax rate for 2018 was 23.5 percent, compared to 35.5 percent", "not_found"),
        ("The effective tax rate for 2018 was 23.4 percent, compard to 35.5 percent", "fuzzy"),
    ],
)
def test_a_wrong_number_is_no_quote_of_a_report(shared_data: Path, quote: str, status: str) -> None:
    assert locate(read(shared_data / TEN_K), quote, 30).status == status
