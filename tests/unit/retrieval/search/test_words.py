"""The terms of a text."""

import pytest

from lcagent.retrieval.search.words import Analyzer


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
