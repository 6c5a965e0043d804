"""Bodies as servers send them, and as they should not."""

import json
from typing import Any

import pytest

from lcagent.models.completions import BadBody, ServerReply, read_whole


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
    ],
)
def test_reasons_to_end_are_understood(told: str | None, finish: str) -> None:
    body = _body(message={"content": "x"}, finish_reason=told)
    assert read_whole(body).finish == finish


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
        (b'{"choices": [{"logprobs": {"content": [{"token": "x"}]}}]}', "logprob"),
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
