"""How the rules of the router sort questions whose kind is known.

    python benchmarks/routing.py ../shared/data

For each set of questions it prints how many the words of the question send to passages ("fact"),
to all of the text ("wide"), or leave to the model ("open").
"""

import argparse
import ast
import json
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lcagent.agents.question_classifier import classify_by_words

BOOK_QUESTIONS = Path(__file__).with_name("book_questions.toml")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="the folder of the questions")
    data: Path = parser.parse_args().data
    print("| questions | number | fact | wide | open |\n|---|---|---|---|---|")
    for name, questions in _sets(data):
        kinds = Counter(classify_by_words(question).kind for question in questions)
        shares = (f"{kinds[kind] / len(questions):.0%}" for kind in ("fact", "wide", "open"))
        print(f"| {name} | {len(questions)} | {' | '.join(shares)} |")


def _sets(data: Path) -> Iterator[tuple[str, list[str]]]:
    yield "one fact (books, five languages)", _of_books()
    yield "one fact (LooGLE, short dependency)", _of_loogle(data, "shortdep")
    yield "one place (FinanceBench)", _of(data / "financebench" / "questions.jsonl", "question")
    yield "two hops (HotpotQA)", _of(data / "multihop" / "hotpotqa_dev_200.jsonl", "question")
    yield "two to four hops (MuSiQue)", _of(data / "multihop" / "musique_200.jsonl", "question")
    yield "much of the text (LooGLE, long dependency)", _of_loogle(data, "longdep")


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def _of(path: Path, key: str) -> list[str]:
    return [row[key] for row in _rows(path)]


def _of_loogle(data: Path, kind: str) -> list[str]:
    rows = _rows(data / "longdoc_qa" / f"loogle_{kind}_qa.jsonl")
    pairs = (pair for row in rows for pair in _read(row["qa_pairs"]))
    return [pair["Q"] for pair in pairs]


def _read(pairs: str | list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return pairs, which some rows hold as a literal of Python in a string."""
    return ast.literal_eval(pairs) if isinstance(pairs, str) else pairs


def _of_books() -> list[str]:
    table = tomllib.loads(BOOK_QUESTIONS.read_text(encoding="utf-8"))
    return [question for own in table["own"].values() for question in own]


if __name__ == "__main__":
    main()
