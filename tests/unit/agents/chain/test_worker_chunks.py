"""Chunks for workers: everything exactly once, in order, and never over the budget."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lcagent.agents.chain.worker_chunks import halve_chunk, split_for_workers
from lcagent.documents import Document, Page
from lcagent.selection import parse_pages

TEXTS = st.lists(
    st.one_of(
        st.text(max_size=120),
        st.sampled_from(["红楼梦第一回。" * 30, "a" * 400, "One two. Three!\n\n" * 20, " \n\t"]),
    ),
    max_size=4,
)


def count(text: str) -> int:
    """Count as a byte-level tokenizer might."""
    return -(-len(text.encode("utf-8", "surrogatepass")) // 3)


def _document(texts: list[str], name: str = "book") -> Document:
    pages = tuple(Page(index, text, index + 1) for index, text in enumerate(texts))
    return Document(name * 8, name, "text/plain", "text/1", pages)


@pytest.mark.slow
@given(texts=TEXTS, budget=st.integers(8, 300))
def test_every_character_is_in_exactly_one_chunk_in_order(texts: list[str], budget: int) -> None:
    document = _document(texts)
    segments = [
        segment
        for chunk in split_for_workers([document], budget, count)
        for segment in chunk.segments
    ]
    for page in document.pages:
        mine = [segment for segment in segments if segment.span.page_index == page.index]
        assert "".join(segment.text for segment in mine) == page.text
        assert all(page.text[one.span.start : one.span.end] == one.text for one in mine)
    places = [(segment.span.page_index, segment.span.start) for segment in segments]
    assert places == sorted(places)


@given(texts=TEXTS, budget=st.integers(8, 300))
def test_no_chunk_is_over_the_budget_nor_empty(texts: list[str], budget: int) -> None:
    for chunk in split_for_workers([_document(texts)], budget, count):
        assert sum(count(segment.text) for segment in chunk.segments) <= budget
        assert chunk.text


def test_chunks_are_as_full_as_sentences_allow() -> None:
    text = "A sentence of about forty characters, yes. " * 200
    chunks = split_for_workers([_document([text])], 100, count)
    assert len(chunks) <= count(text) / (0.8 * 100) + 1


def test_no_chunk_reaches_over_the_end_of_a_document() -> None:
    chunks = split_for_workers([_document(["One."], "a"), _document(["Two."], "b")], 100, count)
    assert [chunk.text for chunk in chunks] == ["One.", "Two."]


def test_only_selected_pages_are_read() -> None:
    document = _document(["One.", "Two.", "Three."])
    (chunk,) = split_for_workers([document], 100, count, parse_pages("2-3"))
    assert [ref.page_index for ref in chunk.pages] == [1, 2]


def test_a_long_sentence_is_cut_between_words_where_there_are_any() -> None:
    chunks = split_for_workers([_document(["word " * 100])], 10, count)
    assert all(chunk.text.endswith("word ") for chunk in chunks)


@given(text=st.text(min_size=2, max_size=200))
def test_two_halves_are_the_whole(text: str) -> None:
    (chunk,) = split_for_workers([_document([text, "More."])], 10_000, count)
    halves = halve_chunk(chunk)
    assert halves is not None
    texts = [segment.text for half in halves for segment in half.segments]
    assert "".join(texts) == text + "More."
    assert all(half.text for half in halves)


@pytest.mark.parametrize("text", ["x", "红"])
def test_a_single_character_has_no_halves(text: str) -> None:
    (chunk,) = split_for_workers([_document([text])], 10, count)
    assert halve_chunk(chunk) is None
