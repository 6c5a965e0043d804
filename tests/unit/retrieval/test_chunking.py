"""Cutting pages into chunks."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lcagent.documents import Document, Page
from lcagent.retrieval import chunking
from lcagent.retrieval.chunking import chunker_id, cut_chunks
from lcagent.retrieval.embedding.wordpiece_estimate import WordPieceEstimate


def _document(*texts: str) -> Document:
    pages = tuple(Page(index, text, index + 1) for index, text in enumerate(texts))
    return Document("a", "n", "m", "r", pages)


TEXTS = st.lists(
    st.one_of(
        st.text(max_size=400),
        st.text(st.sampled_from("ab .\n-。字"), max_size=3_000),
    ),
    max_size=4,
)


@given(texts=TEXTS)
def test_chunks_join_back_to_their_pages(texts: list[str]) -> None:
    chunks = cut_chunks(_document(*texts), WordPieceEstimate())
    for index, text in enumerate(texts):
        assert "".join(chunk.text for chunk in chunks if chunk.span.page_index == index) == text
    assert [chunk.index for chunk in chunks] == list(range(len(chunks)))
    assert all(texts[c.span.page_index][c.span.start : c.span.end] == c.text for c in chunks)


@given(texts=TEXTS)
def test_no_chunk_holds_more_than_it_may(texts: list[str]) -> None:
    tokenizer = WordPieceEstimate()
    for chunk in cut_chunks(_document(*texts), tokenizer):
        (count,) = tokenizer.count_tokens([chunk.text])
        is_one_word = len(chunking._RUN.findall(chunk.text)) <= 1
        assert is_one_word or count - 2 <= chunking.MAX_TOKENS


def test_chunks_are_cut_where_sentences_end() -> None:
    sentence = "The keeper walked down to the pier and counted the boats again. "
    chunks = cut_chunks(_document(sentence * 60), WordPieceEstimate())
    assert len(chunks) > 2
    assert all(chunk.text.endswith("again. ") for chunk in chunks)


def test_chinese_is_cut_at_its_own_full_stops() -> None:
    chunks = cut_chunks(_document("老人沿着海边慢慢地走回家去。" * 60), WordPieceEstimate())
    assert len(chunks) > 2
    assert all(chunk.text.endswith("。") for chunk in chunks)


class _LetterTokenizer:
    """Takes each letter for a token, with two special tokens for each text."""

    id = "letters"
    max_tokens = 1_000

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text) + 2 for text in texts]


def test_the_tokens_are_those_of_the_embedder() -> None:
    tokenizer = _LetterTokenizer()
    chunks = cut_chunks(_document("abcdefghi " * 100), tokenizer)
    assert {len(chunk.text) for chunk in chunks[:-1]} == {240}  # 24 words of 9 letters, no 25th
    assert chunker_id(tokenizer) != chunker_id(WordPieceEstimate())


@pytest.mark.parametrize("text", ["", " \n ", "x" * 5_000])
def test_pages_with_no_or_one_word(text: str) -> None:
    assert "".join(chunk.text for chunk in cut_chunks(_document(text), WordPieceEstimate())) == text
