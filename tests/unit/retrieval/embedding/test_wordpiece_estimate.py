"""The estimate against the real tokenizer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lcagent.retrieval.embedding.minilm import MiniLM
from lcagent.retrieval.embedding.wordpiece_estimate import WordPieceEstimate

ENGLISH = """The Company's net revenue, which increased 9 percent, reflects effective pricing and
organic volume growth; see Note 14 to our consolidated financial statements. He found her asleep
beneath an old oak tree, and nobody dared to speak of what had happened that winter."""
GERMAN = """Die Bundesregierung hat am Mittwoch die Neufassung des Verbraucherschutzgesetzes
beschlossen, das Unternehmen zu mehr Transparenz gegenüber ihren Kunden verpflichtet. Änderungen
betreffen Rückzahlungsansprüche, Gewährleistungsfristen und die Straßenverkehrsordnung nicht."""
CHINESE = "公司2022年净收入增长了百分之九，主要由于有效定价和销量的增长。他在树下睡着了。"
ARABIC = "ارتفع صافي إيرادات الشركة بنسبة تسعة في المئة مُقارنةً بالعام السابق، ولم يتكلم أحد."
OTHERS = "한국어 문장입니다. これは日本語の文です。 Выручка компании выросла. η εταιρεία अनुच्छेद"
TABLE = (
    "$ 5,363 $ (4,869) 12.5% 1,577.00 2018—2022 10-K FY2019 3M §5(b)(iii) € 1.234,56 •••• 1/2 ½ ²"
)

SCRIPTS = (ENGLISH, GERMAN, CHINESE, ARABIC, OTHERS, TABLE)
WORDS = [word for text in SCRIPTS for word in text.split()]


@pytest.mark.parametrize("text", SCRIPTS)
def test_running_text_never_has_more_pieces_than_estimated(minilm: MiniLM, text: str) -> None:
    assert minilm.count_tokens([text])[0] <= WordPieceEstimate().count_tokens([text])[0]


@given(words=st.lists(st.sampled_from(WORDS), min_size=20))
def test_words_in_any_order_never_have_more(minilm: MiniLM, words: list[str]) -> None:
    text = " ".join(words)
    assert minilm.count_tokens([text])[0] <= WordPieceEstimate().count_tokens([text])[0]


@given(st.text("0123456789.,-$%() /", max_size=200))
def test_numbers_never_have_more(minilm: MiniLM, text: str) -> None:
    assert minilm.count_tokens([text])[0] <= WordPieceEstimate().count_tokens([text])[0]


def test_english_is_estimated_at_most_at_two_and_a_half_times(minilm: MiniLM) -> None:
    assert WordPieceEstimate().count_tokens([ENGLISH])[0] <= 2.5 * minilm.count_tokens([ENGLISH])[0]
