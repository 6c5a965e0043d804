"""The confidence of a reply from the log-probabilities of its tokens."""

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lcagent.agents.probtree.confidence import (
    mean_logprob,
    mean_logprob_over,
    parse_stated_confidence,
    sample_agreement,
    weaker_method,
)
from lcagent.agents.probtree.explained_replies import parse_explained_reply
from lcagent.models.chat_model import TokenLogprob


def _tokens(pieces: Sequence[tuple[str | bytes, float]]) -> tuple[str, list[TokenLogprob]]:
    data = [(one.encode() if isinstance(one, str) else one, p) for one, p in pieces]
    tokens = [TokenLogprob(one.decode("utf-8", "replace"), p, one) for one, p in data]
    return b"".join(one for one, _ in data).decode(), tokens


def _confidence(pieces: Sequence[tuple[str | bytes, float]]) -> float | None:
    text, tokens = _tokens(pieces)
    return mean_logprob(text, tokens, parse_explained_reply(text).explanation)


MARKER = [(" So", -5.0), (" the", -5.0), (" answer", -5.0), (" is", -5.0), (":", -5.0)]

CASES: dict[str, tuple[list[tuple[str | bytes, float]], float]] = {
    "a leading blank belongs to its word": (
        [("It", -0.1), (" is", -0.3), (" so", -0.2), (".", -0.2), *MARKER, (" Cork", -9.0)],
        -0.2,
    ),
    "merged tokens": (
        [("In", -0.1), (" Paris.", -0.3), (" So the answer", -8.0), (" is:", -8), (" P.", -8)],
        -0.2,
    ),
    "a stop and the marker in one token": (
        [("In", -0.1), (" Paris", -0.2), (". So", -0.3), (" the answer is: Paris", -8.0)],
        -0.2,
    ),
    "the marker twice": (
        [("A", -0.2), (".", -0.4), *MARKER, (" B", -9.0), (".", -9.0), *MARKER, (" C", -9.0)],
        -0.3,
    ),
    "no So": (
        [("A", -0.2), (".", -0.4), ("\nThe", -7), (" answer is", -7), (":", -7), (" B", -7)],
        -0.3,
    ),
    "JSON": (
        [('{"explanation": "', -6.0), ("A", -0.2), (" b", -0.4), ('", "answer": "', -6.0),
         ("Cork", -6.0), ('"}', -6.0)],
        -0.3,
    ),
    "characters split over tokens": (
        [("在".encode()[:1], -0.1), ("在".encode()[1:], -0.2), ("这里", -0.3), ("。", -0.2),
         *MARKER, ("科克".encode()[:4], -9.0), ("科克".encode()[4:], -9.0)],
        -0.2,
    ),
    "an emoji": (
        [("Yes ", -0.1), ("🎻".encode()[:2], -0.2), ("🎻".encode()[2:], -0.3), *MARKER],
        -0.2,
    ),
    "a last token that is a stop": (
        [("A", -0.2), (" b", -0.4), *MARKER, (" Cork", -9.0), (".", -9.0)],
        -0.3,
    ),
    "what a mark quotes is copied": (
        [("A", -0.2), (" b", -0.4), (' [S1 "', -3.0), ("the words of it", -3.0), ('"]', -3.0),
         *MARKER, (" Cork", -9.0)],
        -0.3,
    ),
    "a marker that a passage has": (
        [("A", -0.2), (' [S1 "so the answer is: no', -3.0), (' indeed"]', -3.0), (" b", -0.4),
         *MARKER, (" Cork", -9.0)],
        -0.3,
    ),
    "a translated marker": (
        [("在科克", -0.2), ("。", -0.4), ("所以", -6.0), ("答案是：", -6.0), ("科克", -6.0)],
        -0.3,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("pieces", "expected"), CASES.values(), ids=CASES)
def test_the_mean_is_that_of_the_explanation(
    pieces: list[tuple[str | bytes, float]], expected: float
) -> None:
    assert _confidence(pieces) == pytest.approx(expected, abs=1e-6)


def test_hidden_reasoning_is_no_explanation() -> None:
    text, tokens = _tokens([("A", -0.2), (" b", -0.4), *MARKER, (" Cork", -9.0)])
    thought = TokenLogprob("hm, let me see. ", -50.0, b"hm, let me see. ")
    found = mean_logprob(text, [thought, *tokens], parse_explained_reply(text).explanation)
    assert found == pytest.approx(-0.3, abs=1e-6)


def test_tokens_of_another_text_measure_nothing() -> None:
    text, tokens = _tokens([("A", -0.2), *MARKER, (" Cork", -9.0)])
    assert mean_logprob(f"{text} and more", tokens, parse_explained_reply(text).explanation) is None


def test_a_reply_without_explanation_has_no_confidence() -> None:
    assert _confidence([*MARKER, (" Cork", -0.1)]) is None


def test_a_list_counts_from_its_opening_to_its_closing_bracket() -> None:
    text, tokens = _tokens(
        [('{"q"', -9.0), (": [", -0.1), ('"a"', -0.2), (', "b"', -0.3), ("]}", -0.4)]
    )
    found = mean_logprob_over(text, tokens, (text.index("["), text.index("]") + 1))
    assert found == pytest.approx(-0.25)


def test_agreement_is_the_share_of_samples_with_two_more() -> None:
    samples = ["Cork.", "the cork", "Dublin", "Cork"]
    assert sample_agreement("Cork", samples) == pytest.approx(math.log(4 / 6))
    assert sample_agreement("Wick", samples) == pytest.approx(math.log(1 / 6))


@pytest.mark.parametrize(
    ("text", "share"),
    [("80", 0.8), ("80 %", 0.8), ("I say 95%.", 0.95), ("0.7", 0.7), ("٨٠", 0.8), ("100", 1.0),
     ("0", 0.01), ("62,5 %", 0.625)],
)  # fmt: skip
def test_what_a_model_states_is_read(text: str, share: float) -> None:
    assert parse_stated_confidence(text) == pytest.approx(math.log(share))


@pytest.mark.parametrize("text", ["", "very likely", "400", "1234"])
def test_what_is_no_probability_is_none(text: str) -> None:
    assert parse_stated_confidence(text) is None


def test_the_ladder_goes_down_only() -> None:
    assert weaker_method("logprobs", "samples") == weaker_method("samples", "logprobs") == "samples"
    assert weaker_method("samples", "stated") == "stated"


@given(
    words=st.lists(st.text("aé在 .", min_size=1, max_size=4), min_size=1, max_size=12),
    cuts=st.lists(st.integers(1, 5), min_size=40, max_size=40),
)
def test_however_bytes_are_cut_into_tokens_each_counts_once(
    words: list[str], cuts: list[int]
) -> None:
    """With one value for all tokens before the marker, no cut changes the mean."""
    explanation = "x" + " ".join(words).replace("\n", " ")
    text = f"{explanation} So the answer is: y"
    pieces: list[tuple[bytes, float]] = []
    rest = explanation.encode()
    for cut in cuts:
        if rest:
            pieces.append((rest[:cut], -0.25))
            rest = rest[cut:]
    pieces.append((rest, -0.25))
    pieces.append((b" So the answer is: y", -7.0))
    tokens = [TokenLogprob("", p, data) for data, p in pieces if data]
    found = mean_logprob(text, tokens, parse_explained_reply(text).explanation)
    assert found == pytest.approx(-0.25)
