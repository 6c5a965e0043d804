"""Citations say what the program found, and nothing else."""

from dataclasses import replace

import pytest

from lcagent.agents.citations import cite_quotes, make_claim, with_references
from lcagent.agents.marks import split_claims
from lcagent.agents.quote_context import AttributedQuote
from lcagent.documents import Document, Line, Page, Span
from lcagent.rendering import NEAR, NOT_CONFIRMED, sign
from lcagent.results import Claim, ClaimStatus

ID = "a" * 64
REAL = "Hector Vance kept the lighthouse for thirty-one years."


def _document() -> Document:
    lines = (Line(0, len(REAL), (10.0, 20.0, 110.0, 30.0)),)
    return Document(
        ID,
        "book.pdf",
        "application/pdf",
        "pdf/1",
        (
            Page(0, REAL, 1, "i", "Preface", lines),
            Page(1, "The ferry runs twice a day, except in a gale.", 2, "ii", "Ferry"),
        ),
    )


@pytest.mark.parametrize(
    ("quote", "page_index", "status", "page"),
    [
        (REAL, 0, "exact", 1),
        ("Hector Vance kept the ligthhouse for thirty-one years.", 0, "fuzzy", 1),
        (REAL, 1, "misattributed", 1),
        ("Hector Vance drank the harbour dry on a Tuesday.", 0, "not_found", 1),
    ],
)
def test_status_and_page_of_a_quote(quote: str, page_index: int, status: str, page: int) -> None:
    attributed = AttributedQuote(quote, Span(ID, page_index))
    (citation,) = cite_quotes([attributed], [_document()], lambda _, page: page)
    assert (citation.status, citation.page) == (status, page)
    assert citation.quote == quote
    has_place = citation.start is not None and bool(citation.boxes)
    assert has_place is (status != "not_found")
    assert make_claim("He did.", [citation]).status == (
        "supported" if status in ("exact", "fuzzy") else "unsupported"
    )


def test_a_claim_without_citations_is_unsupported() -> None:
    assert make_claim("He did.", []).status == "unsupported"


def test_ids_count_the_quotes() -> None:
    quotes = [
        AttributedQuote(REAL, Span(ID, 0)),
        AttributedQuote("nowhere to be found", Span(ID, 1)),
    ]
    citations = cite_quotes(quotes, [_document()], lambda _, page: page)
    assert [citation.id for citation in citations] == ["1", "2"]


def test_what_is_not_proved_has_no_reference_like_what_is() -> None:
    text = 'Lit in 1911 [S1 "a"]. Burned twice [S1 "b"]. It sank. It rose [S2 "c"].'
    statuses: list[ClaimStatus] = ["supported", "quoted", "unsupported", "unsupported"]
    keys = [("1",), ("2",), (), ("3",)]
    claims = [Claim("x", key, status) for key, status in zip(keys, statuses, strict=True)]
    assert with_references(text, split_claims(text), claims) == (
        "Lit in 1911 [1]. Burned twice [2?]. It sank [no proof]. It rose [3: no proof]."
    )


def test_a_quote_that_says_something_else_has_no_check_mark() -> None:
    checked = cite_quotes(
        [AttributedQuote(REAL, Span(ID, 0))], [_document()], lambda _, page: page
    )[0]
    assert sign(checked, [Claim("x", ("1",), "quoted")]) == NOT_CONFIRMED
    assert sign(checked, [Claim("x", ("1",), "quoted"), Claim("y", ("1",), "supported")]) == "✓"
    assert sign(checked, []) == "✓"
    assert sign(replace(checked, found_by="lcagent"), []) == NEAR
