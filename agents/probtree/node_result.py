"""What is known of a question once it is answered: its candidates, and which of them was taken.

Cao et al., "Probabilistic Tree-of-thought Reasoning for Answering Knowledge-intensive Complex
Questions", Findings of EMNLP 2023, https://arxiv.org/abs/2311.13982, section 3.3. The mean over
explanation, decomposition and children is that of the authors' code. Where one of the terms was
not measured in the way of the others it is left out of the mean, not replaced.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from lcagent.agents.probtree.candidate_drafts import CandidateKind
from lcagent.agents.probtree.confidence import FAILED_SCORE, ConfidenceMethod, normalize_answer
from lcagent.agents.probtree.explained_replies import is_no_answer
from lcagent.agents.probtree.question_tree import insertable_answer
from lcagent.results import FoundBy

SCORE_DECIMALS = 12
"""Scores that are equal to so many are equal: versions of Python add numbers in different ways."""

NEAR_TIE_MARGIN = 0.01
"""Two scores that are no further apart may change places with the next build of a model."""

NEAR_TIE = "two answers are nearly equally sure"


PASSAGES_FIRST = "what the passages say was taken before an answer that the model is surer of"


@dataclass(frozen=True, slots=True)
class Evidence:
    """Words that an answer rests on, and the page they were taken from.

    Attributes:
        document_id: Empty where the model named a passage that it was not shown.
        found_by: Who says so: the model, or lcagent, which looked for it.
    """

    document_id: str
    page_index: int
    quote: str
    found_by: FoundBy = "model"


@dataclass(frozen=True, slots=True)
class ChildChoice:
    """Which answer to a child an answer was put together from, in beam mode.

    Attributes:
        asked: The question as it was asked.
        chosen: The kind of the answer.
        nth: Which of its kind it is, from 0.
    """

    question: int
    asked: str
    chosen: CandidateKind
    nth: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """An answer to a question, in one of the three ways.

    Attributes:
        score: How sure it is, children included.
        explanation: What the model said before it, without marks.
        evidence: What it quotes.
        pages: Those it was shown: ids of documents and indices of pages.
        used: The questions below whose answers it used.
        below: In beam mode, the answers below that it was shown; there may be others.
        is_supported: Passages say it, as far as a program can see; of an answer from below, those
            of all answers that it used do.
        is_plain: It was asked for in plain words, so its score is that of the answer itself.
    """

    kind: CandidateKind
    answer: str
    score: float
    explanation: str = ""
    evidence: tuple[Evidence, ...] = ()
    pages: tuple[tuple[str, int], ...] = ()
    used: tuple[int, ...] = ()
    flags: tuple[str, ...] = ()
    below: tuple[ChildChoice, ...] = ()
    is_supported: bool = False
    is_plain: bool = False


@dataclass(frozen=True, slots=True)
class NodeResult:
    """A question of a tree with its candidates and the answer that was chosen.

    Attributes:
        asked: The question as it was asked.
        method: What all its confidences were measured by.
        chosen: The kind of the candidate that is its answer.
        nth: Which of that kind it is, from 0; in beam mode there may be several from below.
    """

    asked: str
    candidates: tuple[Candidate, ...]
    method: ConfidenceMethod
    chosen: CandidateKind
    flags: tuple[str, ...] = ()
    nth: int = 0

    @property
    def choice(self) -> Candidate:
        """The candidate that is the answer."""
        return self._of_kind(self.chosen)[self.nth]

    @property
    def is_answered(self) -> bool:
        """Say whether there is an answer."""
        return self.choice.score > FAILED_SCORE

    def taking(self, candidate: Candidate) -> "NodeResult":
        """Return the same question with another of its candidates as the answer."""
        nth = self._of_kind(candidate.kind).index(candidate)
        return replace(self, chosen=candidate.kind, nth=nth)

    def _of_kind(self, kind: CandidateKind) -> list[Candidate]:
        return [candidate for candidate in self.candidates if candidate.kind == kind]

    def as_json(self) -> dict[str, Any]:
        """Return it as it is stored."""
        return asdict(self)

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> "NodeResult":
        """Undo `as_json`."""
        return _stored().validate_python(fields)


def score_answer(answer: str, score: float) -> float:
    """Return how sure an answer is, or `FAILED_SCORE` where it says that there is none."""
    return FAILED_SCORE if is_no_answer(answer) else score


def combine_scores(
    explanation: float, decomposition: float | None, children: Sequence[float]
) -> float:
    """Return the score of an answer that was put together from those of the children.

    It is the mean of all: of how sure the model is of putting them together, of the decomposition,
    and of each child's answer, so that doubt about any of them is carried up.

    Args:
        decomposition: None where it was measured in another way than the rest.
    """
    terms = [explanation, *children]
    if decomposition is not None:
        terms.append(decomposition)
    return sum(terms) / len(terms)


def rank_scores(scores: Sequence[float]) -> list[int]:
    """Return the places of the scores, the highest first, equal ones in the order given.

    The first is the choice. In the authors' code, closed-book answers are given first, then those
    from passages, then those from below.
    """
    return sorted(range(len(scores)), key=lambda place: -round(scores[place], SCORE_DECIMALS))


def is_near_tie(candidates: Sequence[Candidate]) -> bool:
    """Say whether the second surest answer is nearly as sure as the surest."""
    scores = sorted((candidate.score for candidate in candidates), reverse=True)
    return len(scores) > 1 and scores[1] > FAILED_SCORE and scores[0] - scores[1] < NEAR_TIE_MARGIN


def decide(asked: str, candidates: Sequence[Candidate], method: ConfidenceMethod) -> NodeResult:
    """Take the surest candidate as the answer to a question.

    What the model merely knows gives way to what passages say, however sure it is; where it was
    asked in plain words, to whatever it read. What a weak model says of its sureness is worse than
    chance (docs/decisions/0018): then what passages say goes first.

    Args:
        method: What the scores of all candidates were measured by.
    """
    ordered = sorted(candidates, key=lambda candidate: _ORDER.index(candidate.kind))
    flags = (NEAR_TIE,) if is_near_tie(ordered) else ()
    surest = _surest_first(ordered, method)
    chosen = surest[0]
    answers = [each for each in surest if each.score > FAILED_SCORE]
    said = [each for each in answers if each.is_supported]
    if any(each.is_plain for each in ordered):
        read = [each for each in answers if each.kind != "closed_book"]
        said = (said if method == "stated" else []) or read
    elif chosen.kind == "closed_book":
        said = [each for each in said if each.kind == "open_book"]
    else:
        said = []
    if said and chosen is not said[0]:
        flags, chosen = (*flags, PASSAGES_FIRST), said[0]
    return NodeResult(asked, tuple(ordered), method, chosen.kind, flags).taking(chosen)


def list_alternatives(result: NodeResult, most: int) -> list[NodeResult]:
    """Return a question with each of its surest answers taken, no two alike, the surest first.

    What is no answer is no alternative; where there is nothing else, the choice stays alone.
    """
    different: dict[str, Candidate] = {}
    for candidate in _surest_first(result.candidates, result.method):
        if candidate.score > FAILED_SCORE:
            # Compared as they would stand in a question: only that makes a different question.
            key = normalize_answer(insertable_answer(candidate.answer))
            different.setdefault(key, candidate)
    kept = list(different.values())[:most]
    return [result.taking(candidate) for candidate in kept] or [result]


def select_comparable(results: Iterable[NodeResult], method: ConfidenceMethod) -> list[NodeResult]:
    """Return the results whose scores were measured by `method`, and all that failed.

    A log-probability, a share of samples and a stated percentage are different scales, so a mean
    over them means nothing. That there is no answer is the same on all of them.
    """
    return [result for result in results if result.method == method or not result.is_answered]


def _surest_first(candidates: Sequence[Candidate], method: ConfidenceMethod) -> list[Candidate]:
    is_plain = any(candidate.is_plain for candidate in candidates)
    order = _ORDER if method == "logprobs" and not is_plain else _CHECKABLE_FIRST
    given = sorted(candidates, key=lambda candidate: order.index(candidate.kind))
    return [given[place] for place in rank_scores([candidate.score for candidate in given])]


@cache
def _stored() -> TypeAdapter[NodeResult]:
    return TypeAdapter(NodeResult)


_ORDER: tuple[CandidateKind, ...] = ("closed_book", "open_book", "child_aggregating")
"""Of equals the first is taken, as in the authors' code."""

_CHECKABLE_FIRST: tuple[CandidateKind, ...] = ("open_book", "child_aggregating", "closed_book")
"""The order of equals where there are no log-probabilities. What is measured then has few values,
so equals are the rule, and what can be looked up goes before what the model merely knows."""
