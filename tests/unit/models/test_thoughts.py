"""Reasoning in the text of a reply is taken out, however it arrives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lcagent.models.base import Message, Request
from lcagent.models.choose import choose_model, close_model
from lcagent.models.thoughts import Thoughts
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
    thoughts = Thoughts()
    pieces = [thoughts.feed(text[at : at + size]) for at in range(0, len(text), size)]
    assert "".join(pieces) + thoughts.end() == reply


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
