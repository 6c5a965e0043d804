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


REPLY = 'Osla Brand lit it in 1911 [S1 "lit by Osla Brand"].'
THOUGHT = "Who lit it? Maybe Per Larsen did."
ANALYSIS = f"<|channel|>analysis<|message|>{THOUGHT}<|end|>"
FINAL = "<|start|>assistant<|channel|>final<|message|>"


class Shown:
    """A listener that can be told that the text starts over."""

    def __init__(self) -> None:
        self.text = ""
        self.restarts = 0

    def __call__(self, piece: str) -> None:
        self.text += piece

    def restart(self) -> None:
        self.text = ""
        self.restarts += 1


def _said(text: str, size: int) -> tuple[ReplyText, Shown]:
    shown = Shown()
    said = ReplyText(shown)
    for at in range(0, len(text), size):
        said.feed(text[at : at + size])
    said.end()
    return said, shown


@pytest.mark.parametrize(
    "text",
    [
        f"<think>one</think>\n<think>\n{THOUGHT}\n</think>\n\n{REPLY}",
        f"<thinking>\n{THOUGHT}\n</thinking>\n\n{REPLY}",
        f'<think type="deep" budget="9">\n{THOUGHT}</think>{REPLY}',
        f"<Thought>{THOUGHT}</Thought>{REPLY}",
        f"<seed:think>{THOUGHT}</seed:think>{REPLY}",
        f"<antThinking>{THOUGHT}</antThinking>{REPLY}",
        f"<reasoning>{THOUGHT}</reasoning>\n{REPLY}",
        f"{ANALYSIS}{FINAL}{REPLY}",
        f"{ANALYSIS}{FINAL.replace('final', 'commentary to=x ')}So.<|end|>{FINAL}{REPLY}",
        f"{ANALYSIS}{FINAL.replace('final', 'final <|constrain|>json')}{REPLY}",
        f"{FINAL}{REPLY}",
        f"analysis{THOUGHT}assistantfinal{REPLY}",
        f"[THINK]{THOUGHT}[/THINK]{REPLY}",
        f"◁think▷{THOUGHT}◁/think▷{REPLY}",
        f"<|channel>thought\n{THOUGHT}<channel|>{REPLY}",
        f"<|START_THINKING|>{THOUGHT}<|END_THINKING|>{REPLY}",
        f"<unused94>thought\n{THOUGHT}<unused95>{REPLY}",
        f"<|begin_of_thought|>{THOUGHT}<|end_of_thought|>\n<|begin_of_solution|>{REPLY}",
        f"<longcat_think>{THOUGHT}</longcat_think>{REPLY}",
        f"<|think|>{THOUGHT}<|/think|>{REPLY}",
        f"<|thinking|>{THOUGHT}<|/thinking|>{REPLY}",
        f"<|thought_start|>{THOUGHT}<|thought_end|>{REPLY}",
        f"<|inner_prefix|>{THOUGHT}<|inner_suffix|>{REPLY}",
        f"<|START_THINKING|>{THOUGHT}<|END_THINKING|><|START_RESPONSE|>{REPLY}",
        f"<think>{THOUGHT}</think>\n<|begin_of_box|>{REPLY}",
        f'<details type="reasoning" done="true"><summary>x</summary>{THOUGHT}</details>{REPLY}',
        f"<|im_start|>assistant\n<think>{THOUGHT}</think>{REPLY}",
        f"[|assistant|]<thought>\n{THOUGHT}\n</thought>\n\n{REPLY}",
        f"Here is my thought process:\n\n{THOUGHT}\n\nHere is my response:\n\n{REPLY}",
        f"Here are my reasoning steps:\n{THOUGHT}\n[BEGIN FINAL RESPONSE]\n{REPLY}",
    ],
)
@given(size=st.integers(1, 9))
def test_reasoning_in_the_tags_of_any_model_is_never_shown(text: str, size: int) -> None:
    said, shown = _said(text, size)
    assert said.text == shown.text == REPLY
    assert said.has_reasoning
    assert shown.restarts == 0


@pytest.mark.parametrize(
    "text",
    [
        f"{THOUGHT}\n</think>\n\n{REPLY}",
        f"{THOUGHT} </think> {REPLY}",
        f"{THOUGHT}</thinking>{REPLY}",
        f"{THOUGHT}[/THINK]{REPLY}",
        f"{THOUGHT}◁/think▷{REPLY}",
        f"{THOUGHT}\n</think>\n<think>And\n</think>{REPLY}",
        f"{THOUGHT}<|end|>{FINAL}{REPLY}",
    ],
)
@given(size=st.integers(1, 9))
def test_a_closing_tag_alone_takes_back_what_was_shown(text: str, size: int) -> None:
    said, shown = _said(text, size)
    assert said.text == shown.text == REPLY
    assert shown.restarts <= 1


@pytest.mark.parametrize(
    "text",
    [
        "The tag </think> closes it.",
        "It ends with `</think>`, as the manual says.",
        "<thing> of beauty, [THE] end: a < b < c",
        "analysis of the text shows it; the assistant finally left.",
        "<|im_start|>assistant\nYes",
    ],
)
@given(size=st.integers(1, 9))
def test_what_only_looks_like_reasoning_is_kept(text: str, size: int) -> None:
    said, shown = _said(text, size)
    assert said.text == shown.text == text
    assert (said.has_reasoning, shown.restarts) == (False, 0)


@pytest.mark.parametrize("text", ["<think>" + THOUGHT, THOUGHT + "</think>", "[THINK]" + THOUGHT])
def test_a_reply_that_is_all_reasoning_has_no_text(text: str) -> None:
    said, shown = _said(text, 5)
    assert (said.text, shown.text, said.has_reasoning) == ("", "", True)


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
        ("Yes. [THINK]really?[/THINK]No.", "Yes. No."),
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
