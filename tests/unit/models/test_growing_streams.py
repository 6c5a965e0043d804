"""Streams that say the text so far again and again; and ordinary ones that look like them."""

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lcagent.models.growing_streams import StreamedText

TEXT = "The lantern was lit by Osla Brand in 1911, and burned for ten years."
WORDS = [*[f"{word} " for word in TEXT.split()][:-1], "years."]


def _joined(*pieces: str, last: str | None = None) -> str:
    streamed = StreamedText()
    said = [new for piece in pieces for new in streamed.piece(piece)]
    if last is not None:
        said += streamed.piece(last, is_last=True)
    return "".join([*said, *streamed.end()])


def test_a_text_that_grows_is_said_once() -> None:
    grown = list(accumulate(WORDS))
    assert _joined(*grown) == TEXT
    assert _joined(*grown, last=TEXT) == TEXT
    assert _joined("", *grown, "") == TEXT


def test_a_text_that_grows_and_is_told_again_with_each_event_is_said_once() -> None:
    twice = [piece for piece in accumulate(WORDS) for _ in range(2)]
    assert _joined(*twice) == TEXT


@pytest.mark.parametrize("cut", [1, 2, 3, 5])
def test_a_text_that_grows_by_letters_and_is_short_is_said_once(cut: int) -> None:
    text = "Osla Brand"
    grown = [text[:end] for end in range(cut, len(text) + 1, cut)]
    assert _joined(*grown) == grown[-1]


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        (["1", "1"], "11"),
        (["1", "1", "1", "1", "1"], "11111"),
        (["ha", "haha"], "hahaha"),
        (["=", "==", "===="], "======="),
        (["a", "ardvark"], "aardvark"),
        (["no", ", no"], "no, no"),
        (["Yes", "Yes."], "Yes."),
        (["The", "The ferry"], "The ferry"),
        (["one"], "one"),
        ([], ""),
    ],
)
def test_a_few_pieces_are_joined_unless_they_are_one_text(pieces: list[str], text: str) -> None:
    assert _joined(*pieces) == text


@pytest.mark.parametrize("again", [TEXT, f"{TEXT}\n"])
def test_the_whole_text_behind_its_pieces_is_not_said_again(again: str) -> None:
    assert _joined(*WORDS, again) == TEXT
    assert _joined(*WORDS, last=again) == TEXT
    assert _joined(TEXT, again).strip() == TEXT


def test_a_text_without_the_reasoning_before_it_is_not_said_again() -> None:
    assert _joined("<think>hm</think>", *WORDS, last=TEXT) == f"<think>hm</think>{TEXT}"


def test_a_short_text_that_is_told_again_is_dropped_only_where_the_reply_ends() -> None:
    assert _joined("It ", "is.", last="It is.") == "It is."
    assert _joined("It ", "is.", "It is.") == "It is.It is."


def test_a_message_beside_the_pieces_adds_what_they_lack() -> None:
    streamed = StreamedText()
    said: list[str] = []
    for piece, whole in zip(WORDS, accumulate(WORDS), strict=True):
        said += [*streamed.piece(piece), *streamed.whole(whole)]
    assert "".join([*said, *streamed.end()]) == TEXT
    only_whole = StreamedText()
    said = [new for whole in accumulate(WORDS) for new in only_whole.whole(whole)]
    assert "".join([*said, *only_whole.end()]) == TEXT
    both_grow = StreamedText()
    said = []
    for whole in accumulate(WORDS):
        said += [*both_grow.piece(whole), *both_grow.whole(whole)]
    assert "".join([*said, *both_grow.end()]) == TEXT
    at_the_end = StreamedText()
    said = [new for piece in WORDS[:4] for new in at_the_end.piece(piece)]
    assert "".join([*said, *at_the_end.whole(TEXT), *at_the_end.end()]) == TEXT


def test_ordinary_pieces_are_handed_on_from_the_second_one() -> None:
    streamed = StreamedText()
    assert [streamed.piece(piece) for piece in WORDS[:3]] == [(), ("The ", "lantern "), ("was ",)]


@given(text=st.text(st.characters(codec="utf-8"), min_size=12), cuts=st.lists(st.integers(1, 9)))
def test_pieces_that_do_not_grow_are_the_text(text: str, cuts: list[int]) -> None:
    starts = [start for start in accumulate([0, *cuts]) if start < len(text)]
    pieces = [text[a:b] for a, b in zip(starts, [*starts[1:], len(text)], strict=True)]
    if len(pieces) > 1 and not pieces[1].startswith(pieces[0]) and pieces[-1] not in text[:-1]:
        assert _joined(*pieces) == text
