"""Scores of answers, and the Markdown tables of them: what docs/answers-measured.md shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from answer_metrics import Estimate, f1, has_gold, is_refusal, mean_of, paired_difference
from answer_questions import Question

Row = Mapping[str, Any]
LOCATED = ("exact", "fuzzy")
COLUMNS = (
    "questions",
    "method",
    "n: with an answer + without",
    "right",
    "abstains where there is none",
    "F1",
    "in the answer or a quote",
    "located citation",
    "on its page",
    "a year of our prompts",
    "not the answer, though a claim is supported",
    "cut",
    "CPU s",
    "tokens read, written",
)
BASELINE_OF = {
    "rag": "plain-passages",
    "tree": "plain-passages",
    "quote": "plain-passages",
    "whole": "plain-whole",
    "chain": "plain-refine",
}


@dataclass(frozen=True, slots=True)
class Score:
    """What a program can tell of one answer.

    Attributes:
        is_right: It has the answer, were it as what a model said without proof above the nearest
            passages; where there is none, it says so.
        abstains: It says that it has no answer, in whatever words.
        is_shown: The answer stands in it or in a quote that is shown with it.
        is_located: It has a quote that was found in the document.
        is_on_place: One of those stands where the answer is.
        is_wrong_though_supported: A claim is marked as supported, and the answer is not right: it
            may be false, or true and beside the point. Without a model, quotes claim nothing.
    """

    is_right: bool
    f1: float
    abstains: bool
    is_shown: bool
    is_located: bool
    is_on_place: bool
    is_wrong_though_supported: bool
    says_prompt_year: bool
    is_cut: bool


def score(row: Row, question: Question) -> Score:
    """Return the score of a line of results."""
    answer = row["answer"]
    abstains = row.get("outcome", "answered") != "answered" or is_refusal(answer)
    located = [one for one in row.get("citations", ()) if one["status"] in LOCATED]
    shown = "\n".join([answer, *(one["quote"] for one in located)])
    is_answered = row.get("outcome", "answered") == "answered"
    holds = has_gold(answer if is_answered else answer.partition("\n")[0], question.gold)
    is_right = holds if question.has_answer else abstains
    claims = row.get("claims", ()) if row["method"] != "quote" else ()
    is_proved = any(claim["status"] == "supported" for claim in claims)
    return Score(
        is_right=is_right,
        f1=f1(answer, question.gold) if question.has_answer else float(abstains),
        abstains=abstains,
        is_shown=question.has_answer and has_gold(shown, question.gold),
        is_located=bool(located),
        is_on_place=any(
            question.is_place(one["page"], one["section"], one["quote"]) for one in located
        ),
        is_wrong_though_supported=is_proved and not abstains and not is_right,
        says_prompt_year=bool(row.get("prompt_years")) and not is_right,
        is_cut=row.get("finish") == "cut",
    )


Scored = dict[tuple[str, str], Score]
"""By question and method."""


def scored(rows: Sequence[Row], questions: Mapping[str, Question]) -> Scored:
    """Return the scores of the lines whose questions are known; of two, the later one's."""
    known = (row for row in rows if row["question"] in questions)
    return {
        (row["question"], row["method"]): score(row, questions[row["question"]]) for row in known
    }


def tables(rows: Sequence[Row], before: Sequence[Row], questions: Mapping[str, Question]) -> str:
    """Return the tables: each method by group, against its baseline, and against before."""
    found = scored(rows, questions)
    parts = [_heading(rows), _by_group(found, rows, questions)]
    pairs = _pairs(found, found, BASELINE_OF, questions)
    parts.append(_differences("method - baseline, same questions", pairs))
    if before:
        older = scored(before, questions)
        names = sorted({method for _, method in found})
        same = _pairs(found, older, {name: name for name in names}, questions)
        parts.append(_differences("after - before, same questions", same))
    return "\n\n".join(part for part in parts if part)


def _heading(rows: Sequence[Row]) -> str:
    models = sorted({f"{row['model']}, a window of {row['window']}" for row in rows})
    dates = sorted({row["date"] for row in rows})
    return f"{'; '.join(models)}; {dates[0]} to {dates[-1]}" if rows else "nothing was asked"


