"""Requests worded for the servers there are; refusals as they word them."""

import pytest

from lcagent.models.capabilities import ServerCapabilities, without_system
from lcagent.models.chat_model import Message, Request
from lcagent.models.choose import find_card

REQUEST = Request(
    (Message("system", "Be short."), Message("user", "Hi")),
    max_tokens=9_000,
    stop=("END",),
    wants_logprobs=True,
    schema={"type": "object"},
)


def _body(capabilities: ServerCapabilities) -> dict[str, object]:
    return capabilities.body("name", REQUEST, is_streamed=True, has_schema=True)


@pytest.mark.parametrize(
    ("message", "param", "changed"),
    [
        (
            (
                "Unsupported parameter: 'max_tokens' is not supported with this model. "
                "Use 'max_completion_tokens' instead."
            ),
            "max_tokens",
            {"max_tokens_name": "max_completion_tokens"},
        ),
        (
            (
                "Unsupported value: 'temperature' does not support 0 with this model. "
                "Only the default (1) value is supported."
            ),
            "temperature",
            {"has_temperature": False},
        ),
        ("logprobs: Extra inputs are not permitted", "logprobs", {"has_logprobs": False}),
        ("This model does not support top_logprobs", None, {"has_logprobs": False}),
        (
            "Unrecognized request argument supplied: stream_options",
            None,
            {"has_stream_usage": False},
        ),
        ("streaming is not supported", None, {"has_streaming": False}),
        (
            "Invalid parameter: 'response_format' of type 'json_schema' is not supported",
            "response_format",
            {"json_mode": "json_object"},
        ),
        ("structured output is not available", None, {"json_mode": "json_object"}),
        ("System role not supported", None, {"has_system_role": False}),
        (
            "Unsupported value: 'messages[0].role' does not support 'system' with this model.",
            "messages[0].role",
            {"has_system_role": False},
        ),
        ("'stop' is not supported with this model", "stop", {"has_stop": False}),
        (
            "max_tokens is too large: 9000. This model supports at most 4096 completion tokens",
            "max_tokens",
            {"max_reply_tokens": 4096},
        ),
        (
            "max_tokens: 9000 > 8192, which is the maximum allowed number of output tokens",
            None,
            {"max_reply_tokens": 8192},
        ),
        (
            "Invalid max_tokens value, the valid range of max_tokens is [1, 8192]",
            None,
            {"max_reply_tokens": 8192},
        ),
        ("`max_tokens` must be less than or equal to `8192`", None, {"max_reply_tokens": 8192}),
        ("This model supports at most 4,096 completion tokens", None, {"max_reply_tokens": 4096}),
        (
            "maxOutputTokens: from 1 (inclusive) to 8193 (exclusive)",
            None,
            {"max_reply_tokens": 8192},
        ),
        (
            "The maximum tokens you requested exceeds the model limit of 4096. Try a lower one.",
            None,
            {"max_reply_tokens": 4096},
        ),
        ("Developer instruction is not enabled for models/x", None, {"has_system_role": False}),
        ("Conversation roles must alternate user/assistant", None, {"has_system_role": False}),
        ("Please use a valid role: user, model.", None, {"has_system_role": False}),
        ("messages: Unexpected role “system”", None, {"has_system_role": False}),
        ("system messages are not supported by this model", None, {"has_system_role": False}),
        (
            "messages.0.role: Input should be 'user' or 'assistant'",
            None,
            {"has_system_role": False},
        ),
        (
            "Please ensure that roles alternate between user and model",
            None,
            {"has_system_role": False},
        ),
        ("Only user and assistant roles are supported!", None, {"has_system_role": False}),
        ("'system' is not one of ['user', 'assistant']", None, {"has_system_role": False}),
        ("Message role must be user or assistant", None, {"has_system_role": False}),
        ("Conversation must start with a user message", None, {"has_system_role": False}),
        ("temperature may not be 0", None, {"has_temperature": False}),
        ("'temperature' is too low: minimum 0.01", None, {"has_temperature": False}),
        ("invalid temperature: only 1 is allowed", None, {"has_temperature": False}),
        ("temperature: ensure this value is greater than 0", None, {"has_temperature": False}),
        ("temperature parameter out of range: (0.0, 1.0]", None, {"has_temperature": False}),
        ("`temperature` must be strictly positive", None, {"has_temperature": False}),
        ("temperature is deprecated for this model", None, {"has_temperature": False}),
        ("temperature should be in (0, 2)", "temperature", {"has_temperature": False}),
        ("You are not allowed to request logprobs from this model.", None, {"has_logprobs": False}),
    ],
)
def test_a_refusal_changes_the_one_thing_that_it_names(
    message: str, param: str | None, changed: dict[str, object]
) -> None:
    capabilities = ServerCapabilities()
    assert capabilities.adapt(_body(capabilities), message, param)
    expected = ServerCapabilities()
    for name, value in changed.items():
        setattr(expected, name, value)
    assert capabilities == expected


