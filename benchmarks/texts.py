"""What a model writes and summarizes is like: length, proof, repetition, headings, leftovers.

    python benchmarks/texts.py examples/sample.pdf --model smollm2 --base-url http://127.0.0.1:8080/v1

Three instructions (two of them from the document) and two summaries (the document, and a text of
our own with 20 facts). A repeated sentence is one that the text has said before; leftovers are what
no reader should see: tokens of templates, fences, labels, sentences of our prompts.
"""

import argparse
import asyncio
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import regex

from lcagent.agents.write.word_count import length_score
from lcagent.errors import LcagentError
from lcagent.pipelines import Session, summarize_async, write_async
from lcagent.results import Article, Result, Summary
from lcagent.retrieval.sentences import sentences
from lcagent.settings import load_settings

SHORT = 15
"""Characters; shorter sentences may well be said twice."""
_LEFTOVER = regex.compile(
    r"<\|[^|]*\|>|</?s>|```|\[INST\]|<\w+ [0-9a-f]{8}>|\bMain Point:|\bWord Count:|NOT_IN_DOCUMENT"
    r"|copied exactly|The plan of the whole text|Write (?:the )?paragraph"
)
OWN_TEXT = "\n\n".join(
    f"# {place}\n\nThe {thing} of {place} was built in {year} by {name}. It cost {cost} crowns."
    for place, thing, year, name, cost in (
        ("Ardle", "bridge", 1804, "Tam Orr", 310),
        ("Brask", "mill", 1811, "Ida Wynn", 725),
        ("Corrie", "harbour", 1838, "Jon Hale", 9_400),
        ("Dunmore", "tower", 1852, "Ewa Lind", 1_260),
        ("Eldby", "school", 1867, "Per Skov", 880),
        ("Farrow", "market hall", 1873, "Una Birk", 2_050),
        ("Glenay", "lighthouse", 1881, "Max Roth", 5_600),
        ("Holme", "library", 1894, "Lea Moor", 1_975),
        ("Iverby", "station", 1902, "Rob Tarn", 12_300),
        ("Jarrow", "dam", 1926, "Kit Dale", 48_000),
    )
)


@dataclass(frozen=True, slots=True)
class Row:
    """One text, measured."""

    name: str
    words: int
    target: int
    score: float
    claims: int
    supported: int
    repeated: int
    statements: int
    headings: int
    leftovers: int

    def line(self) -> str:
        """Return a row of a table."""
        length = f"{self.words} of {self.target} | {self.score:.0f}"
        proof = f"{self.supported} of {self.claims}"
        repeated = f"{self.repeated} of {self.statements}"
        cells = (self.name, length, proof, repeated, self.headings, self.leftovers)
        return f"| {' | '.join(map(str, cells))} |"


def measured(name: str, result: Result) -> Row:
    """Measure a text."""
    assert isinstance(result, Article | Summary)
    text = result.text
    said = [" ".join(text[first:last].split()).casefold() for first, last in sentences(text)]
    long = [one for one in said if len(one) > SHORT]
    return Row(
        name,
        result.words,
        result.target_words,
        length_score(result.target_words, result.words),
        len(result.claims),
        sum(claim.status == "supported" for claim in result.claims),
        len(long) - len(set(long)),
        len(long),
        len(regex.findall(r"(?m)^#{1,6} ", text)),
        len(_LEFTOVER.findall(text)),
    )


async def _results(
    document: Path, own: Path, model: str, base_url: str | None, session: Session
) -> AsyncIterator[tuple[str, Result | str]]:
    asked = {"model": model, "base_url": base_url, "use_cache": False, "session": session}
    work = (
        (
            "article, no sources",
            write_async("Write a 200-word article about lighthouses.", **asked),
        ),
        ("report", write_async("Write a 200-word report on the ferry.", document, **asked)),
        ("article", write_async("Write 150 words on who kept the light.", document, **asked)),
        ("summary", summarize_async(document, words=120, pages="1-8", **asked)),
        ("summary of our text", summarize_async(own, words=100, **asked)),
    )
    for name, awaitable in work:
        try:
            yield name, await awaitable
        except LcagentError as error:
            yield name, str(error)


async def _measure(document: Path, model: str, base_url: str | None) -> None:
    print("| text | words | S_l | supported | repeated sentences | headings | leftovers |")
    print("|---|---|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as home:
        own = Path(home) / "places.md"
        own.write_text(OWN_TEXT, encoding="utf-8")
        settings = load_settings(home=Path(home), embedder="none")
        async with Session.open(settings) as session:
            async for name, result in _results(document, own, model, base_url, session):
                is_text = isinstance(result, Result)
                print(measured(name, result).line() if is_text else f"| {name} | none: {result} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("document", type=Path)
    parser.add_argument("--model", required=True)
    parser.add_argument("--base-url")
    given = parser.parse_args()
    asyncio.run(_measure(given.document, given.model, given.base_url))
