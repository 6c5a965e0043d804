"""How well search finds the pages that hold the evidence: FinanceBench, HotpotQA, MuSiQue.

    python benchmarks/retrieval.py DATA [--mode words|candidates|all] [--home FOLDER]

DATA holds `financebench/questions.jsonl`, `financebench/pdfs/` and `multihop/*.jsonl`, in the
formats of the data sets (https://github.com/patronus-ai/financebench, HotpotQA, MuSiQue).

FinanceBench: search inside the question's own document; the share of the gold pages among the
first k. Multi-hop: the pool is all paragraphs of the sample. Beside ours, in the same run, two
plain rankings: BM25 of pages, and (with vectors) the best chunk of each page under MiniLM, and
their reciprocal rank fusion. The interval is a paired bootstrap over questions (10,000 samples).
"""

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lcagent.concurrency import run_sync
from lcagent.documents import Document, Page
from lcagent.pipelines import Runtime
from lcagent.retrieval.indexing import Indexer
from lcagent.retrieval.search.index import Index
from lcagent.retrieval.search.ranking import page_maximum, ranks
from lcagent.retrieval.search.retriever import VectorUse
from lcagent.settings import Settings

CUTS = (1, 5, 10, 20)
Order = NDArray[np.int64]


@dataclass(frozen=True)
class Case:
    """A question, the pages to search, and the indices of those that hold the evidence."""

    question: str
    pool: str
    gold: frozenset[int]


def financebench(data: Path) -> tuple[list[Case], dict[str, Path]]:
    """Return the questions whose document is here, and the documents."""
    folder = data / "financebench"
    files = {path.stem: path for path in sorted((folder / "pdfs").glob("*.pdf"))}
    cases = []
    for line in (folder / "questions.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        gold = frozenset(int(piece["evidence_page_num"]) for piece in row["evidence"])
        if row["doc_name"] in files:
            cases.append(Case(row["question"], row["doc_name"], gold))
    return cases, files


def multihop(path: Path) -> tuple[list[Case], Document]:
    """Return the questions of a multi-hop set, and all its paragraphs as one document."""
    pool: dict[tuple[str, str], int] = {}
    cases = []
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if "paragraphs" in row:
            items = [
                (p["title"], p["paragraph_text"], p["is_supporting"]) for p in row["paragraphs"]
            ]
        else:
            support = {title for title, _ in row["supporting_facts"]}
            items = [(t, " ".join(s), t in support) for t, s in row["context"]]
        numbers = [pool.setdefault((title, text), len(pool)) for title, text, _ in items]
        gold = {n for n, (_, _, is_gold) in zip(numbers, items, strict=True) if is_gold}
        cases.append(Case(row["question"], path.stem, frozenset(gold)))
    pages = tuple(
        Page(index, f"{title}\n{text}", section=title) for (title, text), index in pool.items()
    )
    return cases, Document(path.stem, path.stem, "text/plain", "benchmark", pages)


class Searcher:
    """Ranks the pages of one document in each of the ways that are compared."""

    def __init__(self, indexer: Indexer, document: Document, use: VectorUse) -> None:
        if use == "stored":
            run_sync(indexer.prepare([document], vectors=True))
        self._index: Index = run_sync(indexer.index([document]))
        self._use = use

    def orders(self, question: str) -> dict[str, Order]:
        """Return the pages from best to worst by each ranking."""
        index = self._index.pages
        assert index is not None
        query, ranking = index.rank(question, self._use, self._index.languages)
        pages = index.lexical.page_scores(query.terms)
        found = {"lcagent": ranking.pages, "BM25 page": pages}
        if self._use == "stored" and index.vectors is not None:
            cosines = index.vectors.cosines(question, self._use, list)
            assert cosines is not None
            dense = page_maximum(cosines, index.lexical.chunk_page, len(pages))
            found["MiniLM chunk"] = dense
            found["RRF"] = 1 / (60 + ranks(pages)) + 1 / (60 + ranks(dense))
        return {name: np.argsort(-scores, kind="stable") for name, scores in found.items()}


def recall(case: Case, order: Order, cut: int) -> float:
    """Return the share of the gold pages among the first `cut`."""
    return len(case.gold & set(order[:cut].tolist())) / len(case.gold)


def interval(ours: Sequence[float], theirs: Sequence[float]) -> tuple[float, float]:
    """Return the 95 % interval of the mean difference, by paired bootstrap."""
    differences = np.array(ours) - np.array(theirs)
    draws = np.random.default_rng(0).integers(0, len(differences), (10_000, len(differences)))
    low, high = np.percentile(differences[draws].mean(axis=1), [2.5, 97.5])
    return float(low), float(high)


def report(title: str, cases: Sequence[Case], orders: Sequence[dict[str, Order]]) -> None:
    """Print recall by ranking, and how sure the differences are."""
    print(f"\n{title}: {len(cases)} questions")
    header = "".join(f"   R@{cut:<3}" for cut in CUTS)
    print(f"{'':14}{header}  all gold@5   ours - theirs at 5 (95 %)")
    scores = {
        name: [
            [recall(case, one[name], cut) for cut in CUTS]
            for case, one in zip(cases, orders, strict=True)
        ]
        for name in orders[0]
    }
    for name, rows in scores.items():
        means = "".join(f"   {mean:.3f}" for mean in np.mean(rows, axis=0))
        whole = np.mean([row[CUTS.index(5)] == 1 for row in rows])
        ours = [row[1] for row in scores["lcagent"]]
        low, high = interval(ours, [row[1] for row in rows])
        print(f"{name:14}{means}       {whole:.3f}   [{low:+.3f}, {high:+.3f}]")


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--mode", choices=("words", "candidates", "all"), default="words")
    parser.add_argument("--home", type=Path, help="keep the store here")
    options = parser.parse_args()
    modes: dict[str, VectorUse] = {"words": "none", "candidates": "needed", "all": "stored"}
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=options.home or Path(folder))
        with Runtime.open(settings) as runtime:
            run(runtime, options.data, modes[options.mode])


def run(runtime: Runtime, data: Path, use: VectorUse) -> None:
    """Print the tables of all data sets."""
    started = time.process_time()
    cases, files = financebench(data)
    searchers = {}
    for name, path in files.items():
        collection = run_sync(runtime.collect(path))
        searchers[name] = Searcher(runtime.retriever, collection.documents[0], use)
    asked = time.process_time()
    report("FinanceBench", cases, [searchers[case.pool].orders(case.question) for case in cases])
    spent = (time.process_time() - asked) / len(cases)
    print(f"preparing {asked - started:.1f} CPU s, then {spent:.3f} CPU s a question")
    for path in sorted((data / "multihop").glob("*.jsonl")):
        cases, document = multihop(path)
        runtime.documents.save(document)
        searcher = Searcher(runtime.retriever, document, use)
        report(path.stem, cases, [searcher.orders(case.question) for case in cases])


if __name__ == "__main__":
    main()
