"""What a question of a tree is shown: passages of several queries, none twice, within its room."""

import math
import random
from collections import Counter

import pytest

from lcagent.agents.probtree.passage_retriever import BudgetedRetriever, RetrievalQuery
from lcagent.documents import Document, Page
from lcagent.retrieval.search.retriever import InMemoryCorpus

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


def _retriever(documents: list[Document], room: int = 100_000) -> BudgetedRetriever:
    by_id = {document.id: document for document in documents}
    return BudgetedRetriever(InMemoryCorpus(documents), by_id, room=lambda _: room, count=len)


@pytest.mark.parametrize("seed", range(5))
async def test_a_query_gives_the_best_pages_with_labels_in_order(seed: int) -> None:
    documents = _documents(seed)
    query = " ".join(random.Random(seed).choices(WORDS, k=4))  # noqa: S311
    found = await _retriever(documents).retrieve([RetrievalQuery(query, 5)])
    assert [one.page.page_index for one in found] == _best(documents, query, 5)
    assert [one.label for one in found] == ["S1", "S2", "S3", "S4", "S5"]


async def test_several_queries_give_no_page_twice() -> None:
    documents = _documents()
    first, second = "wa1 wb2 wc3", "wb2 wc3 wd4"
    found = await _retriever(documents).retrieve(
        [RetrievalQuery(first, 5), RetrievalQuery(second, 3)]
    )
    wanted = [*_best(documents, first, 5), *_best(documents, second, 3)]
    assert [one.page.page_index for one in found] == list(dict.fromkeys(wanted))


async def test_no_more_is_shown_than_there_is_room_for() -> None:
    found = await _retriever(_documents(), room=400).retrieve([RetrievalQuery("wa1 wb2", 5)])
    assert 1 <= len(found) < 5
    assert sum(len(one.text) for one in found) <= 400


async def test_what_shares_no_word_is_not_found() -> None:
    query = [RetrievalQuery("nothing like it", 5)]
    assert await _retriever(_documents()).retrieve(query) == []
    assert await _retriever([]).retrieve(query) == []
