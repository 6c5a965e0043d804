"""Where keys come from."""

import pytest

from lcagent.errors import ModelNotUsable
from lcagent.models.endpoints import PLACEHOLDER, api_key

OPENAI = "https://api.openai.com/v1"


def _none(service: str, user: str) -> str | None:
    assert service == "lcagent"
    assert user
    return None


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"LCAGENT_API_KEY": "a", "OPENAI_API_KEY": "b"}, "a"),
        ({"OPENAI_API_KEY": " b\n"}, "b"),
        ({"LCAGENT_API_KEY": "  ", "OPENAI_API_KEY": "b"}, "b"),
    ],
)
def test_our_variable_comes_before_openais(environment: dict[str, str], expected: str) -> None:
    assert api_key(OPENAI, environment=environment, keyring=_none) == expected


def test_the_keyring_is_asked_for_the_host() -> None:
    kept = {("lcagent", "example.com:8000"): "k"}
    key = api_key(
        "https://example.com:8000/v1", environment={}, keyring=lambda s, u: kept.get((s, u))
    )
    assert key == "k"


def test_no_key_is_one_line_that_says_what_to_set() -> None:
    with pytest.raises(ModelNotUsable, match=r"^no key for api\.openai\.com: set LCAGENT_API_KEY"):
        api_key(OPENAI, environment={}, keyring=_none)


@pytest.mark.parametrize(
    "url", ["http://localhost:11434/v1", "http://127.0.0.1/v1", "http://[::1]:1"]
)
def test_a_server_on_this_machine_needs_no_key(url: str) -> None:
    assert api_key(url, environment={}, keyring=_none) == PLACEHOLDER


def test_a_machine_without_a_keyring_has_no_key_and_no_error() -> None:
    assert api_key("http://localhost/v1", environment={}) == PLACEHOLDER
