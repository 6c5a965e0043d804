"""Lexical search: BM25 as its formula says, tables, and the terms it is built from."""

from collections.abc import Sequence
from math import log

import bm25s
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lcagent.documents import Document, Page
from lcagent.retrieval.chunking import cut_chunks
from lcagent.retrieval.embedding.wordpiece_estimate import WordPieceEstimate
from lcagent.retrieval.search import bm25
from lcagent.retrieval.search.ranking import by_maximum, by_range, index_terms, ranks
from lcagent.retrieval.search.terms import DocumentTerms, extract_terms


def _terms(*texts: str, key: str = "a") -> DocumentTerms:
    pages = tuple(Page(index, text, section="s") for index, text in enumerate(texts))
    document = Document(key * 64, "n", "m", "r", pages, language="xx")  # no stemming
    return extract_terms(document, cut_chunks(document, WordPieceEstimate()))


def _bm25(pages: Sequence[Sequence[str]], question: Sequence[str]) -> list[float]:
    """Score pages by Lucene's formula, written out."""
    average = sum(map(len, pages)) / len(pages)
    scores = []
    for page in pages:
        score = 0.0
        for term in question:
            having = sum(term in other for other in pages)
            idf = log(1 + (len(pages) - having + 0.5) / (having + 0.5))
            count = page.count(term)
            norm = bm25.K1 * (1 - bm25.B + bm25.B * len(page) / average)
            score += idf * count / (count + norm)
        scores.append(score)
    return scores


WORDS = st.lists(st.sampled_from(["sea", "lamp", "pier", "gale", "crew"]), min_size=1, max_size=30)


@given(pages=st.lists(WORDS, min_size=2, max_size=6), question=WORDS)
def test_page_scores_are_bm25(pages: list[list[str]], question: list[str]) -> None:
    texts = [" ".join(["x."] * 3 + page) + "." for page in pages]
    index = index_terms([_terms(*texts)])
    known = [term for term in question if term in index.vocabulary]
    expected = _bm25([["x"] * 3 + page for page in pages], known)
    assert index.page_scores(known) == pytest.approx(expected, rel=1e-4, abs=1e-5)


@given(units=st.lists(st.lists(st.integers(0, 9), max_size=30), min_size=1, max_size=8))
def test_scores_are_those_of_the_library_bm25s(units: list[list[int]]) -> None:
    owners = np.repeat(np.arange(len(units), dtype=np.int32), list(map(len, units)))
    terms = np.array([term for unit in units for term in unit], dtype=np.int32)
    lengths = np.array(list(map(len, units)))
    ours = bm25.build(bm25.count(terms, owners, len(units)), lengths, 10)
    if not terms.size:  # which the library cannot index
        assert not ours.scores([0, 9]).any()
        return
    theirs = bm25s.BM25(k1=bm25.K1, b=bm25.B, method="lucene")
    theirs.scores = theirs.build_index_from_ids(list(range(10)), units, show_progress=False)
    theirs.nonoccurrence_array = None
    for question in ([0], [3, 5, 5], list(range(10))):
        expected = theirs.get_scores_from_ids(question)
        assert ours.scores(question) == pytest.approx(expected, rel=1e-6)


def test_an_index_of_two_documents_is_that_of_their_pages_together() -> None:
    first, second = ["the red lamp burns.", "the sea is calm."], ["a lamp on the pier fell."]
    together = index_terms([_terms(*first), _terms(*second, key="b")])
    as_one = index_terms([_terms(*first, *second)])
    question = ["lamp", "sea", "pier"]
    for ours, theirs in zip(together.scores(question), as_one.scores(question), strict=True):
        assert ours == pytest.approx(theirs)
    assert together.chunk_page.tolist() == as_one.chunk_page.tolist() == [0, 1, 2]


def test_terms_survive_the_store() -> None:
    terms = _terms("the red lamp.", "", "林黛玉 1,200 1,300")
    again = DocumentTerms.from_bytes(terms.to_bytes())
    assert again.vocabulary == terms.vocabulary
    assert again.terms.tolist() == terms.terms.tolist()
    assert again.segment_kind.tolist() == terms.segment_kind.tolist()
    assert (again.page_count, again.language) == (3, "xx")


@pytest.mark.parametrize("texts", [(), ("",), ("", " \n ")])
def test_documents_without_words_can_be_searched(texts: tuple[str, ...]) -> None:
    index = index_terms([_terms(*texts)])
    pages, chunks = index.scores(["lamp"])
    assert pages.tolist() == [0.0] * len(texts)
    assert not chunks.any()


def test_pages_with_tables_gain_when_the_question_speaks_of_what_tables_hold() -> None:
    table = "Fuel 2,100 2,250\nRent 1,200 1,300\nWages 9,000 9,500"
    prose = "The keeper walked to the pier and lit the lamp. " * 5
    index = index_terms([_terms(prose, table, prose)])
    about_tables = index.table_prior(["fuel", "rent"])
    assert about_tables[1] > 1.4
    assert about_tables[0] == 1.0
    assert index.table_prior(["keeper", "lamp"]).tolist() == [1.0, 1.0, 1.0]


def test_a_term_in_a_heading_counts_more_than_in_the_text() -> None:
    prose = "the keeper walked to the pier and then home again, and said nothing of it."
    headed = f"Cash Flows\n{prose} {prose}"
    spoken = f"{prose} so cash flows.\n{prose}"
    index = index_terms([_terms(headed, spoken, prose)])
    pages, chunks = index.scores(["cash", "flows"])
    assert chunks[0] == pytest.approx(chunks[1], rel=0.2)
    assert pages[0] > 1.3 * pages[1]


def test_two_numbers_are_no_table() -> None:
    index = index_terms([_terms("Fuel 2,100 2,250\nThe rest of the page is prose.", "No.")])
    assert index.table_share.tolist() == [0.0, 0.0]


def test_scaling_keeps_the_order_and_the_ends() -> None:
    scores = np.array([0.0, 2.0, 4.0])
    assert by_maximum(scores).tolist() == [0.0, 0.5, 1.0]
    assert by_range(np.array([-1.0, 0.0, 1.0])).tolist() == [0.0, 0.5, 1.0]
    assert by_maximum(np.zeros(2)).tolist() == by_range(np.ones(2)).tolist() == [0.0, 0.0]
    assert by_range(np.array([])).tolist() == []
    assert ranks(scores).tolist() == [3, 2, 1]
