"""Refusals as OpenAI, vLLM, llama.cpp, Ollama, TGI and FastAPI word them."""

import json
from typing import Any

import pytest

from lcagent.errors import ContextTooLong, ModelNotUsable, ModelUnavailable
from lcagent.models.server_errors import error_for, one_line, read_refusal

TOO_LONG: list[tuple[int, Any]] = [
    (
        400,
        {
            "error": {
                "message": "This model's maximum context length is 128000 tokens. However, your "
                "messages resulted in 130000 tokens.",
                "type": "invalid_request_error",
                "param": "messages",
                "code": "context_length_exceeded",
            }
        },
    ),
    (
        400,
        {
            "object": "error",
            "message": "This model's maximum context length is 4096 tokens. However, you requested "
            "5000 tokens (4800 in the messages, 200 in the completion).",
            "type": "BadRequestError",
            "code": 400,
        },
    ),
    (
        400,
        {
            "error": {
                "code": 400,
                "message": "the request exceeds the available context size, try increasing it",
                "type": "exceed_context_size_error",
            }
        },
    ),
    (
        422,
        {
            "error": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. "
            "Given: 5000 `inputs` tokens",
            "error_type": "validation",
        },
    ),
    (400, {"error": {"message": "prompt is too long: 210000 tokens > 200000 maximum"}}),
    (400, {"error": {"message": "input length exceeds maximum context length"}}),
]


def _error(status: int, body: Any, headers: dict[str, str] | None = None) -> Exception:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    return error_for(read_refusal(status, headers or {}, sent, "sk-1"), "host:1", "tiny")


@pytest.mark.parametrize(("status", "body"), TOO_LONG)
def test_a_prompt_that_is_too_long_is_told_in_many_words(status: int, body: Any) -> None:
    assert isinstance(_error(status, body), ContextTooLong)


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (400, {"error": "model 'x' not found"}, ModelNotUsable, "model 'x' not found"),
        (404, {"error": {"message": 'model "x" not found'}}, ModelNotUsable, "no model 'tiny'"),
        (
            422,
            {"detail": [{"loc": ["body", "seed"], "msg": "value is not an integer"}]},
            ModelNotUsable,
            "seed: value is not an integer",
        ),
        (400, {"detail": "no"}, ModelNotUsable, "no$"),
        (502, b"<html>Bad gateway</html>", ModelUnavailable, r"host:1 .* \(status 502\)$"),
        (500, b"", ModelUnavailable, "status 500"),
        (500, [1, 2], ModelUnavailable, "status 500"),
        (500, {"error": 7}, ModelUnavailable, "status 500"),
        (429, {"error": {"message": "wait"}}, ModelUnavailable, "too often .*: wait"),
        (301, b"", ModelNotUsable, "points to elsewhere"),
    ],
)
def test_other_refusals_name_the_host_and_its_reason(
    status: int, body: Any, kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind, match=words):
        raise _error(status, body)


def test_the_time_to_wait_stands_in_the_error() -> None:
    error = _error(429, {}, {"retry-after": "3"})
    assert isinstance(error, ModelUnavailable)
    assert error.retry_after_s == 3


def test_a_shown_message_is_one_short_line_without_the_key() -> None:
    shown = one_line("a\n b " + "sk-12345 " * 100, "sk-12345")
    assert shown.startswith("a b *** ***")
    assert len(shown) < 210
