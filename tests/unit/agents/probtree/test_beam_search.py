"""Which answers and assignments a beam keeps, and what its scores are compared by."""

from dataclasses import replace

import pytest

from lcagent.agents.probtree.beam_search import Assignment, best_assignments, max_beam_calls
from lcagent.agents.probtree.confidence import FAILED_SCORE, ConfidenceMethod
from lcagent.agents.probtree.node_result import Candidate, NodeResult, decide, list_alternatives


def _answered(answer: str, score: float, method: ConfidenceMethod = "logprobs") -> NodeResult:
    return decide("Who?", [Candidate("open_book", answer, score)], method)


def _answers(assignments: list[Assignment]) -> list[str]:
    return [" ".join(one.choice.answer for one in each.values()) for each in assignments]


def test_alternatives_are_the_surest_answers_without_what_reads_the_same() -> None:
    answered = decide(
        "Who?",
        [
            Candidate("closed_book", "the jane doe", -0.2),
            Candidate("open_book", "Jane Doe.", -0.1),
            Candidate("child_aggregating", "Unknown", FAILED_SCORE),
            Candidate("child_aggregating", "Jim", -0.4),
            Candidate("child_aggregating", "Ann", -0.3),
        ],
        "logprobs",
    )
    kept = [one.choice.answer for one in list_alternatives(answered, 5)]
    assert kept == ["Jane Doe.", "Ann", "Jim"]
    assert list_alternatives(answered, 1) == [answered]


def test_where_nothing_is_an_answer_the_choice_stays() -> None:
    answered = _answered("Unknown", FAILED_SCORE)
    assert list_alternatives(answered, 3) == [answered]


@pytest.mark.parametrize(
    ("method", "first"), [("logprobs", "closed"), ("samples", "open"), ("stated", "open")]
)
def test_of_equals_the_one_that_would_be_taken_comes_first(
    method: ConfidenceMethod, first: str
) -> None:
    candidates = [Candidate("closed_book", "closed", -0.1), Candidate("open_book", "open", -0.1)]
    answered = decide("Who?", candidates, method)
    assert list_alternatives(answered, 2)[0] == answered
    assert answered.choice.answer == first


def test_the_surest_on_average_are_kept_the_surest_first() -> None:
    assignments = [
        {1: _answered("a", -0.1), 2: _answered("x", -0.9)},
        {1: _answered("b", -0.3), 2: _answered("y", -0.2)},
        {1: _answered("c", -0.4), 2: _answered("z", -0.4)},
    ]
    assert _answers(best_assignments(assignments, 2)) == ["b y", "c z"]


def test_scores_that_were_measured_otherwise_are_not_compared() -> None:
    """With log-probabilities in the mean, the first would win."""
    assignments = [
        {1: _answered("a", -0.01), 2: _answered("x", -0.9, "samples")},
        {1: _answered("b", -2.0), 2: _answered("y", -0.5, "samples")},
        {1: _answered("c", -0.01), 2: _answered("z", -0.01)},
    ]
    assert _answers(best_assignments(assignments, 3)) == ["b y", "a x", "c z"]


def test_those_with_the_fewest_gaps_are_kept_however_sure_the_others_are() -> None:
    gap = _answered("Unknown", FAILED_SCORE)
    whole: Assignment = {1: _answered("a", -99.0), 2: _answered("x", -99.0)}
    assert best_assignments([{1: _answered("b", -0.1), 2: gap}, whole], 2) == [whole]
    assert len(best_assignments([{1: gap}, {1: replace(gap, asked="What?")}], 2)) == 2


def test_one_answer_for_each_question_takes_what_a_tree_always_took() -> None:
    assert [max_beam_calls(beam) for beam in (1, 2, 3)] == [45, 87, 129]
