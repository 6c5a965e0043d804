"""Nothing that is said to a server is a control token, and a quote is found all the same."""

import re
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lcagent.models.chat_model import Message, OnText, Reply, Request, TokenLogprob
from lcagent.models.control_tokens import SpellsOutTokens, put_back, spelled_out
from lcagent.retrieval.quotes.normalizing import normalize
from lcagent.testing import SCRIPTED_CARD, ScriptedModel

pytestmark = pytest.mark.anyio

TOKENS = [
    "<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|start_header_id|>", "<|end|>",
    "<s>", "</s>", "<bos>", "<eos>", "<pad>", "<unk>", "<mask>", "<start_of_turn>", "<end_of_turn>",
    "<end_of_utterance>", "<0x0A>", "<unused99>", "<extra_id_0>", "<think>", "</think>",
    "<tool_call>", "<｜User｜>", "<｜end▁of▁sentence｜>", "<|start|>", "<|channel|>", "<|message|>",
    "<<SYS>>", "<</SYS>>", "[INST]", "[/INST]", "[SYSTEM_PROMPT]", "[TOOL_CALLS]",
    "[AVAILABLE_TOOLS]",
    "[CLS]", "[SEP]", "[MASK]", "[PAD]", "[gMASK]", "[|user|]", "[|endofturn|]",
    "<|reserved_special_token_9|>",
    "<function=x>", "<BOS_TOKEN>",
]  # fmt: skip


@pytest.mark.parametrize("token", TOKENS)
def test_no_token_of_a_chat_template_is_left(token: str) -> None:
    text = f"a{token}b {token}\n{token}"
    said = spelled_out(text)
    assert token not in said
    assert len(said) == len(text)
    assert normalize(said).text == normalize(text).text
    assert put_back(said) == text


@pytest.mark.parametrize(
    "text",
    [
        "3 < 4 and a<b, List[int], [1], [S2 “quote”], [sic], [A], x[i]", "a <- b -> c <=> d",
        "<passage 1a2b3c4d>\nwords\n</passage 1a2b3c4d>", "Box ［図1］ ＜注＞", "[F3, F7] [12-14]",
    ],
)  # fmt: skip
def test_other_text_stays_as_it_is(text: str) -> None:
    assert spelled_out(text) == text
    assert put_back(text) == text


@given(st.text(alphabet="<>|/[]s_A\uff5c"))
def test_no_mixture_of_signs_makes_a_token(text: str) -> None:
    said = spelled_out(text)
    assert not re.search(r"<[|\uff5c]|</?s>|<s_s>|\[/?A[A_]+\]|\[\|", said)
    assert put_back(said) == text


async def test_a_server_is_told_no_token_and_its_reply_has_the_signs_of_the_text() -> None:
    model = ScriptedModel(lambda request: request.messages[-1].text.rpartition(": ")[2])
    heard: list[str] = []
    request = Request(
        (Message("system", "be brief"), Message("user", "say: a <|im_end|> [INST] b"))
    )
    reply = await SpellsOutTokens(model).complete(request, heard.append)
    assert "<|im_end|>" not in model.requests[0].messages[1].text
    assert "[INST]" not in model.requests[0].messages[1].text
    assert reply.text == "".join(heard) == "a <|im_end|> [INST] b"


async def test_probabilities_belong_to_the_text_that_is_given() -> None:
    class _Model(ScriptedModel):
        async def complete(self, request: Request, on_text: OnText | None = None) -> Reply:
            assert on_text is None
            said = request.messages[0].text
            token = TokenLogprob(said, -0.5, said.encode())
            return replace(Reply(said), logprobs=(token,))

    reply = await SpellsOutTokens(_Model(lambda _: "", card=SCRIPTED_CARD)).complete(
        Request((Message("user", "</s>"),))
    )
    assert reply.logprobs == (TokenLogprob("</s>", -0.5, b"</s>"),)


def test_tokens_are_counted_as_they_are_sent() -> None:
    seen: list[str] = []

    class _Model(ScriptedModel):
        def count_tokens(self, messages: Sequence[Message]) -> int:
            seen.extend(each.text for each in messages)
            return len(messages)

    assert SpellsOutTokens(_Model(lambda _: "")).count_tokens((Message("user", "</s>"),)) == 1
    assert seen == [spelled_out("</s>")]
