"""Cutting long texts."""

from hypothesis import given
from hypothesis import strategies as st

from lcagent.retrieval.reading.parts import LONGEST, cut

PARAGRAPHS = "\n\n".join(f"Paragraph {number}. " + "word " * 200 for number in range(1, 21))


@given(st.lists(st.text(alphabet="ab .\n\u3000。\u0301"), max_size=40), st.integers(1, 900))
def test_the_pieces_join_back_to_the_text_and_none_is_too_long(
    words: list[str], times: int
) -> None:
    text = "".join(words) * times
    pieces = cut(text)
    assert "".join(text[piece.start : piece.end] for piece in pieces) == text
    assert all(piece.end - piece.start <= LONGEST for piece in pieces)


def test_a_text_of_the_longest_length_is_not_cut() -> None:
    assert len(cut("x" * LONGEST)) == 1


def test_a_cut_falls_between_paragraphs() -> None:
    starts = [PARAGRAPHS[piece.start :][:10] for piece in cut(PARAGRAPHS)]
    assert len(starts) > 2
    assert all(start.startswith("Paragraph ") for start in starts)


def test_pieces_say_which_paragraphs_they_hold() -> None:
    for piece in cut(PARAGRAPHS):
        first, last = piece.paragraphs.removeprefix("paragraphs ").split("-")
        text = PARAGRAPHS[piece.start : piece.end]
        assert text.startswith(f"Paragraph {first}.")
        assert f"Paragraph {last}." in text


def test_the_heading_is_not_counted_as_a_paragraph() -> None:
    heading = "CHAPTER I"
    assert cut(f"{heading}\n\nOne.\n\nTwo.", len(heading))[0].paragraphs == "paragraphs 1-2"


def test_without_paragraphs_a_cut_falls_between_sentences() -> None:
    text = "A sentence of some words. " * 1000
    assert all(text[piece.start :].startswith("A sentence") for piece in cut(text))


def test_chinese_sentences_end_without_a_space() -> None:
    text = "他说了很多话。" * 2000
    assert all(text[piece.start : piece.end].endswith("。") for piece in cut(text))


def test_a_cut_does_not_separate_a_letter_from_its_accent() -> None:
    text = "x" + "e\u0301" * 10_000
    assert all(text[piece.start] != "\u0301" for piece in cut(text))


def test_pieces_of_one_paragraph_have_different_names() -> None:
    names = [piece.paragraphs for piece in cut("x" * 20_000)]
    assert names[0] == "paragraph 1 (part 1 of 4)"
    assert len(set(names)) == len(names)


def test_lines_are_paragraphs_where_nothing_else_sets_them_off() -> None:
    text = "\n".join("A line that is a paragraph. " * 20 for _ in range(50))
    assert cut(text)[-1].paragraphs.endswith("-50")
