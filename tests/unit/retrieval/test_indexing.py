"""Searching: by words, by meaning, over collections, in other languages."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lcagent.documents import Document, Page
from lcagent.errors import MissingExtra
from lcagent.retrieval.embedding.choose import EmbedderChoice
from lcagent.retrieval.embedding.embedder import EmbeddingProgress, Vectors, unit
from lcagent.retrieval.indexing import MAX_BYTES, Indexer
from lcagent.retrieval.search import index as index_module
from lcagent.selection import parse_pages
from lcagent.storage.database import Database, open_database
from lcagent.storage.document_store import DocumentStore
from lcagent.storage.search_store import SearchStore

pytestmark = pytest.mark.anyio

SEA = "The sea was grey and the wind blew from the west on most days of the long winter. "
SYNONYMS = {"boat": 0, "ferry": 0, "vessel": 0, "lamp": 1, "light": 1}


class TopicEmbedder:
    """An embedder for which synonyms are the same, and which counts the texts it is given."""

    id = "topics"
    dimension = 3
    max_tokens = 1_000

    def __init__(self) -> None:
        self.embedded: list[str] = []

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) + 2 for text in texts]

    def embed_query(self, text: str) -> Vectors:
        vector = np.array([0.0, 0.0, 0.1], dtype=np.float32)
        for word in text.lower().replace(".", " ").split():
            if word in SYNONYMS:
                vector[SYNONYMS[word]] += 1
        return unit(vector)

    def embed(self, texts: Sequence[str], progress: EmbeddingProgress | None = None) -> Vectors:
        del progress
        self.embedded.extend(texts)
        return np.stack([self.embed_query(text) for text in texts])


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path / 'store.db'}")
    yield opened
    opened.close()


def _indexer(
    database: Database, embedder: TopicEmbedder | None = None, max_bytes: int = MAX_BYTES
) -> Indexer:
    choice = EmbedderChoice(embedder, None if embedder else "none is installed")
    return Indexer(DocumentStore(database), SearchStore(database), lambda: choice, max_bytes)


def _loaded(database: Database, document: Document) -> Document:
    loaded = DocumentStore(database).load(document.id)
    assert loaded is not None
    return loaded


def _stored(
    database: Database, *texts: str, key: str = "a", language: str = "en", name: str | None = None
) -> Document:
    pages = tuple(Page(index, text, index + 1) for index, text in enumerate(texts))
    document = Document(
        id=(key * 64)[:64],
        name=name or f"{key}.pdf",
        media_type="application/pdf",
        reader="pdf/1",
        pages=pages,
        language=language,
    )
    DocumentStore(database).save(document)
    return document


async def test_the_page_with_the_words_comes_first(database: Database) -> None:
    document = _stored(database, SEA * 3, f"{SEA}Hector Vance kept the lighthouse. {SEA}", SEA)
    found = await _indexer(database).over([document]).search("Who kept the lighthouse?")
    assert found.passages[0].page.number == 2
    assert "Hector Vance" in found.passages[0].text
    assert found.passages[0].lexical_rank == 1
    assert found.passages[0].dense_rank is None


async def test_pages_without_any_of_the_words_are_not_found(database: Database) -> None:
    document = _stored(database, SEA, SEA)
    found = await _indexer(database).over([document]).search("quantum chromodynamics")
    assert found.passages == ()
    assert found.query.absent == {"quantum", "chromodynam"}


async def test_headings_lead_to_a_bare_table(database: Database) -> None:
    table = "Cash Flows\nRent 1,200 1,300\nFuel 2,100 2,250\nWages 9,000 9,500"
    mention = f"{SEA}We say more about how cash flows and where it flows elsewhere. {SEA}"
    document = _stored(database, mention, SEA, table, SEA)
    found = await _indexer(database).over([document]).search("cash flows for fuel")
    assert found.passages[0].page.number == 3


async def test_only_selected_pages_are_returned(database: Database) -> None:
    document = _stored(database, "The lamp is red.", "The lamp is blue.", "The lamp is green.")
    found = await _indexer(database).over([document]).search("lamp", pages=parse_pages("2-"))
    assert {passage.page.number for passage in found.passages} == {2, 3}


async def test_several_documents_are_searched_as_one(database: Database) -> None:
    first = _stored(database, SEA, "The lamp of the pier is red.", key="a")
    second = _stored(database, SEA, SEA, "The keeper of the lamp is Hector Vance.", key="b")
    found = await _indexer(database).over([first, second]).search("keeper of the lamp")
    assert [(p.document_name, p.page.number) for p in found.passages][:2] == [
        ("b.pdf", 3),
        ("a.pdf", 2),
    ]
    assert found.chunks == 5


async def test_documents_in_two_languages_are_searched_together(database: Database) -> None:
    english = _stored(database, f"{SEA}The houses were white.", key="a", language="en")
    german = _stored(database, "Die Häuser standen am Meer.", key="b", language="de")
    indexer = _indexer(database)
    in_german = await indexer.over([english, german]).search("Haus am Meer")
    assert in_german.passages[0].document_name == "b.pdf"
    in_english = await indexer.over([english, german]).search("white house")
    assert in_english.passages[0].document_name == "a.pdf"


async def test_chinese_is_found_without_blanks(database: Database) -> None:
    document = _stored(database, "老人住在海边。", "林黛玉来到荣国府。", language="zh")
    found = await _indexer(database).over([document]).search("林黛玉是谁？")
    assert found.passages[0].page.number == 2


async def test_meaning_finds_what_words_miss(database: Database) -> None:
    document = _stored(database, SEA, "The ferry leaves at noon.", "The light burns all night.")
    by_words = await _indexer(database).over([document]).search("boat")
    assert by_words.passages == ()
    indexer = _indexer(database, TopicEmbedder())
    by_meaning = await indexer.over([document]).search("boat", vectors="needed")
    assert by_meaning.passages[0].page.number == 2
    assert by_meaning.passages[0].dense_rank == 1


async def test_stored_vectors_are_used_and_none_computed(database: Database) -> None:
    document = _stored(database, SEA, "The ferry leaves at noon.")
    embedder = TopicEmbedder()
    indexer = _indexer(database, embedder)
    assert (await indexer.over([document]).search("boat", vectors="stored")).passages == ()
    assert embedder.embedded == []
    await indexer.prepare([document], vectors=True)
    computed = len(embedder.embedded)
    found = await indexer.over([document]).search("boat", vectors="stored")
    assert found.passages[0].page.number == 2
    assert len(embedder.embedded) == computed


async def test_vectors_are_computed_once_for_the_same_text(database: Database) -> None:
    embedder = TopicEmbedder()
    first = _stored(database, SEA, "The ferry leaves at noon.", key="a")
    second = _stored(database, "Another page.", "The ferry leaves at noon.", key="b")
    await _indexer(database, embedder).prepare([first, second], vectors=True)
    await _indexer(database, embedder).prepare([first, second], vectors=True)
    assert len(embedder.embedded) == len(set(embedder.embedded)) == 3


async def test_only_promising_chunks_get_vectors(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_module, "CANDIDATE_CHUNKS", 3)
    pages = [f"{SEA}Page {number}." for number in range(20)]
    pages[7] = "The lamp of the pier was mended."
    document = _stored(database, *pages)
    embedder = TopicEmbedder()
    found = await _indexer(database, embedder).over([document]).search("lamp", vectors="needed")
    assert found.passages[0].page.number == 8
    assert len(embedder.embedded) == 3


async def test_asking_for_vectors_with_nothing_to_make_them_says_what_to_install(
    database: Database,
) -> None:
    document = _stored(database, SEA)
    with pytest.raises(MissingExtra, match=r"none is installed.*lcagent\[offline\]"):
        await _indexer(database).prepare([document], vectors=True)
    found = await _indexer(database).over([document]).search("sea", vectors="needed")
    assert found.notes == ("searched by words only: none is installed",)


async def test_many_questions_on_the_same_documents_build_one_index(database: Database) -> None:
    documents = [_stored(database, SEA, f"The lamp of pier {key} is red.", key=key) for key in "ab"]
    indexer = _indexer(database)
    retriever = indexer.over(documents)
    await asyncio.gather(*(retriever.search(f"lamp {number}") for number in range(8)))
    again = [_loaded(database, document) for document in documents]  # as another question would
    await indexer.over(again).search("lamp")
    assert indexer.built == 1
    assert await indexer.index(documents) is await indexer.index(again)


async def test_a_search_in_a_built_index_asks_the_store_for_nothing(database: Database) -> None:
    document = _stored(database, SEA, "The lamp is red.")
    index = await _indexer(database).index([document])
    database.close()
    found = await index.search("lamp")
    assert found.passages[0].page.number == 2


async def test_other_documents_another_order_and_recognised_pages_have_indexes_of_their_own(
    database: Database,
) -> None:
    first = _stored(database, SEA, "The lamp is red.", key="a")
    second = _stored(database, "The lamp is blue.", key="b")
    indexer = _indexer(database)
    for documents in ([first], [second], [first, second], [second, first]):
        await indexer.over(documents).search("lamp")
    assert indexer.built == 4
    recognised = replace(first.pages[0], text="A lamp, read from a picture.", is_ocr=True)
    DocumentStore(database).update_page(first.id, recognised)
    found = await indexer.over([_loaded(database, first)]).search("picture")
    assert found.passages[0].page.number == 1
    renamed = replace(second, name="other.pdf")
    assert (await indexer.over([renamed]).search("lamp")).passages[0].document_name == "other.pdf"
    assert indexer.built == 6


async def test_the_indexes_asked_last_are_kept_as_far_as_memory_is_given(
    database: Database,
) -> None:
    documents = [_stored(database, SEA * 20, f"Lamp {key}.", key=key) for key in "abc"]
    size = (await _indexer(database).index([documents[0]])).nbytes
    indexer = _indexer(database, max_bytes=int(2.5 * size))
    for document in documents:
        await indexer.index([document])
    assert indexer.built == 3
    await indexer.index([documents[1]])
    await indexer.index([documents[2]])
    assert indexer.built == 3
    await indexer.index([documents[0]])  # pushes out the one that was asked longest ago
    await indexer.index([documents[2]])
    assert indexer.built == 4
    await indexer.index([documents[1]])
    assert indexer.built == 5


async def test_an_index_that_exceeds_the_memory_serves_and_is_not_kept(database: Database) -> None:
    document = _stored(database, SEA, "The lamp is red.")
    indexer = _indexer(database, max_bytes=0)
    for _ in range(2):
        assert (await indexer.over([document]).search("lamp")).passages
    assert indexer.built == 2


async def test_a_kept_index_takes_up_vectors_that_are_stored_later(database: Database) -> None:
    document = _stored(database, SEA, "The ferry leaves at noon.", SEA.upper())
    mine = TopicEmbedder()
    indexer = _indexer(database, mine)
    assert (await indexer.over([document]).search("boat", vectors="stored")).passages == ()
    before = (await indexer.index([document])).nbytes
    await _indexer(database, TopicEmbedder()).prepare([document], vectors=True)  # as elsewhere
    found = await indexer.over([document]).search("boat", vectors="stored")
    assert found.passages[0].page.number == 2
    assert (indexer.built, mine.embedded) == (1, [])
    assert (await indexer.index([document])).nbytes > before


async def test_candidates_of_a_second_question_add_to_the_vectors_of_the_first(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_module, "CANDIDATE_CHUNKS", 2)
    pages = [f"The gale of day {number}." for number in range(6)]
    document = _stored(database, *pages, "The lamp of the pier.", "The ferry and the pier.")
    embedder = TopicEmbedder()
    indexer = _indexer(database, embedder)
    await indexer.over([document]).search("lamp pier", vectors="needed")
    assert len(embedder.embedded) == 2
    found = await indexer.over([document]).search("ferry gale", vectors="needed")
    assert len(embedder.embedded) == 3  # the page of the ferry was a candidate before
    assert found.passages[0].page.number == 8
    fresh = (
        await _indexer(database, embedder).over([document]).search("ferry gale", vectors="needed")
    )
    assert [p.score for p in found.passages] == pytest.approx([p.score for p in fresh.passages])


async def test_incomplete_chunks_are_cut_again(database: Database) -> None:
    document = _stored(database, SEA, "The lamp is red.")
    await _indexer(database).prepare([document])
    store = DocumentStore(database)
    chunker = _indexer(database).preparation.chunker
    store.save_chunks(chunker, store.load_chunks(chunker, document)[1:])
    found = await _indexer(database).over([document]).search("lamp")
    assert found.chunks == 2
    assert found.passages[0].page.number == 2


async def test_faults_of_the_store_are_named(database: Database) -> None:
    document = _stored(database, SEA, "The lamp is red.")
    indexer = _indexer(database)
    await indexer.prepare([document])
    assert list(indexer.problems_of(document)) == []
    store = DocumentStore(database)
    chunker = indexer.preparation.chunker
    store.save_chunks(chunker, store.load_chunks(chunker, document)[1:])
    assert list(indexer.problems_of(document)) == ["its chunks do not join back to its text"]


async def test_the_one_document_of_many_is_found(database: Database) -> None:
    documents = [
        _stored(database, f"{SEA}This is book {number}.", key=f"{number:02d}" * 32)
        for number in range(40)
    ]
    documents[33] = _stored(database, f"{SEA}The keeper was Hector Vance.", key="ee" * 32)
    found = await _indexer(database).over(documents).search("Which keeper was Hector Vance?")
    assert found.passages[0].span.document_id == documents[33].id
    assert found.chunks == 40


async def test_a_document_that_the_question_names_comes_first(database: Database) -> None:
    texts = [SEA, "The fuel of the year cost nine crowns."]
    for key, name in (("a", "petrel_2018"), ("b", "annis_2018"), ("c", "annis_2019")):
        _stored(database, *texts, key=key, name=f"{name}.pdf")
    store = DocumentStore(database)
    documents = [store.load(stored.id) for stored in store.listed()]
    found = (
        await _indexer(database)
        .over([one for one in documents if one])
        .search("What did the fuel of Annis cost in 2019?")
    )
    assert found.passages[0].document_name == "annis_2019.pdf"
