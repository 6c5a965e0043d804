"""Reasoning in the text of a reply is taken out, however it arrives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lcagent.models.chat_model import Message, Request, TokenLogprob
from lcagent.models.choose import choose_model, close_model
from lcagent.models.reasoning import (
    ReasoningStripper,
    ReplyText,
    align_logprobs,
    strip_reasoning,
)
from lcagent.testing import ScriptedServer


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        ("Yes.", "Yes."),
        ("<think>Is it? It is.</think>\n\nYes.", "Yes."),
        ("\n<think></think>Yes.", "Yes."),
        ("<think>never ends", ""),
        ("<thin", "<thin"),
        ("<b>Yes</b> <think>later</think>", "<b>Yes</b> <think>later</think>"),
        ("<think>a</think> Yes </think> no", "Yes </think> no"),
        ("", ""),
    ],
)
@given(size=st.integers(1, 7))
def test_the_reply_is_what_stands_behind_the_reasoning(text: str, reply: str, size: int) -> None:
    stripper = ReasoningStripper()
    pieces = [stripper.feed(text[at : at + size]) for at in range(0, len(text), size)]
    assert "".join(pieces) + stripper.end() == reply


@pytest.mark.anyio
@pytest.mark.parametrize("is_streamed", [False, True])
async def test_a_server_that_leaves_reasoning_in_the_text(is_streamed: bool) -> None:
    shown: list[str] = []
    async with ScriptedServer(lambda _: "<think>Is it? It is.</think>\n\nYes, it is.") as server:
        model = choose_model("any", base_url=server.base_url)
        request = Request((Message("user", "Is it?"),), max_tokens=99, wants_logprobs=True)
        reply = await model.complete(request, shown.append if is_streamed else None)
        await close_model(model)
    assert reply.text == "Yes, it is."
    assert "".join(shown) == ("Yes, it is." if is_streamed else "")
    assert reply.logprobs is not None
    assert "".join(token.text for token in reply.logprobs).strip() == "Yes, it is."


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("<think>a</think>Yes.", "Yes."),
        ("Yes. <think>\nreally?\n</think>No.", "Yes. No."),
        ("Yes. <think>never ends", "Yes. "),
        ("Yes.", "Yes."),
    ],
)
def test_a_text_that_is_complete_loses_its_reasoning_wherever_it_stands(
    text: str, left: str
) -> None:
    assert strip_reasoning(text) == left


def test_what_was_held_back_of_a_reply_is_shown_at_its_end() -> None:
    shown: list[str] = []
    said = ReplyText(shown.append)
    said.feed("<thi")
    assert (said.text, shown) == ("", [])
    said.end()
    assert (said.text, "".join(shown)) == ("<thi", "<thi")


def _tokens(*texts: str) -> tuple[TokenLogprob, ...]:
    return tuple(TokenLogprob(text, -0.5, text.encode()) for text in texts)


@pytest.mark.parametrize(
    ("tokens", "text", "spelled"),
    [
        (("<think>", "hm", "</think>", "\n\n", "Yes", "."), "Yes.", ("Yes", ".")),
        (("\n\nYes", "."), "Yes.", ("\n\nYes", ".")),
        (("Y", "es", "."), "Yes.", ("Y", "es", ".")),
        (("No", "."), "Yes.", None),
        ((), "Yes.", None),
    ],
)
def test_logprobs_are_those_of_the_text_and_nothing_else(
    tokens: tuple[str, ...], text: str, spelled: tuple[str, ...] | None
) -> None:
    aligned = align_logprobs(_tokens(*tokens), text)
    assert (aligned and tuple(token.text for token in aligned)) == spelled


def test_a_character_that_is_split_over_tokens_is_aligned() -> None:
    first, second = "é".encode()[:1], "é".encode()[1:]
    tokens = (TokenLogprob("\ufffd", -0.1, first), TokenLogprob("\ufffd", -0.2, second))
    assert align_logprobs(tokens, "é") == tokens
