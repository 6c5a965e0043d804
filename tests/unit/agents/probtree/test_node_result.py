"""The decision, on nodes of our own and on all that the authors released."""

import re
import string
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from lcagent.agents.probtree.candidate_drafts import CandidateKind
from lcagent.agents.probtree.confidence import FAILED_SCORE
from lcagent.agents.probtree.explained_replies import is_no_answer
from lcagent.agents.probtree.node_result import (
    Candidate,
    combine_scores,
    decide,
    is_near_tie,
    rank_scores,
    score_answer,
)

Node = dict[str, Any]


def _decided(node: Node, name: str, scores: Mapping[int, float]) -> Candidate:
    """Decide on a released node, given the scores of those below it."""
    candidates = [
        _candidate("closed_book", *node["cb_answer"][:2]),
        _candidate("open_book", *node["ob_answer"][:2]),
    ]
    if node["sons"]:
        answer, score = node["child_answer"][:2]
        below, d = [scores[son] for son in node["sons"]], node["qd_logprob"]
        if name != "hotpotqa":  # the others keep the score with all in it
            score = score * (len(below) + 2) - d - sum(below)
        candidates.append(_candidate("child_aggregating", answer, combine_scores(score, d, below)))
    return _choice(candidates)


def _candidate(kind: CandidateKind, answer: str, score: float) -> Candidate:
    return Candidate(kind, answer, score_answer(answer, score))


def _choice(candidates: Sequence[Candidate]) -> Candidate:
    return candidates[rank_scores([one.score for one in candidates])[0]]


OWN: list[Node] = [
    {"idx": 0, "sons": [], "cb_answer": ["Wick", -0.3], "ob_answer": ["Cork", -0.1],
     "answer": ["Cork", -0.1]},
    {"idx": 1, "sons": [], "cb_answer": ["Lee", -0.4], "ob_answer": ["Unknown", -0.01],
     "answer": ["Lee", -0.4]},
    {"idx": 2, "sons": [0, 1], "qd_logprob": -0.06, "cb_answer": ["Shannon", -0.2],
     "ob_answer": ["ERROR: prompt too long", -100], "child_answer": ["Lee", -0.04],
     "answer": ["Lee", -0.15]},
    {"idx": 3, "sons": [], "cb_answer": ["1911", -0.15], "ob_answer": ["1912", -0.15],
     "answer": ["1911", -0.15]},
    {"idx": 4, "sons": [2, 3], "qd_logprob": -0.1, "cb_answer": ["no", -0.12],
     "ob_answer": ["yes", -0.2], "child_answer": ["yes", -0.2], "answer": ["no", -0.12]},
]  # fmt: skip
"""A run of our own, in the form of the authors'; its answers and scores are worked out by hand."""


def test_the_answers_and_scores_of_our_own_run_are_those_worked_out_by_hand() -> None:
    scores: dict[int, float] = {}
    for node in OWN:
        found = _decided(node, "hotpotqa", scores)
        scores[node["idx"]] = found.score
        assert (found.answer, found.score) == (node["answer"][0], pytest.approx(node["answer"][1]))


def test_all_released_answers_and_scores_are_reproduced(
    released: dict[str, list[list[Node]]],
) -> None:
    checked = 0
    for name, runs in released.items():
        for run in runs:
            scores: dict[int, float] = {}
            for node in run:
                found = _decided(node, name, scores)
                scores[node["idx"]] = found.score
                assert found.answer == node["answer"][0]
                assert found.score == pytest.approx(node["answer"][1], abs=1e-9, rel=0)
                checked += 1
    assert checked == 5_291


@pytest.mark.parametrize(
    ("accept_at", "saved", "same"),
    [
        (-0.05, {"hotpotqa": 34, "musique": 14, "2wiki": 35}, (97.6, 99.8, 97.6)),
        (-0.1, {"hotpotqa": 69, "musique": 39, "2wiki": 71}, (86.4, 90.8, 87.2)),
    ],
)
def test_lazy_mode_saves_on_the_released_runs_what_it_was_measured_to(
    released: dict[str, list[list[Node]]],
    accept_at: float,
    saved: dict[str, int],
    same: Sequence[float],
) -> None:
    """A question that is not accepted keeps its released answer; answers are compared folded."""
    for (name, runs), expected in zip(released.items(), same, strict=True):
        calls = [_lazy(run, len(run) - 1, accept_at) for run in runs]
        full = sum(1 + sum(3 if node["sons"] else 2 for node in run) for run in runs)
        assert round(100 * (1 - sum(count for count, _ in calls) / full)) == saved[name]
        agreeing = sum(
            _folded(answer) == _folded(run[-1]["answer"][0])
            for (_, answer), run in zip(calls, runs, strict=True)
        )
        assert 100 * agreeing / len(runs) == pytest.approx(expected)


