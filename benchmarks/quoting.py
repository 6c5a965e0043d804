"""How well answering by quoting does: the right page, the right sentence, or "not in the document".

    python benchmarks/quoting.py DATA [--home FOLDER] [--show]

DATA holds `financebench/`, `longdoc_qa/loogle_*.jsonl` and `books/`; what is missing is skipped.

- FinanceBench: each question asked of its own report; whether any quote, and whether the first,
  stands on a page with the evidence.
- LooGLE: each question asked of its own article; whether any quote has six words in a row, or all
  the words, of an evidence sentence.
- Books in five languages: the questions of `book_questions.toml`.
- Foreign questions: those of FinanceBench asked of the articles, those of the articles asked of
  reports and of other articles, and everyday questions asked of the books. Whatever is quoted
  there is wrong.
"""

import argparse
import ast
import json
import re
import tempfile
import time
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

from lcagent.agents.quoting import Quote, choose_quotes
from lcagent.concurrency import run_sync
from lcagent.documents import Document
from lcagent.pipelines import Session
from lcagent.settings import Settings
from retrieval import financebench

TOP_K = 10
RUN_WORDS = 6
QUESTIONS = Path(__file__).with_name("book_questions.toml")


@dataclass(frozen=True)
class Article:
    """A long text of LooGLE, with its questions and their evidence sentences."""

    document: Document
    questions: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass
class Asker:
    """Asks one question of one document."""

    session: Session
    shows: bool = False
    asked: int = 0
    cpu_s: float = 0.0

    def quotes(self, question: str, document: Document) -> list[Quote]:
        """Return what is quoted; nothing where the document is said to have no answer."""
        start = time.process_time()
        found = run_sync(
            self.session.services.indexer.over([document]).search(
                question, top_k=TOP_K, vectors="none"
            )
        )
        chosen = choose_quotes(found)
        quotes = [*chosen.quotes] if chosen.are_answer else []
        self.cpu_s += time.process_time() - start
        self.asked += 1
        return quotes

    def show(self, mark: str, question: str, quotes: Sequence[Quote]) -> None:
        """Print a question and its quotes, if that is wanted."""
        if self.shows:
            print(f"  {mark:6} {' '.join(question.split())[:150]}")
            for quote in quotes:
                print(f"           p{quote.span.page_index} {' '.join(quote.text.split())[:150]}")


def documents(session: Session, paths: Sequence[Path]) -> dict[str, Document]:
    """Return documents by their file's name."""
    if not paths:
        return {}
    return {one.name: one for one in run_sync(session.collect(list(paths))).documents}


