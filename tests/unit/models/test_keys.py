"""Where keys come from."""

import pytest

from lcagent.errors import ModelNotUsable
from lcagent.models.choose import find_card
from lcagent.models.endpoints import PLACEHOLDER, api_key
from lcagent.models.remote import RemoteModel

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


@pytest.mark.parametrize(
    ("key", "fault"),
    [
        ("sk-1234\n5678", "a line break"),
        ("sk-1234\r\n5678", "a line break"),
        ("sk-1234\x0b5678", "a line break"),
        ("sk-1234\u20285678", "a line break"),
        ("“sk-12345678”", "a quotation mark"),
        ("'sk-12345678'", "a quotation mark"),
        ("sk-1234’5678", "a quotation mark"),
        ("Bearer sk-12345678", "a blank"),
        ("sk-1234\u00a05678", "a blank"),
        ("sk-1234\u200b5678", "a character"),
        ("sk-1234\x015678", "a character"),
        ("sk-1234é5678", "a character"),
    ],
)
@pytest.mark.parametrize("place", ["LCAGENT_API_KEY", "OPENAI_API_KEY", "keyring"])
def test_a_key_that_cannot_be_sent_is_refused_and_not_shown(
    key: str, fault: str, place: str
) -> None:
    environment = {} if place == "keyring" else {place: key}
    with pytest.raises(ModelNotUsable, match=f"the key in .*{place} .*holds {fault}") as caught:
        api_key(OPENAI, environment=environment, keyring=lambda service, user: key)
    assert "1234" not in str(caught.value)


def test_a_model_that_is_made_with_such_a_key_sends_nothing() -> None:
    with pytest.raises(ModelNotUsable, match="the key cannot be one: it holds a line break"):
        RemoteModel(find_card("any"), base_url=OPENAI, api_key="sk-1234\n")


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
