"""What base URLs say."""

import pytest

from lcagent.errors import UsageError
from lcagent.models.endpoints import (
    is_loopback,
    is_openai,
    normalize_url,
    split_query,
    without_credentials,
)


@pytest.mark.parametrize(
    "url",
    ["", "localhost:8000", "ftp://x", "http://", "http://x:y/", "https:///v1", "http://a b/v1"],
)
def test_what_is_no_url_is_a_usage_error(url: str) -> None:
    with pytest.raises(UsageError, match="http://localhost:8000/v1"):
        normalize_url(url)


@pytest.mark.parametrize(
    ("url", "spelling"),
    [
        (" http://localhost:8000/v1/ ", "http://localhost:8000/v1"),
        ("http://h/v1/chat/completions", "http://h/v1"),
        ("http://h/v1/chat/completions/?a=b", "http://h/v1?a=b"),
        ("http://h/d/gpt-4o/?api-version=2024-10-21", "http://h/d/gpt-4o?api-version=2024-10-21"),
        ("http://h/v1#part", "http://h/v1"),
        ("http://[::1]:8000/v1/", "http://[::1]:8000/v1"),
    ],
)
def test_a_url_has_one_spelling(url: str, spelling: str) -> None:
    assert normalize_url(url) == spelling


@pytest.mark.parametrize("url", ["http://::1:8000/v1", "http://fe80::1/v1", "https://::1"])
def test_an_ipv6_address_needs_brackets(url: str) -> None:
    with pytest.raises(UsageError, match=r"in brackets .*\[::1\]"):
        normalize_url(url)


def test_a_query_stands_behind_what_is_asked_for() -> None:
    assert split_query("http://h/d?api-version=1&a=b") == ("http://h/d", "?api-version=1&a=b")
    assert split_query("http://h/v1") == ("http://h/v1", "")


def test_a_password_is_not_shown() -> None:
    assert without_credentials("https://me:secret@host:1/v1/?key=k") == "https://host:1/v1"


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "127.0.0.1", "127.8.8.8", "[::1]", "a.localhost", "localhost."),
        *("0.0.0.0", "[::]", "[::ffff:127.0.0.1]", "[::ffff:0.0.0.0]"),  # noqa: S104 -- asked
    ],
)
def test_this_machine_is_known(host: str) -> None:
    assert is_loopback(f"http://{host}:8000/v1")


@pytest.mark.parametrize(
    "host", ["localhost.example.com", "10.0.0.1", "127.0.0.1.example.com", "[fd00::1]"]
)
def test_other_machines_are_not_this_one(host: str) -> None:
    assert not is_loopback(f"http://{host}/v1")


def test_openai_is_known_by_its_host() -> None:
    assert is_openai("https://api.openai.com/v1")
    assert is_openai("https://eu.api.openai.com/v1")
    assert not is_openai("https://api.openai.com.example.com/v1")
