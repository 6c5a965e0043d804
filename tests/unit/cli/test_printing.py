"""How results look."""

import pytest

from lcagent.cli import printing
from lcagent.rendering import place_in_words
from lcagent.results import Answer, Citation, Claim, Coverage, LeftOut, QuoteStatus


def _citation(status: QuoteStatus, page: int | None = 3, label: str | None = "iii") -> Citation:
    return Citation(
        "1", "book.pdf", "a", page, label, "Part I > Lamps", "The lamp.", 0, 9, (), status
    )


def _answer(citation: Citation, coverage: Coverage | None = None) -> Answer:
    claim = Claim("“The lamp.”", ("1",), "supported")
    coverage = coverage or Coverage(3, 3)
    return Answer(
        run_id="r",
        question="q",
        answer="a",
        outcome="answered",
        strategy="quote",
        model="quote",
        claims=(claim,),
        citations=(citation,),
        coverage=coverage,
    )


@pytest.mark.parametrize(
    ("status", "mark"),
    [
        ("exact", "✓"),
        ("fuzzy", "≈"),
        ("misattributed", "✗ on another page"),
        ("not_found", "✗ not"),
    ],
)
def test_each_status_has_its_mark(
    status: QuoteStatus, mark: str, capsys: pytest.CaptureFixture[str]
) -> None:
    printing.print_answer(_answer(_citation(status)))
    assert mark in capsys.readouterr().out


def test_a_place_names_both_page_numbers_where_they_differ() -> None:
    assert place_in_words(_citation("exact")) == "book.pdf, p. 3 (printed iii), Part I > Lamps"
    assert place_in_words(_citation("exact", 3, "3")) == "book.pdf, p. 3, Part I > Lamps"
    assert place_in_words(_citation("exact", None, None)) == "book.pdf, Part I > Lamps"


def test_what_was_not_read_goes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    left = tuple(LeftOut("book.pdf", page, "no text layer") for page in range(1, 14))
    printing.print_answer(_answer(_citation("exact"), Coverage(13, 0, left_out=left)))
    printed = capsys.readouterr()
    assert "not read: book.pdf, p. 1: no text layer" in printed.err
    assert "3 more" in printed.err
    assert "no text layer" not in printed.out


def test_a_document_cannot_control_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    printing.print_line("The lamp\x1b[2J\x9b31m is red.\x07")
    assert capsys.readouterr().out == "The lamp\ufffd[2J\ufffd31m is red.\ufffd\n"
