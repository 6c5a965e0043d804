"""The questions of benchmarks/answers.py: where they come from, and where their answers stand."""

import json
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).parents[1] / "examples"
SAMPLE = EXAMPLES / "sample.pdf"
TABLE = Path(__file__).with_name("answers_questions.toml")


@dataclass(frozen=True, slots=True)
class Question:
    """A question with its answer.

    Attributes:
        group: "sample", "chapter", "multihop", "novel" or "filing".
        kind: Such as "table"; "not_in_document" where there is no answer.
        gold: Ways to say the answer, the parts of each; none where there is none.
        pages: Physical pages, from 1, that a citation may stand on.
        place: Regular expression of sections or quotes that a citation may have instead.
    """

    id: str
    group: str
    kind: str
    question: str
    document: Path
    gold: tuple[tuple[str, ...], ...] = ()
    pages: frozenset[int] = frozenset()
    place: str = ""

    @property
    def has_answer(self) -> bool:
        """Whether the document says it."""
        return bool(self.gold)

    def is_place(self, page: int | None, section: str | None, quote: str) -> bool:
        """Say whether a citation stands where the answer is."""
        if page is not None and self.pages:
            return page in self.pages
        return bool(self.place) and bool(re.search(self.place, f"{section or ''}\n{quote}"))


def all_questions(data: Path | None, texts: Path) -> list[Question]:
    """Return all questions whose documents are here; texts made of data sets go into `texts`."""
    table = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    sample = [*_of_sample(table["sample"]), *_own(table["own"])]
    found = [*sample, *_of_chapters(table["chapters"], sample)]
    if data is not None:
        found += _multihop(table["multihop"], data / "multihop", texts)
        found += _novels(table["book"], data / "books")
        found += _filings(table["filing"], data / "financebench")
    return found


def _ways(gold: Sequence[Any]) -> tuple[tuple[str, ...], ...]:
    return tuple((way,) if isinstance(way, str) else tuple(way) for way in gold)


def _of_sample(gold: dict[str, list[Any]]) -> Iterator[Question]:
    text = (EXAMPLES / "sample" / "questions.toml").read_text(encoding="utf-8")
    for row in tomllib.loads(text)["questions"]:
        ways, pages = _ways(gold.get(row["id"], ())), frozenset(row["pages"])
        yield Question(row["id"], "sample", row["kind"], row["question"], SAMPLE, ways, pages)


def _own(rows: Sequence[dict[str, Any]]) -> Iterator[Question]:
    for row in rows:
        ways = _ways(row.get("gold", ()))
        pages = frozenset(_pages_with(row["quote"])) if ways else frozenset[int]()
        yield Question(row["id"], "sample", row["kind"], row["question"], SAMPLE, ways, pages)


def _pages_with(quote: str) -> list[int]:
    return [number for number, text in enumerate(_sample_pages(), 1) if quote in text]


@cache
def _sample_pages() -> tuple[str, ...]:
    import pypdfium2 as pdfium  # noqa: PLC0415 -- only where questions name no pages

    with pdfium.PdfDocument(SAMPLE) as document:
        texts = (page.get_textpage().get_text_range() for page in document)
        return tuple(" ".join(text.replace("\ufffe", "").split()) for text in texts)


def _of_chapters(chapters: dict[str, list[str]], sample: Sequence[Question]) -> Iterator[Question]:
    by_id = {question.id: question for question in sample}
    for name, ids in chapters.items():
        for asked in map(by_id.__getitem__, ids):
            place = "|".join(re.escape(part) for way in asked.gold for part in way)
            document = EXAMPLES / "sample" / name
            yield Question(
                f"{name}:{asked.id}",
                "chapter",
                asked.kind,
                asked.question,
                document,
                asked.gold,
                place=place,
            )


def _multihop(table: dict[str, Any], folder: Path, texts: Path) -> Iterator[Question]:
    for name in ("hotpotqa_dev_200", "musique_200"):
        path = folder / f"{name}.jsonl"
        if not path.is_file():
            continue
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        places = {row.get("_id") or row["id"]: number for number, row in enumerate(rows)}
        for number in (places[identity] for identity in table[name]):
            row = rows[number]
            document = texts / f"{name}-{number}.md"
            document.write_text(_text_of(rows, number, table["characters"]), encoding="utf-8")
            golds = [row["answer"], *row.get("answer_aliases", ())]
            titles = "|".join(re.escape(t) for t, _, is_gold in _paragraphs(row) if is_gold)
            kind = "comparison" if row.get("type") == "comparison" else "two_hop"
            identity = f"{name}-{number}"
            place = f"^(?:.* > )?(?:{titles})\n"
            yield Question(
                identity, "multihop", kind, row["question"], document, _ways(golds), place=place
            )


def _text_of(rows: Sequence[dict[str, Any]], number: int, characters: int) -> str:
    """Return a row's paragraphs, then those of later rows until the text is long enough.

    The row's own are spread over the text, as they are not in the data.
    """
    own = {title: text for title, text, _ in _paragraphs(rows[number])}
    size, others = sum(map(len, own.values())), dict[str, str]()
    for row in (*rows[number + 1 :], *rows[:number]):
        for title, text, _ in _paragraphs(row):
            if size < characters and title not in own and title not in others:
                others[title] = text
                size += len(text)
    ordered = sorted({**own, **others}.items())
    return "\n\n".join(f"# {title}\n\n{text}" for title, text in ordered) + "\n"


def _paragraphs(row: dict[str, Any]) -> list[tuple[str, str, bool]]:
    if "paragraphs" in row:
        return [(p["title"], p["paragraph_text"], p["is_supporting"]) for p in row["paragraphs"]]
    support = {title for title, _ in row["supporting_facts"]}
    return [(title, "".join(parts), title in support) for title, parts in row["context"]]


def _novels(rows: Sequence[dict[str, Any]], folder: Path) -> Iterator[Question]:
    for number, row in enumerate(rows):
        document = folder / row["document"]
        if document.is_file():
            identity = f"{document.stem}-{number}"
            yield Question(
                identity,
                "novel",
                "fact",
                row["question"],
                document,
                _ways(row["gold"]),
                place=row["place"],
            )


def _filings(gold: dict[str, list[Any]], folder: Path) -> Iterator[Question]:
    path = folder / "questions.jsonl"
    if not path.is_file():
        return
    for row in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
        document = folder / "pdfs" / f"{row['doc_name']}.pdf"
        if row["financebench_id"] in gold and document.is_file():
            pages = frozenset(int(each["evidence_page_num"]) + 1 for each in row["evidence"])
            ways = _ways(gold[row["financebench_id"]])
            identity = row["financebench_id"]
            yield Question(identity, "filing", "fact", row["question"], document, ways, pages)
