"""One spelling for what is printed in many ways, and the way back to the source."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lcagent.retrieval.quotes.normalizing import normalize, on_one_line

PIECES = [
    "the ", "profit", "\ufb01nance", "ﬃ", "\u00ad", "-\n", "\ufffe", "\x02\r\n",
    "\r\n", "\xa0", " ", "“", "’",
    "—", "--", "e\u0301", "中文", "，", "かﾞ", "\u200b", "\u202e", "مُ", "ـ", "ß",
    "½", "İ", "1,234", "\u1112\u1161\u11ab", "ö", "."
]  # fmt: skip


@pytest.mark.parametrize(
    ("printed", "meant"),
    [
        ("e\ufb03cient \ufb02ow of \ufb01nance", "efficient flow of finance"),
        ("inter-\nnational", "international"),
        ("inter-\r\n  national", "international"),
        ("adip\ufffeiscing", "adipiscing"),
        ("adip\ufffe\r\niscing", "adipiscing"),
        ("adip\x02\r\niscing", "adipiscing"),
        ("adip\x02iscing", "adipiscing"),
        ("so\u00adft and so\u00ad\nft", "soft and soft"),
        ("COVID-\n19 and Non-\nGAAP", "COVID-19 and Non-GAAP"),
        ("2017\ufffe2018", "2017-2018"),
        ("short-\nand long-term", "short- and long-term"),
        ("short\ufffeand long-term", "short- and long-term"),
        ('“don’t” ‘do’ «it» „now“ "please"', "'don't' 'do' 'it' 'now' 'please'"),
        ("2017–2018 − 5 ‑ x", "2017-2018 - 5 - x"),
        ("he came — she went -- all left", "he came-she went-all left"),
        ("$ — $ 5", "$ - $ 5"),
        ("a\u00a0b\u2003c \t\r\n d", "a b c d"),
        ("a\u200bb \u200b c\ufeff", "ab c"),
        ("我们，\r\n走吧 你好\n吗", "我们,走吧你好吗"),
        ("日本語 の\nABC 文", "日本語の ABC 文"),
        ("مُحَمَّدٌ مـحمد", "محمد محمد"),
        ("abc\u202e\u2066def\u200f", "abcdef"),
        ("cafe\u0301", "café"),
        ("\u1112\u1161\u11ab", "한"),
        ("ｶﾞｽ ＡＢＣ", "ガス ABC"),
    ],
)
def test_two_spellings_of_a_text_become_one(printed: str, meant: str) -> None:
    assert normalize(printed).text == meant


def test_case_is_kept_unless_the_caller_folds_it() -> None:
    assert normalize("Die Straße").text == "Die Straße"
    assert normalize("Die Straße", casefold=True).text == "die strasse"


@pytest.mark.parametrize(
    ("source", "wanted", "original"),
    [
        ("an e\ufb03cient one", "efficient", "e\ufb03cient"),
        ("an inter-\r\nnational one", "international", "inter-\r\nnational"),
        ("a cafe\u0301 here", "café", "cafe\u0301"),
        ("die Straße hier", "strasse", "Straße"),
        ("我们，\r\n走吧", ",走", "，\r\n走"),
    ],
)
def test_a_span_maps_back_to_the_characters_it_came_from(
    source: str, wanted: str, original: str
) -> None:
    normalized = normalize(source, casefold=True)
    start = normalized.text.index(wanted)
    first, last = normalized.source_span(start, start + len(wanted))
    assert source[first:last] == original


def test_an_empty_span_has_no_place_in_the_source() -> None:
    with pytest.raises(ValueError, match="empty"):
        normalize("some text").source_span(3, 3)


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join) | st.text(max_size=60))
def test_every_character_has_an_ascending_offset_inside_the_source(source: str) -> None:
    normalized = normalize(source)
    offsets = normalized.offsets.tolist()
    assert len(offsets) == len(normalized.text)
    assert offsets == sorted(offsets)
    assert all(0 <= offset < len(source) for offset in offsets)


@given(
    st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126, exclude_characters="\"`'-"))
)
def test_plain_text_differs_in_blanks_only(source: str) -> None:
    assert normalize(source).text.split() == source.split()


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_composed_and_decomposed_sources_compare_equal(source: str) -> None:
    composed, decomposed = (unicodedata.normalize(form, source) for form in ("NFC", "NFD"))
    assert normalize(composed).text == normalize(decomposed).text


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_folding_case_keeps_the_places(source: str) -> None:
    folded = normalize(source, casefold=True)
    assert folded.text == normalize(source).text.casefold()
    assert len(folded.offsets) == len(folded.text)


def test_a_line_break_inside_chinese_is_not_shown_as_a_blank() -> None:
    assert on_one_line("他住在灯\n    塔里， \n三十年。") == "他住在灯塔里，三十年。"
    assert on_one_line("第六回 老人\n  Hector\nVance") == "第六回 老人 Hector Vance"


@given(st.text(alphabet="ab 灯塔。\n\t", max_size=40))
def test_only_white_space_is_lost_on_one_line(text: str) -> None:
    shown = on_one_line(text)
    assert "".join(shown.split()) == "".join(text.split())
    assert "\n" not in shown
