"""What the lines of a page are."""

import pytest

from lcagent.documents import Document, Page
from lcagent.retrieval.search.layout import is_heading, is_table_row, laid_out


@pytest.mark.parametrize(
    ("line", "is_row"),
    [
        ("Foot passengers 45,930 48,612 48,216", True),
        ("Total assets $ 36,500 $ 37,987", True),
        ("Depreciation (1,577) (1,373)", True),
        ("Margin 12.5% 13.1%", True),
        (
            "On 3 May the ferry carried 148 passengers, more than ever before in its long history.",
            False,
        ),
        ("December 31, 2019", False),
        ("Chapter 4", False),
    ],
)
def test_a_table_row_is_told_from_prose(line: str, *, is_row: bool) -> None:
    assert is_table_row(line) is is_row


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Consolidated Statement of Cash Flows", True),
        ("The Light", True),
        ("第三回 賈雨村", True),
        ("The lamp was lit every evening", False),
        ("It was Hers.", False),
        ("Total Assets 36,500 37,987", False),
        ("2019", False),
    ],
)
def test_a_heading_is_told_from_prose(line: str, *, expected: bool) -> None:
    assert is_heading(line) is expected


def test_lines_at_the_edge_of_many_pages_are_running_heads() -> None:
    pages = tuple(
        Page(
            index,
            f"Annual Report {index}\nBody number {index} says {'so ' * index}\nPage {index}",
            index + 1,
        )
        for index in range(10)
    )
    layout = laid_out(Document("a", "n", "m", "r", pages))
    assert [[line.is_furniture for line in page] for page in layout] == [[True, False, True]] * 10
    first = layout[3][1]
    assert pages[3].text[first.start : first.end].startswith("Body number 3")


def test_entries_of_a_table_of_contents_are_furniture() -> None:
    text = "Contents\nThe light . . . . . . . 5\nThe ferry........ xii\nThe tide turns twice a day."
    layout = laid_out(Document("a", "n", "m", "r", (Page(0, text, 1),)))
    assert [line.is_furniture for line in layout[0]] == [False, True, True, False]
