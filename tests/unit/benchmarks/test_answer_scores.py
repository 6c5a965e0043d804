"""Results of answers are scored and compared question by question."""

from pathlib import Path
from typing import Any

import answers
import pytest
from answer_questions import Question, all_questions
from answer_scores import score, tables

QUESTION = Question(
    "q", "sample", "table", "How many?", Path("x.pdf"), (("48,216",),), frozenset((20,))
)
NOWHERE = Question("n", "sample", "not_in_document", "Who?", Path("x.pdf"))
QUOTE = "Foot passengers 45,930 48,612 48,216"


def _row(answer: str, **more: Any) -> dict[str, Any]:
    shared = {"question": "q", "method": "rag", "model": "m", "window": 1, "date": "2026-11-30"}
    cost = {"cpu_s": 1.0, "prompt_tokens": 5, "completion_tokens": 2}
    return {**shared, "answer": answer, "citations": [], "claims": [], **cost, **more}


def _citation(page: int, status: str = "exact") -> dict[str, Any]:
    return {"page": page, "section": None, "quote": QUOTE, "status": status}


def test_an_answer_is_right_where_it_says_the_gold_words() -> None:
    found = score(_row("48216 [1]", citations=[_citation(20)]), QUESTION)
    assert found.is_right
    assert found.is_located
    assert found.is_on_place


def test_a_quote_that_was_not_found_or_stands_elsewhere_is_told_apart() -> None:
    assert not score(_row("48,216", citations=[_citation(20, "not_found")]), QUESTION).is_located
    elsewhere = score(_row("48,216", citations=[_citation(21)]), QUESTION)
    assert elsewhere.is_located
    assert not elsewhere.is_on_place


def test_the_nearest_passages_are_no_answer_but_are_shown() -> None:
    row = _row("The nearest:\n48,216", outcome="nearest", citations=[_citation(20)])
    found = score(row, QUESTION)
    assert not found.is_right
    assert found.abstains
    assert found.is_shown


def test_what_a_model_is_not_sure_of_counts_as_its_answer_where_it_is_right() -> None:
    row = _row("It is not sure of it: “48,216”\nThe nearest:", outcome="nearest")
    assert score(row, QUESTION).is_right
    assert score(row, NOWHERE).is_right


def test_an_abstention_is_right_only_where_there_is_no_answer() -> None:
    row = _row("The passages do not mention it.")
    assert score(row, NOWHERE).is_right
    assert not score(row, QUESTION).is_right
    assert not score(_row("Bob."), NOWHERE).is_right


def test_a_wrong_answer_with_a_supported_claim_is_a_false_proof() -> None:
    claims = [{"text": "In 1897.", "status": "supported"}]
    assert score(
        _row("In 1897.", claims=claims, prompt_years=["1897"]), QUESTION
    ).is_wrong_though_supported
    assert not score(_row("48,216", claims=claims), QUESTION).is_wrong_though_supported


def test_tables_compare_a_method_with_its_baseline_and_with_before() -> None:
    rows = [_row("48,216"), _row("I cannot say", method="plain-passages")]
    shown = tables(rows, [_row("1897")], {"q": QUESTION})
    assert "| rag - plain-passages | 1 | +1.00 (+1.00 to +1.00)" in shown
    assert "| rag | 1 | +1.00" in shown.rpartition("after - before")[2]


def test_nothing_is_asked_twice_and_a_line_cut_off_is_asked_again(tmp_path: Path) -> None:
    results = tmp_path / "results.jsonl"
    results.write_text('{"question": "q", "method": "rag"}\n{"question": "r", "meth')
    assert [row["question"] for row in answers.read_results(results)] == ["q"]


def test_there_are_sixty_questions_with_and_without_answers(
    shared_data: Path, tmp_path: Path
) -> None:
    questions = all_questions(shared_data, tmp_path)
    assert len({question.id for question in questions}) == len(questions) >= 60
    assert sum(not question.has_answer for question in questions) >= 8
    assert all(question.pages or question.place for question in questions if question.has_answer)


def test_multihop_texts_hold_their_evidence_and_are_long(shared_data: Path, tmp_path: Path) -> None:
    for question in all_questions(shared_data, tmp_path):
        if question.group == "multihop":
            text = question.document.read_text(encoding="utf-8")
            assert 24_000 < len(text) < 40_000
            sections = [line[2:] for line in text.splitlines() if line.startswith("# ")]
            assert sum(question.is_place(None, title, "") for title in sections) >= 1


def test_only_the_questions_wanted_are_asked() -> None:
    given = answers.parse(["r.jsonl", "--groups", "sample", "--first", "2"])
    questions = all_questions(None, Path())
    assert len(list(answers.selected(questions, given))) == 2
    given = answers.parse(["r.jsonl", "--ids", "passengers-2019"])
    (found,) = answers.selected(questions, given)
    assert found.gold == (("48,216",),)


@pytest.mark.parametrize("method", answers.METHODS)
def test_every_method_can_be_asked_for(method: str) -> None:
    assert answers.parse(["r.jsonl", "--methods", method]).methods == [method]
