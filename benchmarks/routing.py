"""How the router sorts questions whose kind is known, by rules and with a model.

    python benchmarks/routing.py ../shared/data
    python benchmarks/routing.py --known [-m openai:smollm2 --base-url http://127.0.0.1:8101/v1]

For each set of questions the first prints how many the words of the question send to passages
("fact"), to all of the text ("wide"), or leave to the model ("open"). The second takes the 60
questions of router_questions.toml, whose best method is known, and prints how many go there: by
the rules alone, where a model is asked what the rules leave open, and where it is asked of all. The
rules were mended on these very questions, so they say what the rules can tell at best.
"""

import argparse
import ast
import asyncio
import json
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from lcagent.agents.question_classifier import EvidenceNeed, classify_by_model, classify_by_words
from lcagent.models.choose import choose_model, close_model

KNOWN = Path(__file__).with_name("router_questions.toml")
METHODS: dict[str, str] = {"passage": "rag", "steps": "tree", "everything": "chain"}
NEEDS: dict[str, EvidenceNeed] = {"wide": "everything", "fact": "passage"}
SEED = 20_261_130
BOOTSTRAPS = 10_000

BOOK_QUESTIONS = Path(__file__).with_name("book_questions.toml")


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, nargs="?", help="the folder of the questions")
    parser.add_argument("--known", action="store_true", help="questions whose method is known")
    parser.add_argument("-m", "--model")
    parser.add_argument("--base-url")
    given = parser.parse_args()
    if given.known:
        asyncio.run(_print_known(given.model, given.base_url))
    elif given.data is not None:
        _print_sets(given.data)
    else:
        parser.error("the folder of the questions, or --known")


def _print_sets(data: Path) -> None:
    print("| questions | number | fact | wide | open |\n|---|---|---|---|---|")
    for name, questions in _sets(data):
        kinds = Counter(classify_by_words(question).kind for question in questions)
        shares = (f"{kinds[kind] / len(questions):.0%}" for kind in ("fact", "wide", "open"))
        print(f"| {name} | {len(questions)} | {' | '.join(shares)} |")


async def _print_known(reference: str | None, base_url: str | None) -> None:
    kinds = tomllib.loads(KNOWN.read_text(encoding="utf-8"))
    asked = [(kind, each, row["best"]) for kind, row in kinds.items() for each in row["questions"]]
    forms = [classify_by_words(question) for _, question, _ in asked]
    columns: dict[str, list[bool]] = {
        "rules": [
            METHODS[NEEDS.get(form.kind, form.likely)] == best
            for form, (_, _, best) in zip(forms, asked, strict=True)
        ]
    }
    if reference is not None:
        model = choose_model(reference, base_url=base_url, window_tokens=4_096)
        said = [await classify_by_model(question, model) for _, question, _ in asked]
        await close_model(model)
        print("the model says:", dict(Counter(map(str, said))), "\n")
        needs = [need or form.likely for need, form in zip(said, forms, strict=True)]
        columns["model where rules are open"] = [
            METHODS[NEEDS.get(form.kind, need)] == best
            for form, need, (_, _, best) in zip(forms, needs, asked, strict=True)
        ]
        columns["model for all"] = [
            METHODS[need] == best for need, (_, _, best) in zip(needs, asked, strict=True)
        ]
    print(f"| kind | best | n | open | {' | '.join(columns)} |")
    print("|---|---|---|---|" + "---|" * len(columns))
    for kind, row in kinds.items():
        at = [place for place, (each, _, _) in enumerate(asked) if each == kind]
        is_open = sum(forms[place].kind == "open" for place in at)
        right = (str(sum(column[place] for place in at)) for column in columns.values())
        print(f"| {kind} | `{row['best']}` | {len(at)} | {is_open} | {' | '.join(right)} |")
    is_open = sum(form.kind == "open" for form in forms)
    print(f"| all | | {len(asked)} | {is_open} | {' | '.join(map(_share, columns.values()))} |")


def _share(right: list[bool]) -> str:
    """Return how many are right, with the 95 % interval of their share by bootstrap."""
    drawn = np.random.default_rng(SEED).integers(0, len(right), (BOOTSTRAPS, len(right)))
    low, high = np.percentile(np.array(right)[drawn].mean(axis=1), (2.5, 97.5))
    return f"{sum(right)} ({low:.0%} to {high:.0%})"


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
