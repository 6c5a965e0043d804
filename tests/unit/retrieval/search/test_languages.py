"""Which language a text is in, and what of a question says nothing."""

import pytest

from lcagent.documents import Document, Page
from lcagent.retrieval.search.analysis import (
    detect_language,
    document_language,
    stop_terms,
    without_stop_phrases,
)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("It was not what they had said, and he knew that it was so.", "en"),
        ("Er wusste nicht, was sie gesagt hatten, und es war ihm auch gleich.", "de"),
        ("Il ne savait pas ce qu'elles avaient dit, et cela lui était égal.", "fr"),
        ("他不知道她们说了什么，也不在乎。", "zh"),
        ("彼は彼女たちが何を言ったか知らなかった。", "ja"),
        ("لم يكن يعرف ما قالوه ولم يهتم بذلك", "ar"),
        ("Он не знал, что они сказали, и ему было всё равно.", "ru"),
        ("12 34 56", None),
        ("", None),
    ],
)
def test_a_text_tells_its_language(text: str, language: str | None) -> None:
    assert detect_language(text) == language


def test_what_a_document_declares_wins() -> None:
    page = Page(0, "It was not what they had said, and he knew that it was so.", 1)
    assert document_language(Document("a", "n", "m", "r", (page,), language="de-AT")) == "de"


def test_question_words_say_nothing() -> None:
    assert {"what", "is", "the"} <= stop_terms("en")
    assert "lamp" not in stop_terms("en")
    assert without_stop_phrases("林黛玉的母亲是谁？", "zh").split() == ["林黛玉", "母亲", "？"]


def test_words_that_only_ask_are_no_content() -> None:
    assert {"gibt", "viel"} <= stop_terms("de")
    assert without_stop_phrases("島はどれくらいですか", "ja").split() == ["島"]
    assert without_stop_phrases("木星有几颗卫星？", "zh").split() == ["木星有", "颗卫星？"]
