"""What base URLs say."""

import pytest

from lcagent.errors import UsageError
from lcagent.models.endpoints import is_loopback, is_openai, normalize_url, without_credentials


@pytest.mark.parametrize(
    "url", ["", "localhost:8000", "ftp://x", "http://", "http://x:y/", "https:///v1"]
)
def test_what_is_no_url_is_a_usage_error(url: str) -> None:
    with pytest.raises(UsageError, match="http://localhost:8000/v1"):
        normalize_url(url)


def test_a_url_has_one_spelling() -> None:
    assert normalize_url(" http://localhost:8000/v1/ ") == "http://localhost:8000/v1"


def test_a_password_is_not_shown() -> None:
    assert without_credentials("https://me:secret@host:1/v1/?key=k") == "https://host:1/v1"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "[::1]", "a.localhost"])
def test_this_machine_is_known(host: str) -> None:
    assert is_loopback(f"http://{host}:8000/v1")


@pytest.mark.parametrize("host", ["localhost.example.com", "10.0.0.1", "127.0.0.1.example.com"])
def test_other_machines_are_not_this_one(host: str) -> None:
    assert not is_loopback(f"http://{host}/v1")


def test_openai_is_known_by_its_host() -> None:
    assert is_openai("https://api.openai.com/v1")
    assert is_openai("https://eu.api.openai.com/v1")
    assert not is_openai("https://api.openai.com.example.com/v1")
