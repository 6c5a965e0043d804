"""Whether a model's confidence tells right answers of a question tree from wrong ones.

    python benchmarks/calibration.py ../shared/data -m openai:smollm2 --base-url http://127.0.0.1:8101/v1

Each question is asked as a leaf of a tree is, from passages that hold its answer: paragraphs of
SQuADShifts (new Wikipedia articles, shorter than 80 words, chosen by a fixed seed), the two
paragraphs of HotpotQA questions, and what a search finds for the questions on the sample document.
An answer is right if it has the words of the right one. Printed is the area under the ROC curve of
each measure, the chance that a right answer has more of it than a wrong one (.5 is chance), with
the 95 % interval of a bootstrap over the questions. Rows are kept in --rows, so that a run can be
interrupted, and extended.
"""

import argparse
import asyncio
import gzip
import json
import random
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from lcagent.agents.answering import LabelledPassage
from lcagent.agents.probtree.candidate_drafts import (
    CandidateDraft,
    LogprobClient,
    ResolvedQuestion,
    draft_candidate,
    parse_answers,
)
from lcagent.agents.probtree.confidence import mean_logprob, sample_agreement
from lcagent.agents.probtree.passage_retriever import RetrievalQuery
from lcagent.agents.quoting import choose_quotes
from lcagent.documents import Span
from lcagent.models.chat_model import Request
from lcagent.models.choose import choose_model, close_model
from lcagent.pipelines import Session
from lcagent.settings import load_settings

EXAMPLES = Path(__file__).parents[1] / "examples"
SEED = 20_261_130
MAX_WORDS = 80
BOOTSTRAPS = 2_000
PASSAGES = 5
REPLY_TOKENS = 256
TEMPERATURE = 0.7


@dataclass(frozen=True, slots=True)
class Leaf:
    """A question with the passages that are shown, and ways to say its answer."""

    id: str
    question: str
    passages: tuple[str, ...]
    gold: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """What became of a question. Each measure is more where the answer should be surer."""

    id: str
    answer: str
    is_right: bool
    form: str
    measures: dict[str, float]


@dataclass(frozen=True, slots=True)
class Shelf:
    """A retriever that has one question's passages."""

    passages: tuple[str, ...]

    async def retrieve(self, queries: Sequence[RetrievalQuery]) -> list[LabelledPassage]:  # noqa: ARG002
        """Return them."""
        return [
            LabelledPassage(f"S{number}", Span("d", number), f"S{number} | text\n{text}")
            for number, text in enumerate(self.passages, 1)
        ]


