"""Errors wherever servers put them."""

import json
from typing import Any

import pytest

from lcagent.errors import ContextTooLong, ModelNotUsable, ModelUnavailable
from lcagent.models.error_bodies import read_error
from lcagent.models.server_errors import UNKNOWN, error_for, one_line, read_refusal, refusal_of

FULL = "This model's maximum context length is 4096 tokens."


@pytest.mark.parametrize(
    "told",
    [
        {"error": {"message": FULL}},
        [{"error": {"message": FULL}}],
        {"error": FULL},
        {"message": FULL},
        {"Message": FULL},
        {"msg": FULL},
        {"detail": FULL},
        {"detail": [{"loc": ["body"], "msg": FULL}]},
        {"detail": {"error": {"message": FULL}}},
        {"errors": [{"message": FULL}]},
        {"error": {"error": {"message": FULL}}},
        {"error": {"message": json.dumps({"error": {"message": FULL}})}},
        {"message": json.dumps({"message": FULL})},
        {"error": {"message": "Provider returned error", "metadata": {"raw": FULL}}},
        {"error": {"message": "Error", "metadata": {"raw": json.dumps({"message": FULL})}}},
        {"error_msg": FULL, "error_code": 336007},
        {"base_resp": {"status_code": 1039, "status_msg": FULL}},
        {"error": {"message": f"litellm.BadRequestError: {json.dumps({'message': FULL})}"}},
    ],
    ids=str,
)
def test_the_words_of_an_error_are_found(told: Any) -> None:
    assert FULL in read_error(json.dumps(told).encode()).message
    with pytest.raises(ContextTooLong, match=r"--window 4096"):
        raise error_for(read_refusal(400, {}, json.dumps(told).encode(), ""), "host", "tiny")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            b"<html><head><title>413 Request\n Too &lt;Large</title></head>",
            "413 Request Too <Large",
        ),
        (b"<p>no title</p>", ""),
        (b"upstream connect error", "upstream connect error"),
        (b"\x00\xff", ""),
        (b"", ""),
        (b"7", ""),
        (b'\xef\xbb\xbf{"error": "no"}', "no"),
    ],
)
def test_a_body_that_is_no_json_is_shown_where_it_has_words(body: bytes, words: str) -> None:
    assert read_error(body).message == words


def test_an_endless_error_is_read_at_its_beginning() -> None:
    body = json.dumps(
        {"error": {"message": f"{FULL} {'tokens of the prompt ' * 100_000}"}}
    ).encode()
    refusal = read_refusal(400, {}, body, "")
    assert refusal.limit_tokens == 4096
    assert len(refusal.message) <= 4_000


def test_a_window_and_a_wait_may_stand_in_fields_of_their_own() -> None:
    told = {"error": {"message": "the request exceeds the context size", "n_ctx": 2048}}
    assert refusal_of(told, {}, "").limit_tokens == 2048
    told = {"error": {"message": "slow down", "code": 429, "details": [{"retryDelay": "34s"}]}}
    error = error_for(refusal_of(told, {}, ""), "host", "tiny")
    assert isinstance(error, ModelUnavailable)
    assert error.retry_after_s == 34


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("Rate limit reached. Please try again in 2.5s.", 2.5),
        ("Please retry after 20 seconds.", 20),
        ("Please try again in 1m30s", 90),
        ("Please try again in 250ms", 0.25),
        ("Please try again later.", None),
    ],
)
def test_a_wait_is_read_from_the_words(words: str, seconds: float | None) -> None:
    refusal = read_refusal(429, {}, json.dumps({"error": words}).encode(), "")
    error = error_for(refusal, "host", "tiny")
    assert isinstance(error, ModelUnavailable)
    assert error.retry_after_s == seconds


@pytest.mark.parametrize(
    ("told", "status", "kind"),
    [
        ({"error": {"message": "No auth credentials found", "code": 401}}, 401, ModelNotUsable),
        ({"error": {"message": "Incorrect API key provided"}}, 401, ModelNotUsable),
        ({"error": {"type": "authentication_error", "message": "no"}}, 401, ModelNotUsable),
        ({"error": {"message": "x", "code": "402"}}, 402, ModelNotUsable),
        ({"error": {"message": "Insufficient Balance"}}, 402, ModelNotUsable),
        ({"error": {"code": "model_not_found", "message": "no"}}, 404, ModelNotUsable),
        ({"error": "model 'x' not found, try pulling it first"}, 404, ModelNotUsable),
        ({"error": {"type": "invalid_request_error", "message": "no"}}, 400, ModelNotUsable),
        ([{"error": {"code": 400, "status": "INVALID_ARGUMENT"}}], 400, ModelNotUsable),
        ({"error": {"type": "overloaded_error", "message": "Overloaded"}}, 503, ModelUnavailable),
        ({"error": {"message": "x", "code": 502}}, 502, ModelUnavailable),
        ({"error": {"message": "Provider disconnected"}}, UNKNOWN, ModelUnavailable),
        ({"error": {"message": "slow", "type": "rate_limit_error"}}, 429, ModelUnavailable),
    ],
    ids=str,
)
def test_an_error_in_a_body_means_what_it_would_with_its_status(
    told: Any, status: int, kind: type[Exception]
) -> None:
    refusal = refusal_of(told, {}, "")
    assert refusal.status == status
    assert isinstance(error_for(refusal, "host", "tiny"), kind)


@pytest.mark.parametrize(
    ("status", "told", "kind"),
    [
        (413, b"<html><title>413 Request Entity Too Large</title></html>", ContextTooLong),
        (402, b"", ModelNotUsable),
        (501, b"", ModelNotUsable),
        (500, b'{"error": "model x not found"}', ModelNotUsable),
        (503, b'{"error": {"code": "invalid_api_key"}}', ModelNotUsable),
        (503, b'{"detail": {"msg": "Server is busy; please try again later."}}', ModelUnavailable),
        (524, b"<html>524</html>", ModelUnavailable),
        (429, b'{"error": {"message": "You exceeded your current quota"}}', ModelUnavailable),
    ],
)
def test_what_is_final_is_told_from_what_may_pass(
    status: int, told: bytes, kind: type[Exception]
) -> None:
    assert isinstance(error_for(read_refusal(status, {}, told, ""), "host", "tiny"), kind)


@pytest.mark.parametrize("key", ["x", "none", "max", "tokens", "context"])
def test_a_key_that_may_be_a_word_hides_nothing(key: str) -> None:
    body = json.dumps({"error": {"message": FULL}}).encode()
    error = error_for(read_refusal(400, {}, body, key), "host", "tiny")
    assert isinstance(error, ContextTooLong)
    assert FULL in str(error)


def test_a_long_error_is_understood_though_only_its_beginning_is_shown() -> None:
    body = json.dumps({"error": {"message": f"{'Sorry. ' * 60}{FULL}"}}).encode()
    error = error_for(read_refusal(400, {}, body, ""), "host", "tiny")
    assert isinstance(error, ContextTooLong)
    assert len(str(error)) < 400


@pytest.mark.parametrize(
    ("text", "key", "shown"),
    [
        ("key lm-studio is wrong", "lm-studio", "key *** is wrong"),
        ("lm-studio-2 is running", "lm-studio", "lm-studio-2 is running"),
        ("(sk-12345678)", "sk-12345678", "(***)"),
        ("sk-0123456789abcdefghij_9", "sk-0123456789abcdefghij", "***_9"),
        ("password", "pass", "password"),
    ],
)
def test_a_key_is_masked_where_it_stands_by_itself(text: str, key: str, shown: str) -> None:
    assert one_line(text, key) == shown
