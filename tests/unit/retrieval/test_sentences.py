"""Sentences, list items, headings and rows, with exact offsets."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lcagent.retrieval.sentences import LONGEST_SENTENCE, sentences

PIECES = [
    "The dog barked. ", "Mr. Fox ran", ", and\nthen it", " rained!\r\n", "\n\n",
    "• item\n", "1. one\n",
    "\r\n",     "中文。", "“好！”", "A | B\n", "Sales 5 6\n", "HEADING\n", "...", " so ", "3.5",
    "\t", "\xa0", "\r", "? ", "؟ نعم",
]  # fmt: skip


def cut(text: str, language: str | None = None) -> list[str]:
    return [text[start:end] for start, end in sentences(text, language)]


@pytest.mark.parametrize(
    ("language", "parts"),
    [
        ("en", ["Mr. Fox paid No. 5 Ltd. about 3.50 dollars.", "Did he?", "Yes!"]),
        ("en", ["The U.S. market grew, e.g. in Maine.", "It fell later."]),
        ("en", ["She works for Acme Inc. in Ohio.", "They moved in the U.S.", "The rest stayed."]),
        ("en", ["J. K. Rowling wrote it.", "“Really?” he asked.", "He left... and came back."]),
        ("en", ['He said: "Go!"', "(She went.)", "No.", "Never."]),
        ("de", ["Am 3. Mai kam Dr. Huber, z.B. mit Frau Ott bzw. Sohn.", "Er ging."]),
        ("fr", ["M. Dupont est là.", "Mme. Curie aussi !", "« Oui. »", "Elle part."]),
        ("ar", ["مرحبا بك.", "كيف حالك؟", "أنا بخير۔", "شكرا"]),
    ],
)
def test_a_full_stop_ends_a_sentence_only_where_one_ends(language: str, parts: list[str]) -> None:
    assert cut(" ".join(parts), language) == parts


@pytest.mark.parametrize(
    "parts", [["我来了。", "你好吗？", "“好！”", "再见"], ["行った。", "何？", "「はい。」"]]
)
def test_chinese_and_japanese_need_no_blank_between_sentences(parts: list[str]) -> None:
    assert cut("".join(parts)) == parts


def test_a_wrapped_line_is_no_border_and_a_blank_line_is() -> None:
    parts = ["a sentence that is wrapped\r\nover two lines", "another that stops without a mark"]
    assert cut("\r\n\r\n".join(parts)) == parts


def test_a_heading_stands_alone_without_blank_lines() -> None:
    text = (
        "it was not to be endured by anybody in the whole of that county. \r\nChapter 5 \r\n"
        "Within a short walk of Longbourn lived a family with whom the Bennets were \r\nintimate."
    )
    assert cut(text)[1] == "Chapter 5"


def test_a_short_last_line_of_a_paragraph_is_no_heading() -> None:
    text = "This sentence is wrapped after many words, because it visits\nNew York\nRome and Bern."
    assert cut(text) == [text]


def test_items_are_units_with_their_wrapped_lines() -> None:
    parts = [
        "We sell:",
        "• apples",
        "• pears that are\ngrown here",
        "1. One",
        "2. Two",
        "(a) three",
    ]
    assert cut("\n".join(parts)) == parts


def test_rows_are_units() -> None:
    parts = [
        "Name | Age",
        "Tom | 5",
        "Net sales 34,229 35,355",
        "Effective rate 23.4 % 35.5 %",
        "Done.",
    ]
    assert cut("\n".join(parts)) == parts


def test_a_line_of_prose_with_numbers_is_no_row() -> None:
    text = "The charge of $105 million in 2018\nand of $96 million in 2017 was paid."
    assert cut(text) == [text]


@pytest.mark.parametrize("joint", ["; ", ": ", ", ", " ", "，", ""])
def test_a_sentence_that_is_too_long_is_cut(joint: str) -> None:
    text = joint.join(["word" * 20] * 60)
    assert all(end - start <= LONGEST_SENTENCE for start, end in sentences(text))
    assert joint.strip() in cut(text)[0][-1]


@example("\x1f")
@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join) | st.text(max_size=200))
def test_only_white_space_is_left_out(text: str) -> None:
    spans = sentences(text)
    borders = [0, *(border for span in spans for border in span), len(text)]
    assert borders == sorted(borders)
    assert all(start < end and text[start:end] == text[start:end].strip() for start, end in spans)
    assert not "".join(text[a:b] for a, b in zip(borders[::2], borders[1::2], strict=True)).strip()


def test_nothing_has_no_sentences() -> None:
    assert sentences(" \r\n\n ") == []
