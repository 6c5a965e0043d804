"""A corpus of the caller's own is searched as BM25 says, counted again here on its own."""

import math
import random
from collections import Counter

import pytest

from lcagent.documents import Document, Page
from lcagent.retrieval.search.retriever import InMemoryCorpus
from lcagent.selection import parse_pages

pytestmark = pytest.mark.anyio

WORDS = [f"w{letter}{number}" for letter in "abcdef" for number in range(8)]


def _documents(seed: int = 1) -> list[Document]:
    chance = random.Random(seed)  # noqa: S311
    texts = [" ".join(chance.choices(WORDS, k=chance.randint(8, 60))) for _ in range(40)]
    pages = tuple(Page(at, text, section=f"Part {at}") for at, text in enumerate(texts))
    return [Document("d", "corpus.txt", "text/plain", "test/1", pages)]


def _best(documents: list[Document], query: str, top_k: int) -> list[int]:
    """Return the best pages by BM25 with k1 = 1.2 and b = 0.75, as its formula is printed."""
    texts = [f"part {page.index} {page.text}".split() for page in documents[0].pages]
    average = sum(map(len, texts)) / len(texts)
    scores: list[float] = []
    for text in texts:
        counts = Counter(text)
        score = 0.0
        for term in set(query.split()):
            holding = sum(term in other for other in texts)
            idf = math.log(1 + (len(texts) - holding + 0.5) / (holding + 0.5))
            length = 1 - 0.75 + 0.75 * len(text) / average
            score += idf * counts[term] / (counts[term] + 1.2 * length)
        scores.append(score)
    order = sorted(range(len(texts)), key=lambda at: (-scores[at], at))
    return [at for at in order if scores[at] > 0][:top_k]


@pytest.mark.parametrize("seed", range(5))
async def test_a_corpus_finds_what_bm25_ranks_highest(seed: int) -> None:
    documents = _documents(seed)
    query = " ".join(random.Random(seed).choices(WORDS, k=4))  # noqa: S311
    found = await InMemoryCorpus(documents).search(query, top_k=5)
    assert [one.page.index for one in found.passages] == _best(documents, query, 5)
    assert [one.lexical_rank for one in found.passages] == [1, 2, 3, 4, 5]


async def test_what_shares_no_word_is_not_found() -> None:
    found = await InMemoryCorpus(_documents()).search("nothing like it")
    assert found.passages == ()
    assert found.query.absent == {"nothing", "like", "it"}
    assert (await InMemoryCorpus([]).search("nothing")).passages == ()


async def test_only_selected_pages_of_a_corpus_are_found() -> None:
    found = await InMemoryCorpus(_documents()).search("part", pages=parse_pages("2-4"))
    assert sorted(one.page.index for one in found.passages) == [1, 2, 3]
    assert (found.chunks, found.chunks_read) == (40, 3)