def main() -> None:
    """Ask what was not asked yet, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="the folder of the data sets")
    parser.add_argument("-m", "--model", required=True)
    parser.add_argument("--base-url")
    parser.add_argument("--window", type=int, default=4_096)
    parser.add_argument("--paragraphs", type=int, default=76)
    parser.add_argument("--pairs", type=int, default=14)
    parser.add_argument("--samples", type=int, default=0, help="draws for the agreement of samples")
    parser.add_argument("--explained", action="store_true", help="ask in the explained form first")
    parser.add_argument("--rows", type=Path, default=Path("calibration.jsonl"))
    given = parser.parse_args()
    rows = asyncio.run(_ask_all(given))
    print(table(rows))


def table(rows: Sequence[Row]) -> str:
    """Return the area under the ROC curve of each measure, as Markdown."""
    right = sum(row.is_right for row in rows)
    lines = [f"{len(rows)} answers, {right} of them right", "", "| measure | n | AUROC | 95 % |"]
    lines.append("|---|---|---|---|")
    for name in dict.fromkeys(name for row in rows for name in row.measures):
        scored = [(row.measures[name], row.is_right) for row in rows if name in row.measures]
        area, low, high = area_with_interval(scored)
        lines.append(f"| {name} | {len(scored)} | {area:.2f} | {low:.2f} to {high:.2f} |")
    return "\n".join(lines)


def area_under_curve(scored: Sequence[tuple[float, bool]]) -> float:
    """Return the chance that a right answer scores above a wrong one; of equals half counts."""
    right = np.array([score for score, is_right in scored if is_right])
    wrong = np.array([score for score, is_right in scored if not is_right])
    if not len(right) or not len(wrong):
        return float("nan")
    above = (right[:, None] > wrong[None, :]).mean()
    return float(above + 0.5 * (right[:, None] == wrong[None, :]).mean())


def area_with_interval(scored: Sequence[tuple[float, bool]]) -> tuple[float, float, float]:
    """Return the area, and the 95 % interval of a bootstrap over the questions."""
    chance = np.random.default_rng(SEED)
    drawn = [
        area_under_curve([scored[at] for at in chance.integers(0, len(scored), len(scored))])
        for _ in range(BOOTSTRAPS)
    ]
    low, high = np.nanpercentile(drawn, (2.5, 97.5))
    return area_under_curve(scored), float(low), float(high)


async def _ask_all(given: argparse.Namespace) -> list[Row]:
    known = _read_rows(given.rows)
    leaves = [
        *await _of_sample(),
        *_paragraphs(given.data, given.paragraphs),
        *_pairs(given.data, given.pairs),
    ]
    model = choose_model(given.model, base_url=given.base_url, window_tokens=given.window)
    try:
        for leaf in leaves:
            if leaf.id not in known:
                client = LogprobClient(model, REPLY_TOKENS)
                known[leaf.id] = await _ask(
                    leaf, client, given.samples, is_plain=not given.explained
                )
                _add_row(given.rows, known[leaf.id])
    finally:
        await close_model(model)
    return [known[leaf.id] for leaf in leaves]


def _read_rows(path: Path) -> dict[str, Row]:
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return {row["id"]: Row(**row) for row in map(json.loads, lines)}


def _add_row(path: Path, row: Row) -> None:
    with path.open("a", encoding="utf-8") as rows:
        rows.write(json.dumps(asdict(row), ensure_ascii=False) + "\n")


async def _ask(leaf: Leaf, client: LogprobClient, samples: int, *, is_plain: bool) -> Row:
    asked = ResolvedQuestion(
        leaf.question, (RetrievalQuery(leaf.question, PASSAGES),), name=leaf.id
    )
    draft = await draft_candidate(
        "open_book", asked, client, Shelf(leaf.passages), is_plain=is_plain
    )
    answer = draft.read.answer
    measures = _measures(draft, leaf) if draft.is_usable else {}
    if draft.is_usable and draft.request is not None and samples:
        drawn = [
            await client.complete(_again(draft.request, number)) for number in range(1, samples + 1)
        ]
        said = parse_answers(drawn, is_plain=draft.is_plain)
        measures["agreement of samples"] = sample_agreement(answer, said)
    is_right = any(_has(answer, gold) for gold in leaf.gold)
    return Row(leaf.id, answer, is_right, "plain" if draft.is_plain else "explained", measures)


def _again(request: Request, number: int) -> Request:
    return replace(request, temperature=TEMPERATURE, sample=number, wants_logprobs=False)


def _measures(draft: CandidateDraft, leaf: Leaf) -> dict[str, float]:
    assert draft.reply is not None
    words = _words(draft.read.answer)
    texts = [
        _words(sentence) for text in leaf.passages for sentence in re.split(r"(?<=[.!?])\s", text)
    ]
    found = {
        "share of the answer's words in one sentence": max(
            (sum(word in text for word in words) / max(1, len(words)) for text in texts),
            default=0.0,
        ),
        "support found by the program": float(draft.find_support(leaf.question) is not None),
    }
    tokens = draft.reply.logprobs or ()
    mean = mean_logprob(draft.reply.text, tokens, draft.read.explanation)
    if mean is not None:
        found["mean log-probability of the explanation"] = mean
        found["mean log-probability of the reply"] = sum(each.logprob for each in tokens) / len(
            tokens
        )
        found["lowest token log-probability"] = min(each.logprob for each in tokens)
        found["that, and twice the share of words"] = (
            found["lowest token log-probability"]
            + 2 * (found["share of the answer's words in one sentence"])
        )
    return found


def _words(text: str) -> list[str]:
    return [
        word
        for word in re.findall(r"[\w]+", text.lower().replace(",", ""))
        if word not in ("a", "an", "the")
    ]


def _has(answer: str, gold: str) -> bool:
    said, wanted = _words(answer), _words(gold)
    return bool(wanted) and any(
        said[start : start + len(wanted)] == wanted for start in range(len(said) - len(wanted) + 1)
    )


def _paragraphs(data: Path, most: int) -> Iterator[Leaf]:
    """Yield a question on each of some short paragraphs."""
    path = data / "reading-comprehension" / "squadshifts_new_wiki.json.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        articles = json.load(file)["data"]
    chance = random.Random(SEED)  # noqa: S311 -- a choice, no secret
    found = [
        (paragraph["context"], chance.choice(paragraph["qas"]))
        for article in articles
        for paragraph in article["paragraphs"]
        if paragraph["qas"] and len(paragraph["context"].split()) < MAX_WORDS
    ]
    for context, asked in chance.sample(found, min(most, len(found))):
        gold = tuple({each["text"] for each in asked["answers"]})
        yield Leaf(f"paragraph-{asked['id']}", asked["question"], (context,), gold)


def _pairs(data: Path, most: int) -> Iterator[Leaf]:
    """Yield questions on two paragraphs."""
    with (data / "multihop" / "hotpotqa_dev_200.jsonl").open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    for row in random.Random(SEED).sample(rows, most):  # noqa: S311 -- a choice, no secret
        titles = {title for title, _ in row["supporting_facts"]}
        shown = tuple("".join(said) for title, said in row["context"] if title in titles)
        yield Leaf(f"pair-{row['_id']}", row["question"], shown, (row["answer"],))


async def _of_sample() -> list[Leaf]:
    """Return the questions on the sample document, with the sentences nearest to each."""
    table = tomllib.loads((EXAMPLES / "sample" / "questions.toml").read_text(encoding="utf-8"))
    leaves: list[Leaf] = []
    async with Session.open(load_settings(embedder="none")) as session:
        documents = (await session.collect(EXAMPLES / "sample.pdf")).documents
        index = session.services.indexer.over(documents)
        for row in table["questions"]:
            if row["id"] not in GOLD:
                continue
            found = await index.search(row["question"], top_k=12)
            near = choose_quotes(found, PASSAGES).quotes
            leaves.append(
                Leaf(row["id"], row["question"], tuple(each.text for each in near), GOLD[row["id"]])
            )
    return leaves


GOLD = {
    "tower-steps": ("163",),
    "present-ferry-cars": ("19",),
    "old-ferry-passengers": ("148",),
    "first-wheel-power": ("320",),
    "passengers-2019": ("48,216",),
    "keeper-1925": ("Vance",),
    "quern-one-2018": ("640",),
    "first-lighting": ("14 November",),
    "teachers-birthplace": ("Varnholt",),
    "blade-makers-town": ("Tolquay",),
    "wind-limit": ("41",),
    "hand-lamp-hours": ("four hours", "4 hours"),
    "hen-share": ("poultry", "any share"),
}


if __name__ == "__main__":
    main()
