"""The twenty questions about the sample, without a model and with a real one, against figures.

The figures are those of the last measurement, in `sample_answers.toml`; a model's are one question
lower, because processors round differently and a word may tip over.
"""

import asyncio
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from answer_questions import Question, all_questions
from answer_scores import Score, score
from answers import Asker
from llama_server import RunningServer

from lcagent.pipelines import Session
from lcagent.settings import load_settings

FIGURES: dict[str, dict[str, int]] = tomllib.loads(
    Path(__file__).with_name("sample_answers.toml").read_text(encoding="utf-8")
)
QUESTIONS = all_questions(None, Path())[:20]
AT_MOST = ("is_wrong_though_supported", "says_prompt_year")
WINDOW_TOKENS = 4_096


def test_without_a_model_no_fewer_questions_are_answered_than_before() -> None:
    found = asyncio.run(_scores("quote", None))
    _compare(_counts(QUESTIONS, found), FIGURES["quote"])


@pytest.mark.real_model
@pytest.mark.timeout(1_800)
def test_with_a_real_model_no_fewer_questions_are_answered_than_before(
    real_model: RunningServer,
) -> None:
    found = asyncio.run(_scores("rag", real_model))
    _compare(_counts(QUESTIONS, found), FIGURES["real_model"])


async def _scores(method: str, server: RunningServer | None) -> list[Score]:
    name, url = (server.name, server.base_url) if server else ("quote", None)
    async with Session.open(load_settings(embedder="none")) as session:
        asker = Asker(session, name, url, WINDOW_TOKENS, server)
        rows = [await asker.ask(question, method) for question in QUESTIONS]
    assert not [row["error"] for row in rows if "error" in row]
    for row in rows:
        print(row["question"], row["cpu_s"], repr(row["answer"][:120]))  # noqa: T201
    return [score(row, question) for row, question in zip(rows, QUESTIONS, strict=True)]


def _counts(questions: Sequence[Question], scores: Sequence[Score]) -> dict[str, int]:
    """Return how many of the questions with an answer have each property; then of the others."""
    pairs = list(zip(questions, scores, strict=True))
    names = [each.name for each in fields(Score) if each.name != "f1"]
    counts = {
        name: sum(getattr(found, name) for question, found in pairs if question.has_answer)
        for name in names
    }
    without = [found for question, found in pairs if not question.has_answer]
    counts["abstains_rightly"] = sum(found.abstains for found in without)
    for name in AT_MOST:
        counts[name] += sum(getattr(found, name) for found in without)
    return counts


def _compare(counts: dict[str, int], figures: dict[str, int]) -> None:
    print(counts)  # noqa: T201 -- what `sample_answers.toml` is raised with
    worse = {
        name: f"{counts[name]}, not {figure}"
        for name, figure in figures.items()
        if (counts[name] > figure if name in AT_MOST else counts[name] < figure)
    }
    assert not worse
