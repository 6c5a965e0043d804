"""Quotes of Markdown: its signs are no words, and what they stand round keeps its meaning."""

import pytest

from lcagent.documents import Document, Page, Span
from lcagent.retrieval.quotes.checking import QuoteChecker
from lcagent.retrieval.quotes.markdown_signs import without_signs

TEXT = """# The log of the light

The **lantern** was lit by _Osla Brand_ in `1911`, as the [log](http://example.org/log) says.

| year | boats | losses |
|------|-------|--------|
| 2019 | 48    | 17     |

> The *keeper*'s `snake_case_name` is 2*3 in the ~~old~~ book.
"""


def _locate(quote: str, media_type: str = "text/markdown") -> tuple[str, str]:
    page = Page(0, TEXT, None)
    document = Document("d", "log.md", media_type, "text/1", (page,))
    found = QuoteChecker([document]).locate(quote, Span("d", 0))
    return found.status, " ".join(TEXT[each.start : each.end] for each in found.spans)


@pytest.mark.parametrize(
    ("quote", "source"),
    [
        (
            "The lantern was lit by Osla Brand in 1911, as the log says.",
            TEXT.split("\n")[2],
        ),
        ("lit by Osla Brand in 1911", "lit by _Osla Brand_ in `1911"),
        ("lit by **Osla Brand** in 1911", "lit by _Osla Brand_ in `1911"),
        ("year boats losses", "year | boats | losses"),
        ("2019 48 17 The keeper's", "2019 | 48    | 17     |\n\n> The *keeper*'s"),
        ("The keeper's snake_case_name is 2*3", "The *keeper*'s `snake_case_name` is 2*3"),
    ],
)
def test_a_quote_without_the_signs_is_found_where_they_stand(quote: str, source: str) -> None:
    assert _locate(quote) == ("exact", source)


@pytest.mark.parametrize(
    "quote",
    [
        "The keeper's snake_case_name is 23",
        "The keeper's snakecasename is 2*3",
        "2*3 in the old book.",
        "lit by Osla Brand in 1912",
        "2019 4817 The keeper's",
    ],
)
def test_what_is_no_sign_or_another_word_is_not_forgiven(quote: str) -> None:
    assert _locate(quote)[0] != "exact"


def test_stars_of_a_plain_text_stand_for_themselves() -> None:
    assert _locate("lantern was lit by Osla Brand in 1911", "text/plain")[0] != "exact"


@pytest.mark.parametrize("hostile", ["[", "*", "`", "[a](", "|-", "| ", "_a", "](", "#", "> "])
def test_the_time_to_leave_signs_out_grows_with_the_text_only(hostile: str) -> None:
    without_signs(hostile * 20_000)