def articles(session: Session, data: Path, folder: Path) -> list[Article]:
    """Return the articles of LooGLE, stored as plain text."""
    rows: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
    texts: dict[str, str] = {}
    for path in sorted((data / "longdoc_qa").glob("loogle_*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            name = re.sub(r"\W+", "_", row["title"]) + ".txt"
            texts[name] = row["input"]
            pairs = row["qa_pairs"]
            for pair in ast.literal_eval(pairs) if isinstance(pairs, str) else pairs:
                evidence = [pair["S"]] if isinstance(pair["S"], str) else pair["S"]
                rows.setdefault(name, []).append((pair["Q"], tuple(evidence)))
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    read = documents(session, [folder / name for name in texts])
    return [Article(read[name], tuple(questions)) for name, questions in rows.items()]


def overlaps(quote: str, evidence: Sequence[str]) -> bool:
    """Say whether a quote has a run of words, or all the words, of an evidence sentence."""
    runs = set(_runs(quote, RUN_WORDS))
    for sentence in evidence:
        size = min(RUN_WORDS, len(_words(sentence)))
        if not runs.isdisjoint(_runs(sentence, RUN_WORDS)) or (
            size < RUN_WORDS and not set(_runs(quote, size)).isdisjoint(_runs(sentence, size))
        ):
            return True
    return False


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _runs(text: str, size: int) -> Iterator[tuple[str, ...]]:
    words = _words(text)
    return (tuple(words[i : i + size]) for i in range(len(words) - size + 1))


def own_reports(asker: Asker, data: Path) -> dict[str, Document]:
    """Ask the questions of FinanceBench of their reports; return the reports."""
    if not (data / "financebench").is_dir():
        print("FinanceBench: skipped")
        return {}
    cases, files = financebench(data)
    reports = documents(asker.session, list(files.values()))
    answered = anywhere = first = 0
    for case in cases:
        quotes = asker.quotes(case.question, reports[f"{case.pool}.pdf"])
        pages = [quote.span.page_index for quote in quotes]
        answered += bool(pages)
        anywhere += not case.gold.isdisjoint(pages)
        first += bool(pages) and pages[0] in case.gold
        hits = f"{'1st' if pages and pages[0] in case.gold else 'any'}"
        asker.show("-" if case.gold.isdisjoint(pages) else hits, case.question, quotes)
    print(
        f"FinanceBench, own report: {len(cases)} asked, {answered} answered; on a page with the "
        f"evidence any quote {anywhere}, the first {first}"
    )
    return reports


def own_articles(asker: Asker, read: Sequence[Article]) -> None:
    """Ask the questions of LooGLE of their articles."""
    total = answered = right = first = 0
    for article in read:
        for question, evidence in article.questions:
            quotes = asker.quotes(question, article.document)
            hits = [overlaps(quote.text, evidence) for quote in quotes]
            total += 1
            answered += bool(quotes)
            right += any(hits)
            first += any(hits[:1])
            asker.show("right" if any(hits) else "-", question, quotes)
    if total:
        print(
            f"LooGLE, own article: {total} asked, {answered} answered; with words of the evidence "
            f"any quote {right}, the first {first}"
        )


def foreign(asker: Asker, data: Path, reports: Sequence[Document], read: Sequence[Article]) -> None:
    """Ask the questions of FinanceBench of articles, those of LooGLE of reports and articles."""
    if not reports or not read:
        return
    cases = financebench(data)[0]
    pairs = list(zip([case.question for case in cases], cycle(one.document for one in read)))
    turn = cycle(reports)
    for number, article in enumerate(read):
        others = cycle(one.document for one in (*read[number + 1 :], *read[:number]))
        for question, _ in article.questions:
            pairs += [(question, next(turn)), (question, next(others))]
    report_foreign(asker, "reports and articles", pairs)


def report_foreign(asker: Asker, title: str, pairs: Sequence[tuple[str, Document]]) -> None:
    """Print how many questions were answered by a document that has no answer."""
    wrong = 0
    for question, document in pairs:
        quotes = asker.quotes(question, document)
        wrong += bool(quotes)
        if quotes:
            asker.show("WRONG", f"{document.name}: {question}", quotes[:1])
    print(f"foreign, {title}: {wrong} of {len(pairs)} answered ({wrong / len(pairs):.0%})")


def books(asker: Asker, data: Path) -> None:
    """Ask of each book its own questions, and everyday ones in its language."""
    asked = tomllib.loads(QUESTIONS.read_text(encoding="utf-8"))
    paths = [data / "books" / name for name in asked["own"]]
    for name, book in documents(asker.session, [path for path in paths if path.exists()]).items():
        answered = right = 0
        for question, place in asked["own"][name].items():
            quotes = asker.quotes(question, book)
            places = [f"{book.pages[one.span.page_index].section} {one.text}" for one in quotes]
            hits = any(re.search(place, " ".join(found.split())) for found in places)
            answered += bool(quotes)
            right += hits
            asker.show("right" if hits else "-", question, quotes)
        print(f"{name}: {len(asked['own'][name])} asked, {answered} answered, {right} right")
        language = re.split(r"[_.]", name.removesuffix(Path(name).suffix))
        everyday = next(asked["nowhere"][code] for code in language if code in asked["nowhere"])
        report_foreign(asker, name, [(question, book) for question in everyday])


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--home", type=Path, help="keep the store here")
    parser.add_argument("--show", action="store_true", help="print the questions and quotes")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=options.home or Path(folder), embedder="none")
        with Session.open(settings) as session:
            asker = Asker(session, options.show)
            reports = own_reports(asker, options.data)
            read = articles(session, options.data, Path(folder))
            own_articles(asker, read)
            foreign(asker, options.data, list(reports.values()), read)
            books(asker, options.data)
            print(f"{asker.cpu_s / max(1, asker.asked):.3f} CPU s a question")


if __name__ == "__main__":
    main()