@pytest.mark.parametrize(
    "message",
    [
        "the model is overloaded",
        "your request was flagged by our policy",
        "temperature is not supported",  # it was not sent
        "Invalid API key",
    ],
)
def test_other_refusals_change_nothing(message: str) -> None:
    capabilities = ServerCapabilities(has_temperature=False)
    before = ServerCapabilities(has_temperature=False)
    assert not capabilities.adapt(_body(capabilities), message, None)
    assert capabilities == before


@pytest.mark.parametrize(
    "message",
    [
        "This model only support stream mode, please enable the stream parameter",
        "parameter.enable_thinking must be set to false for non-streaming calls",
        "stream must be true",
    ],
)
def test_a_server_that_only_streams_is_asked_to_stream(message: str) -> None:
    capabilities = ServerCapabilities()
    plain = capabilities.body("name", REQUEST, is_streamed=False, has_schema=False)
    assert capabilities.adapt(plain, message, None)
    assert capabilities.body("name", REQUEST, is_streamed=False, has_schema=False)["stream"] is True


@pytest.mark.parametrize(
    "message",
    [
        "System role not supported",
        "temperature must be positive",
        "max_tokens is not supported",
        "logprobs: not permitted",
    ],
)
def test_calls_that_were_refused_at_the_same_time_are_all_sent_again(message: str) -> None:
    capabilities = ServerCapabilities()
    bodies = [_body(capabilities) for _ in range(3)]
    assert all(capabilities.adapt(body, message, None) for body in bodies)


def test_what_has_no_system_text_is_not_sent_again_for_its_roles() -> None:
    capabilities = ServerCapabilities(has_system_role=False)
    assert not capabilities.adapt(_body(capabilities), "Please use a valid role", None)


def test_without_a_system_role_messages_alternate() -> None:
    capabilities = ServerCapabilities(has_system_role=False)
    talk = [Message("user", "a"), Message("system", "s"), Message("user", "b")]
    request = Request((*talk, Message("assistant", "c"), Message("user", "d")))
    sent = capabilities.body("name", request, is_streamed=False, has_schema=False)["messages"]
    assert [(each["role"], each["content"]) for each in sent] == [
        ("user", "s\n\na\n\nb"),
        ("assistant", "c"),
        ("user", "d"),
    ]


def test_json_is_tried_in_three_ways_and_never_again_in_a_better_one() -> None:
    capabilities = ServerCapabilities()
    first = _body(capabilities)
    for _ in range(2):
        assert capabilities.adapt(_body(capabilities), "response_format is not supported", None)
    assert "response_format" not in _body(capabilities)
    capabilities.adapt(first, "response_format is not supported", None)
    assert capabilities.json_mode == "none"


def test_openai_is_asked_with_the_newer_name_of_the_limit() -> None:
    card = find_card("o3-mini")
    ours = _body(ServerCapabilities.expected(card, is_openai=True))
    assert "max_completion_tokens" in ours
    assert not {"max_tokens", "temperature", "stop"} & set(ours)
    assert "max_tokens" in _body(ServerCapabilities.expected(card, is_openai=False))


def test_no_more_is_asked_for_than_the_model_can_write() -> None:
    capabilities = ServerCapabilities.expected(find_card("gpt-4-turbo"), is_openai=False)
    assert _body(capabilities)["max_tokens"] == 4096


def test_a_system_text_without_a_question_becomes_one() -> None:
    assert without_system([Message("system", "a"), Message("system", "b")]) == [
        Message("user", "a\n\nb")
    ]
    later = [Message("system", "s"), Message("assistant", "a"), Message("user", "q")]
    assert without_system(later) == [Message("assistant", "a"), Message("user", "s\n\nq")]
    assert without_system([Message("user", "q")]) == [Message("user", "q")]