def _by_group(scores: Scored, rows: Sequence[Row], questions: Mapping[str, Question]) -> str:
    groups = list(dict.fromkeys(questions[question].group for question, _ in scores))
    methods = list(dict.fromkeys(method for _, method in scores))
    lines = [f"| {' | '.join(COLUMNS)} |", "|---" * len(COLUMNS) + "|"]
    cost = {(row["question"], row["method"]): row for row in rows}
    for group in [*groups, *(["all"] if len(groups) > 1 else [])]:
        for method in methods:
            keys = [
                key
                for key in scores
                if key[1] == method and group in ("all", questions[key[0]].group)
            ]
            if keys:
                lines.append(_line(group, method, keys, scores, questions, cost))
    return "\n".join(lines)


def _line(
    group: str,
    method: str,
    keys: Sequence[tuple[str, str]],
    scores: Scored,
    questions: Mapping[str, Question],
    cost: Mapping[tuple[str, str], Row],
) -> str:
    answerable = [scores[key] for key in keys if questions[key[0]].has_answer]
    others = [scores[key] for key in keys if not questions[key[0]].has_answer]
    every = [*answerable, *others]
    read, written = (
        sum(cost[key].get(name) or 0 for key in keys) / len(keys)
        for name in ("prompt_tokens", "completion_tokens")
    )
    cells = [
        group,
        method,
        f"{len(answerable)} + {len(others)}",
        _share([one.is_right for one in answerable]),
        _count([one.is_right for one in others]),
        f"{mean_of([one.f1 for one in answerable]).mean:.2f}" if answerable else "",
        _share([one.is_shown for one in answerable]),
        _share([one.is_located for one in answerable]),
        _share([one.is_on_place for one in answerable]),
        _count([one.says_prompt_year for one in every]),
        _count([one.is_wrong_though_supported for one in every]),
        _count([one.is_cut for one in every]),
        f"{sum(cost[key]['cpu_s'] for key in keys) / len(keys):.1f}",
        f"{read:,.0f}, {written:,.0f}",
    ]
    return f"| {' | '.join(cells)} |"


def _count(values: Sequence[bool]) -> str:
    return f"{sum(values)} of {len(values)}" if values else ""


def _share(values: Sequence[bool]) -> str:
    """Return a count with the 95 % interval of the share."""
    if not values:
        return ""
    found = mean_of([float(value) for value in values])
    return f"{sum(values)} of {len(values)} ({found.low:.2f} to {found.high:.2f})"


Pairs = list[tuple[str, str, list[tuple[Score, Score]]]]
"""Method, what it is compared with, and the two scores of each question that has an answer."""


def _pairs(
    ours: Scored, theirs: Scored, names: Mapping[str, str], questions: Mapping[str, Question]
) -> Pairs:
    found: Pairs = []
    for method, other in names.items():
        both = [
            (one, theirs[question, other])
            for (question, name), one in ours.items()
            if name == method and (question, other) in theirs and questions[question].has_answer
        ]
        if both:
            found.append((method, other, both))
    return found


def _differences(title: str, pairs: Pairs) -> str:
    if not pairs:
        return ""
    lines = [
        f"| {title} | n | right | in the answer or a quote | F1 | located | on its page |",
        "|---" * 7 + "|",
    ]
    for method, other, both in pairs:
        differences = [
            _difference(
                [getattr(one, name) for one, _ in both], [getattr(b, name) for _, b in both]
            )
            for name in ("is_right", "is_shown", "f1", "is_located", "is_on_place")
        ]
        against = f"{method} - {other}" if method != other else method
        lines.append(f"| {against} | {len(both)} | {' | '.join(differences)} |")
    return "\n".join(lines)


def _difference(ours: Sequence[float], theirs: Sequence[float]) -> str:
    found: Estimate = paired_difference(list(map(float, ours)), list(map(float, theirs)))
    return f"{found.mean:+.2f} ({found.low:+.2f} to {found.high:+.2f})"
