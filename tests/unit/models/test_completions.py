"""Bodies as servers send them, and as they should not."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from lcagent.errors import ModelUnavailable
from lcagent.models import completions
from lcagent.models.completions import (
    BadBody,
    BrokenOff,
    SentError,
    ServerReply,
    read_stream,
    read_whole,
)


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


def _streamed(*deltas: dict[str, Any], end: bytes = b"data: [DONE]\n\n") -> bytes:
    events = [_body(delta=delta) for delta in deltas] + [_body(delta={}, finish_reason="stop")]
    return b"".join(b"data: %s\n\n" % event for event in events) + end


PIECES = ({"content": "It is "}, {"content": "Osla "}, {"content": "Brand."})
STREAM = _streamed(*PIECES)
WHOLE = _body(message={"content": "It is Osla Brand."}, finish_reason="stop")


@pytest.mark.parametrize(
    "sent",
    [
        STREAM,
        STREAM.replace(b"\n", b"\r\n"),
        STREAM.replace(b"\n", b"\r"),
        b"\xef\xbb\xbf" + STREAM,
        STREAM.replace(b"data: ", b"data:"),
        STREAM.replace(b"data: ", b"data: data: "),
        STREAM.replace(b"data: ", b""),  # a body in each line
        STREAM.replace(b"data: ", b"").replace(b"\n\n", b"\n"),
        STREAM.replace(b"\n\n", b"\n"),  # nothing between the events
        STREAM.replace(b"data: [DONE]\n\n", b""),
        STREAM.replace(b"[DONE]", b"[done]"),
        STREAM.replace(b"[DONE]", b'"[DONE]"'),
        STREAM.replace(b"\n\n", b"\n\ndata: \n\n: ping\n\nevent: ping\ndata: {}\n\n"),
        STREAM.replace(b"\n\n", b"\n\ndata: ping\n\n", 1),
        STREAM.replace(b"\n\n", b"\n\ndata: null\n\n", 1),
        STREAM.replace(b'"index": 0', b'"index": null'),
        STREAM.replace(b'"index": 0', b'"index": 1'),
        STREAM.replace(b'"index": 0', b'"index": "0"'),
        STREAM + b'data: {"error": {"message": "usage is not known"}}\n\n',
        WHOLE,
        b"data: " + WHOLE + b"\n\ndata: [DONE]\n\n",
        WHOLE + b"\n\ndata: [DONE]\n\n",
        json.dumps(json.loads(WHOLE), indent=2).encode(),
        b"\n\n  \n" + WHOLE,
        b"\xef\xbb\xbf" + WHOLE,
        json.dumps([json.loads(WHOLE)]).encode(),
        json.dumps({"code": 0, "data": json.loads(WHOLE)}).encode(),
        WHOLE.replace(b'"choices"', b'"error": null, "choices"'),
        WHOLE.replace(b'"choices"', b'"error": {"code": 0, "message": ""}, "choices"'),
        WHOLE.replace(b'"choices"', b'"base_resp": {"status_code": 0}, "choices"'),
        WHOLE.replace(b'[{"index"', b'[null, {"index"'),
        json.dumps({"choices": json.loads(WHOLE)["choices"][0]}).encode(),
    ],
)
def test_a_reply_is_read_in_whatever_form_it_comes(sent: bytes) -> None:
    assert read_whole(sent).text == "It is Osla Brand."


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (["It is ", "Osla."], "It is Osla."),
        ({"type": "text", "text": "Osla."}, "Osla."),
        ([{"type": "text", "text": None}, {"type": "text", "text": "Osla."}], "Osla."),
        ([None, {"type": "output_text", "text": "Osla."}], "Osla."),
        ([{"type": "thinking", "thinking": [{"text": "hm"}]}, {"text": "Osla."}], "Osla."),
        ([{"type": "reasoning", "text": "hm"}, {"type": "text", "text": "Osla."}], "Osla."),
        ([{"text": "hm", "thought": True}, {"text": "Osla."}], "Osla."),
        ({"answer": "Osla"}, '{"answer": "Osla"}'),
        (1911, "1911"),
        ("Os\0la.", "Osla."),
        (None, ""),
    ],
    ids=str,
)
def test_content_is_text_in_whatever_parts_it_comes(content: Any, text: str) -> None:
    assert read_whole(_body(message={"content": content})).text == text


@pytest.mark.parametrize(
    ("usage", "counted"),
    [
        ({"prompt_tokens": 100, "completion_tokens": 20}, (100, 20)),
        ({"prompt_tokens": 100.0, "completion_tokens": "20"}, (100, 20)),
        ({"prompt_tokens": 100.5, "completion_tokens": 20.2}, (101, 21)),
        ({"input_tokens": 100, "output_tokens": 20}, (100, 20)),
        ({"input_tokens": 30, "cache_read_input_tokens": 70, "output_tokens": 20}, (100, 20)),
        (
            {
                "prompt_tokens": 100,
                "completion_tokens": 20,
                "total_tokens": 120,
                "completion_tokens_details": {"reasoning_tokens": 15},
            },
            (100, 20),
        ),
        ({"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 150}, (100, 50)),
        ({"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": None}, (100, 20)),
        ({"prompt_tokens": -1, "completion_tokens": -1}, (None, None)),
        ({"prompt_tokens": 100, "completion_tokens": 0}, (100, None)),
        ({"prompt_tokens": True, "completion_tokens": []}, (None, None)),
        ([], (None, None)),
        ("n/a", (None, None)),
        (7, (None, None)),
    ],
    ids=str,
)
def test_usage_is_read_as_far_as_it_can_be(usage: Any, counted: tuple[int | None, ...]) -> None:
    body = json.dumps({**json.loads(WHOLE), "usage": usage}).encode()
    read = read_whole(body)
    assert (read.text, read.prompt_tokens, read.completion_tokens) == (
        "It is Osla Brand.",
        *counted,
    )


@pytest.mark.parametrize(
    "logprobs",
    [
        {"content": [{"token": "x", "logprob": None}]},
        {"content": [{"token": None, "logprob": -1}]},
        {"content": [{"token": "x"}]},
        {"content": [{"token": "x", "logprob": -1, "bytes": "x"}]},
        {"content": {}},
        [-0.1, -0.2],
        7,
        {"tokens": ["x"], "token_logprobs": [-0.1]},
    ],
    ids=str,
)
def test_log_probabilities_that_cannot_be_read_cost_nothing_else(logprobs: Any) -> None:
    read = read_whole(_body(message={"content": "x"}, logprobs=logprobs))
    assert (read.text, read.spelled()) == ("x", None)


@pytest.mark.parametrize("odd", [{"finish_reason": {"type": "stop"}}, {"native_finish_reason": 7}])
def test_an_odd_reason_to_end_is_an_unknown_one_or_none(odd: dict[str, Any]) -> None:
    assert read_whole(_body(message={"content": "x"}, **odd)).finish in ("unknown", "stop")


@pytest.mark.parametrize(
    "sent",
    [
        b'error: {"code": 400, "message": "too long"}\n\n',
        b'event: error\ndata: {"code": 400, "message": "too long"}\n\n',
        b'data: {"error": {"code": 400, "message": "too long"}}\n\n',
        b'data: {"object": "error", "code": 400, "message": "too long"}\n\n',
        b"event: error\ndata: too long\n\n",
        b"error: too long\n\n",
        b'{"error": {"code": 400, "message": "too long"}}',
        b'[{"error": {"code": 400, "message": "too long"}}]',
        b'{"choices": null, "base_resp": {"status_code": 400, "status_msg": "too long"}}',
        b'{"detail": "too long"}',
        b'{"success": false, "errors": [{"message": "too long"}]}',
    ],
)
def test_an_error_in_place_of_a_reply_is_one(sent: bytes) -> None:
    with pytest.raises(SentError, match="too long"):
        read_whole(sent)


def test_an_error_in_the_middle_of_a_reply_is_one_and_comes_late() -> None:
    half = _streamed(*PIECES).split(b'data: {"choices": [{"index": 0, "delta": {}')[0]
    with pytest.raises(SentError) as caught:
        read_whole(half + b'data: {"error": {"message": "gone"}}\n\n')
    assert caught.value.comes_late
    with pytest.raises(BadBody, match="half a stream"):
        read_whole(half)


def test_a_piece_that_cannot_be_read_is_a_part_of_the_reply_that_is_missing() -> None:
    with pytest.raises(BadBody, match="not JSON"):
        read_whole(STREAM.replace(b'"Osla "', b'"Osla '))


def test_what_is_not_utf_8_is_read_in_the_charset_of_its_response() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield json.dumps(
            {"choices": [{"message": {"content": "Türmer"}}]}, ensure_ascii=False
        ).encode("latin-1")

    read = asyncio.run(read_stream(pieces(), charset="iso-8859-1"))
    assert read.text == "Türmer"


@pytest.mark.parametrize("is_silent", [False, True])
def test_a_stream_that_ends_badly_behind_its_end_is_a_reply(
    is_silent: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(completions, "LAST_WORDS_S", 0.01)

    async def pieces() -> AsyncIterator[bytes]:
        yield STREAM.replace(b"data: [DONE]\n\n", b"")
        if is_silent:
            await asyncio.sleep(60)
        raise ModelUnavailable("broke off")

    assert asyncio.run(read_stream(pieces())).text == "It is Osla Brand."


def test_a_stream_that_breaks_off_is_no_reply_though_its_bytes_are_json() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b'data: {"choices": [{"delta": {"content": "It"}}]}\n\ndata: {"choi'
        raise ModelUnavailable("broke off")

    with pytest.raises(ModelUnavailable, match="broke off"):
        asyncio.run(read_stream(pieces()))


def test_a_text_that_grows_in_a_stream_is_said_once() -> None:
    text = "It is Osla Brand."
    grown = [{"content": text[:end]} for end in (3, 6, 11, 17)]
    assert read_whole(_streamed(*grown)).text == text