def _lazy(run: list[Node], index: int, accept_at: float) -> tuple[int, str]:
    """Return the calls that a question takes, and its answer."""
    node = run[index]
    tried = _candidate("open_book", *node["ob_answer"][:2])
    if tried.score >= accept_at:
        return 1, tried.answer
    below = sum(_lazy(run, son, accept_at)[0] for son in node["sons"])
    is_root = index == len(run) - 1
    return 2 + bool(node["sons"]) + is_root + below, node["answer"][0]


def _folded(answer: str) -> str:
    """Fold as SQuAD does."""
    bare = "".join(sign for sign in answer.lower() if sign not in string.punctuation)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", bare).split())


@pytest.mark.parametrize(
    ("scores", "winner"),
    [
        ((-0.1, -0.2, -0.3), "closed_book"),
        ((-0.3, -0.1, -0.2), "open_book"),
        ((-0.3, -0.2, -0.1), "child_aggregating"),
        ((-0.2, -0.2, -0.2), "closed_book"),
        ((-0.3, -0.2, -0.2), "open_book"),
    ],
)
def test_the_surest_wins_and_of_equals_the_first(
    scores: tuple[float, float, float], winner: CandidateKind
) -> None:
    kinds: tuple[CandidateKind, ...] = ("closed_book", "open_book", "child_aggregating")
    candidates = [_candidate(kind, "x", score) for kind, score in zip(kinds, scores, strict=True)]
    assert _choice(candidates).kind == winner


def test_the_score_from_below_is_the_mean_of_explanation_decomposition_and_children() -> None:
    assert combine_scores(-0.1, -0.2, [-0.3, -0.4]) == pytest.approx(-1.0 / 4)
    assert combine_scores(-0.3, -0.1, [-0.2]) == pytest.approx(-0.6 / 3)
    assert combine_scores(-0.3, None, [-0.1]) == pytest.approx(
        -0.2
    )  # not measured, so not in the mean


@pytest.mark.parametrize(
    "answer",
    ["Unknown", "unknown.", "The director is Unknown.", "ERROR: prompt too long", "", " - ", "未知",
     "不知道。", "Unbekannt", "غير معروف", "NOT_IN_DOCUMENT"],
)  # fmt: skip
def test_what_is_no_answer_fails_however_sure_it_is(answer: str) -> None:
    assert is_no_answer(answer)
    assert score_answer(answer, -0.001) == FAILED_SCORE


@pytest.mark.parametrize(
    "answer",
    ["the Tomb of the Unknown Soldier", "Error Bay", "no", "0", "柳溪桥", "Unbekannte See"],
)
def test_what_only_looks_like_none_is_an_answer(answer: str) -> None:
    assert not is_no_answer(answer)


def test_scores_closer_than_a_hundredth_are_uncertain() -> None:
    assert is_near_tie([Candidate("closed_book", "a", -0.1), Candidate("open_book", "b", -0.109)])
    assert not is_near_tie(
        [Candidate("closed_book", "a", -0.1), Candidate("open_book", "b", -0.111)]
    )
    assert not is_near_tie(
        [
            Candidate("closed_book", "a", FAILED_SCORE),
            Candidate("open_book", "", FAILED_SCORE),
        ]
    )


@pytest.mark.parametrize(
    ("candidates", "method", "chosen"),
    [
        ([("closed_book", -0.1, 0, 0), ("open_book", -0.9, 1, 0)], "logprobs", "open_book"),
        ([("closed_book", -0.1, 0, 0), ("open_book", -0.9, 0, 0)], "logprobs", "closed_book"),
        ([("child_aggregating", -0.1, 0, 0), ("open_book", -0.9, 1, 0)], "logprobs",
         "child_aggregating"),
        ([("closed_book", -0.1, 0, 0), ("open_book", -0.9, 0, 1)], "logprobs", "open_book"),
        ([("closed_book", -0.1, 0, 0), ("open_book", FAILED_SCORE, 0, 1)], "logprobs",
         "closed_book"),
        ([("child_aggregating", -0.1, 0, 1), ("open_book", -0.9, 1, 1)], "logprobs",
         "child_aggregating"),
        ([("child_aggregating", -0.1, 0, 1), ("open_book", -0.9, 1, 1)], "stated", "open_book"),
    ],
    ids=["said by passages", "not said", "from below", "asked plainly", "nothing read",
         "plain and measured", "plain and stated"],
)  # fmt: skip
def test_what_was_read_goes_before_what_is_merely_known(
    candidates: Any, method: Any, chosen: str
) -> None:
    given = [
        Candidate(kind, "Wick", score, is_supported=bool(supported), is_plain=bool(plain))
        for kind, score, supported, plain in candidates
    ]
    assert decide("Where?", given, method).chosen == chosen
