"""Answers are scored as a person would score them."""

import pytest
from answer_metrics import contains, f1, has_gold, is_refusal, mean_of, paired_difference


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        ("It carried 48,216 foot passengers.", "48216"),
        ("It carried 48216.", "48,216"),
        ("It carried 48\u202f216.", "48,216"),
        ("2018 640 1,362 2,002 63", "640"),
        ("45,930 48,612 48,216 17,405", "48216"),
        ("Seven of them lived.", "7"),
        ("The tower has 163 steps.", "163 STEPS"),
        ('It was Anders Quill [S1 "Anders Quill"].', "Anders Quill"),
    ],
)
def test_an_answer_contains_what_it_says_in_other_form(answer: str, wanted: str) -> None:
    assert contains(answer, wanted)


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        ("It carried 148,216 foot passengers.", "48,216"),
        ("In 2019 and 2020.", "201"),
        ("1,482 and 16", "48,216"),
        ("It is 1.5 miles.", "5"),
        ("Nothing. [19]", "19"),
        ('I do not know [S3 "19 cars"].', "19"),
        ("Anything", ""),
    ],
)
def test_an_answer_does_not_contain_parts_of_words_numbers_or_marks(
    answer: str, wanted: str
) -> None:
    assert not contains(answer, wanted)


def test_all_parts_of_one_way_are_needed() -> None:
    ways = (("Trillium", "Array"), ("both",))
    assert has_gold("Array and Trillium", ways)
    assert has_gold("Both.", ways)
    assert not has_gold("Array only", ways)
    assert not has_gold("anything", ())


def test_f1_counts_shared_words_once_each() -> None:
    assert f1("The Grey Tern", (("Grey Tern",),)) == 1
    assert f1("Grey Grey", (("Grey Tern",),)) == pytest.approx(0.5)
    assert f1("a ship", (("Grey Tern",),)) == 0
    assert f1("Tern", (("ship",), ("Grey Tern",))) == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "NOT_IN_DOCUMENT",
        "Not in the document: nothing in it answers the question.",
        "The passages do not mention this.",
        "The text doesn't say how many.",
        "I cannot answer this.",
        "There is no information about it.",
        "Sorry, but I have only the passages.",
    ],
)
def test_a_refusal_is_known_in_its_usual_wordings(text: str) -> None:
    assert is_refusal(text)


@pytest.mark.parametrize(
    "text", ["It was not lit in 1870.", "Nobody lives there.", "It does not sail above 41 knots."]
)
def test_an_answer_with_a_negation_is_no_refusal(text: str) -> None:
    assert not is_refusal(text)


def test_an_interval_is_the_same_each_time_and_holds_its_mean() -> None:
    values = [0.0, 1.0, 1.0, 0.0, 1.0]
    found = mean_of(values)
    assert found == mean_of(values)
    assert found.low < found.mean == 0.6 < found.high
    assert mean_of([1.0] * 4).low == 1


def test_differences_are_taken_question_by_question() -> None:
    ours, theirs = [1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]
    assert paired_difference(ours, theirs).mean == 0.5
    same = paired_difference([1.0, 0.0, 1.0], [1.0, 0.0, 1.0])
    assert (same.low, same.high) == (0, 0)
    with pytest.raises(ValueError, match="shorter"):
        paired_difference([1.0], [])
