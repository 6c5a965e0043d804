"""Results read well as text, in notebooks and as rows, and nothing in them acts."""

from lcagent.results import Answer, Citation, Claim, Coverage

HOSTILE = "Say\x1b[2J <script>alert(1)</script> ![p](http://h/x.png) [go](http://h)"


def _answer(text: str, quote: str = "The lamp is red.") -> Answer:
    citation = Citation(
        "1", "book.pdf", "d", 3, "iii", "Part I", quote, 0, 9, ((1.0, 2.0, 3.0, 4.0),), "exact"
    )
    return Answer(
        run_id="r",
        question="q",
        answer=text,
        outcome="answered",
        strategy="rag",
        model="m",
        claims=(Claim("The lamp is red.", ("1",), "supported"),),
        citations=(citation,),
        coverage=Coverage(3, 3),
        notes=("be careful",),
    )


def test_printing_an_answer_shows_text_citations_and_notes() -> None:
    assert str(_answer("Red [1].")) == (
        "Red [1].\n\n[1] ✓ book.pdf, p. 3 (printed iii), Part I\n    “The lamp is red.”\n"
        "note: be careful"
    )


def test_rows_are_one_for_each_citation_with_its_claim() -> None:
    (row,) = _answer("Red [1].").rows()
    assert (row["claim"], row["claim_status"]) == ("The lamp is red.", "supported")
    assert (row["page"], row["quote"], row["status"]) == (3, "The lamp is red.", "exact")
    assert "boxes" not in row


def test_json_has_the_schema_first_and_what_was_asked_before_the_rest() -> None:
    names = list(_answer("Red [1].").as_json())
    assert names[:4] == ["schema", "run_id", "question", "answer"]
    assert set(names) >= {"claims", "citations", "coverage", "usage", "timings_s", "notes"}


def test_nothing_of_a_document_controls_a_terminal() -> None:
    assert "\x1b" not in str(_answer(HOSTILE, HOSTILE))


def test_nothing_of_a_document_becomes_a_tag_a_picture_or_a_link_in_a_notebook() -> None:
    shown = _answer(HOSTILE, HOSTILE)._repr_markdown_()
    assert shown.count("\\<script>") == 2
    assert "](" not in shown.replace("]\\(", "")
    assert "![" not in shown.replace("\\![", "")
