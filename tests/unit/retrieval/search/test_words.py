"""The terms of a text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lcagent.retrieval.search.analysis import Analyzer


@pytest.mark.parametrize(
    ("text", "language", "terms"),
    [
        ("Revenue was $1,488.5 million", "en", ["revenu", "was", "1488.5", "million"]),
        ("PP&E and U.S. rates", "en", ["ppe", "and", "us", "rate"]),
        ("FY22 against FY2021", "en", ["2022", "against", "2021"]),
        ("the company's co-operation", "en", ["the", "compani", "co", "oper"]),
        ("inter-\nnational", "en", ["internat"]),
        ("Häuser, Haus", "de", ["haus", "haus"]),
        ("Andréy café", None, ["andrey", "cafe"]),
        ("黛玉葬花 A1", "zh", ["黛玉", "玉葬", "葬花", "a1"]),
        ("蓝", "zh", ["蓝"]),
        ("الكِتَابُ كتاب", "ar", ["كتاب", "كتاب"]),
        ("ﬁnance", "en", ["financ"]),
        ("", "en", []),
    ],
)
def test_terms(text: str, language: str | None, terms: list[str]) -> None:
    assert Analyzer(language).terms(text) == terms


def test_a_question_finds_another_form_of_its_word() -> None:
    analyzer = Analyzer("en")
    assert set(analyzer.terms("repairing lamps")) == set(analyzer.terms("repaired the lamp")) - {
        "the"
    }


def test_a_single_character_is_indexed_beside_the_pairs_but_pairs_are_looked_for() -> None:
    analyzer = Analyzer("zh")
    assert analyzer.terms("黛玉葬") == ["黛玉", "玉葬"]
    assert analyzer.indexed_terms("黛玉葬") == ["黛玉", "玉葬", "黛", "玉", "葬"]


@given(st.text(alphabet="島の灯台 abc1。", max_size=40))
def test_what_is_looked_for_is_always_among_what_is_indexed(text: str) -> None:
    analyzer = Analyzer("ja")
    assert set(analyzer.terms(text)) <= set(analyzer.indexed_terms(text))


def test_a_line_break_ends_no_chinese_word() -> None:
    assert Analyzer("zh").terms("林黛 \n玉葬花") == ["林黛", "黛玉", "玉葬", "葬花"]
    assert Analyzer("zh").terms("林黛。\n玉葬花") == ["林黛", "玉葬", "葬花"]
