"""Bodies as servers send them, and as they should not."""

import json
from typing import Any

import pytest

from lcagent.models.completions import BadBody, BrokenOff, ServerReply, read_whole


def _body(**choice: Any) -> bytes:
    return json.dumps({"choices": [{"index": 0, **choice}]}).encode()


@pytest.mark.parametrize(
    ("told", "finish"),
    [
        ("stop", "stop"),
        ("eos", "stop"),
        (None, "stop"),
        ("length", "length"),
        ("max_tokens", "length"),
        ("content_filter", "filtered"),
        ("", "stop"),
        ("STOP", "stop"),
        ("FinishReason.STOP", "stop"),
        ("end_turn", "stop"),
        ("MAX_TOKENS", "length"),
        ("FINISH_REASON_MAX_TOKENS", "length"),
        ("SAFETY", "filtered"),
        ("RECITATION", "filtered"),
        ("tool_calls", "unknown"),
        ("OTHER", "unknown"),
        ("weary", "unknown"),
    ],
)
def test_reasons_to_end_are_understood(told: str | None, finish: str) -> None:
    body = _body(message={"content": "x"}, finish_reason=told)
    assert read_whole(body).finish == finish


@pytest.mark.parametrize(
    "told", ["error", "abort", "insufficient_system_resource", "ERROR", "network_error"]
)
def test_a_reply_that_its_server_gave_up_is_no_reply(told: str) -> None:
    with pytest.raises(BrokenOff, match=told):
        read_whole(_body(message={"content": "half a"}, finish_reason=told))


def test_an_error_in_a_choice_is_an_error() -> None:
    error = {"code": 502, "message": "Provider disconnected"}
    with pytest.raises(BrokenOff, match="Provider disconnected"):
        read_whole(_body(message={"content": ""}, finish_reason="stop", error=error))


def test_the_model_s_own_reason_is_believed_where_the_server_calls_it_a_stop() -> None:
    for native, finish in (("MAX_TOKENS", "length"), ("SAFETY", "filtered"), ("STOP", "stop")):
        body = _body(message={"content": "x"}, finish_reason="stop", native_finish_reason=native)
        assert read_whole(body).finish == finish


def test_a_text_beside_the_message_is_read() -> None:
    body = _body(message={"content": None}, text="Osla Brand.", finish_reason="stop")
    assert read_whole(body).text == "Osla Brand."


def test_a_text_in_parts_is_joined() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}, {"type": "image"}]
    assert read_whole(_body(message={"content": parts})).text == "ab"


def test_half_a_character_is_replaced() -> None:
    assert read_whole(b'{"choices":[{"message":{"content":"a\\ud83d"}}]}').text == "a?"


def test_only_the_first_of_several_choices_counts() -> None:
    both = {"choices": [{"index": i, "message": {"content": str(i)}} for i in (1, 0)]}
    assert read_whole(json.dumps(both).encode()).text == "0"


def test_reasoning_is_no_part_of_the_text() -> None:
    message = {"content": "x", "reasoning_content": "hm", "reasoning": "hm"}
    assert read_whole(_body(message=message)).text == "x"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "an empty body"),
        (b" <html>", "page of HTML"),
        (b"\xff", "not JSON"),
        (b"[]", "no completion"),
        (b"7", "no completion"),
        (b'{"choices": 7}', "at choices"),
        (b'{"choices": [{"message": 7}]}', r"at choices\.0\.message"),
        (b"{}", "without choices"),
        (b'{"choices": null}', "without choices"),
        (b'{"error": {"message": "overloaded"}}', "an error: .*overloaded"),
    ],
)
def test_what_is_no_completion_is_said(body: bytes, words: str) -> None:
    with pytest.raises(BadBody, match=words):
        read_whole(body)


def test_logprobs_that_are_no_numbers_or_bytes_are_mended() -> None:
    spelled = '{"token": "x", "logprob": -Infinity, "bytes": [300]}'
    body = b'{"choices":[{"message":{"content":"x"},"logprobs":{"content":[%s]}}]}'
    (read,) = read_whole(body % spelled.encode()).logprobs
    assert (read.logprob, read.data) == (-9999.0, b"x")


def test_usage_may_come_late_and_be_strange() -> None:
    completion = ServerReply()
    assert completion.take(_body(delta={"content": "x"}))
    assert not completion.take(b'{"choices": [], "usage": {"prompt_tokens": 3}}')
    assert (completion.prompt_tokens, completion.completion_tokens) == (3, None)
    completion.take(b'{"usage": null}')
    assert completion.prompt_tokens == 3
