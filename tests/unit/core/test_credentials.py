"""A key cannot be written down by accident, and a URL is parted from what is secret in it."""

import copy
import json
import pickle
from dataclasses import asdict, dataclass, replace

import pytest

from lcagent.credentials import BaseUrl, Secret, hide, hide_in_url, is_private
from lcagent.settings import load_settings, masked
from lcagent.tasks import AskTask

KEY = "sk-QSECRET77"
URL = f"http://user:PASSWORD99@127.0.0.1:8190/v1?api-key={KEY}&api-version=2024-06-01"
SHOWN = "http://127.0.0.1:8190/v1?api-version=2024-06-01"


@dataclass(frozen=True)
class Holder:
    """Something with a key in it."""

    key: Secret


@pytest.mark.parametrize(
    "write_down",
    [
        repr, str, format, "{}".format, "{!r:>40}".format, "%s".__mod__, lambda it: f"{it:40}",
        lambda it: repr([it]), lambda it: str(Holder(it)), lambda it: str(asdict(Holder(it))),
        lambda it: json.dumps({"key": it}, default=str), lambda it: str(ValueError(it)),
        lambda it: str(dir(it)), lambda it: str(copy.deepcopy([it])),
    ],
)  # fmt: skip
def test_a_secret_cannot_be_written_down(write_down: object) -> None:
    assert KEY not in write_down(Secret(KEY))  # type: ignore[operator]


@pytest.mark.parametrize(
    "store",
    [pickle.dumps, json.dumps, lambda it: pickle.dumps(Holder(it)), vars, lambda it: it + ""],
)
def test_a_secret_cannot_be_stored(store: object) -> None:
    with pytest.raises(TypeError) as raised:
        store(Secret(KEY))  # type: ignore[operator]
    assert KEY not in str(raised.value)


def test_secrets_are_compared_by_what_they_hold() -> None:
    assert Secret(KEY) == Secret(KEY)
    assert len({Secret(KEY), Secret(KEY), Secret("other")}) == 2
    assert Secret(KEY) != KEY
    assert copy.deepcopy(Secret(KEY)).reveal() == KEY


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (URL, SHOWN),
        ("https://api.example.com/v1", "https://api.example.com/v1"),
        ("https://key@host/v1/", "https://host/v1/"),
        ("http://me:p@ss@host/v1", "http://host/v1"),
        ("http://me:p/a?s#s@host/v1", "http://host/v1"),
        ("http://[::1]:8000/v1?key=a", "http://[::1]:8000/v1"),
        ("https://host/v1?sig=abc#token", "https://host/v1"),
        ("https://host/v1?QSECRET", "https://host/v1"),
        ("https://host:8000/@cf/x", "https://host:8000/@cf/x"),
        ("me:secret@host/v1", "host/v1"),
        ("htp:/me:secret@host", "host"),
    ],
)
def test_a_base_url_is_parted_from_its_credentials(given: str, shown: str) -> None:
    url = BaseUrl(given)
    assert url == shown
    assert url.whole.reveal() == given
    assert bool(url.secrets) == (given != shown)


def test_what_is_secret_travels_beside_a_url_and_is_lost_where_it_is_stored() -> None:
    url = BaseUrl(URL)
    assert {"PASSWORD99", KEY} <= {each.reveal() for each in url.secrets}
    assert copy.deepcopy(url).whole.reveal() == URL
    assert BaseUrl(url) is url
    for stored in (json.dumps(url), repr(pickle.loads(pickle.dumps(url))), repr(url)):  # noqa: S301
        assert "PASSWORD99" not in stored
        assert KEY not in stored


def test_a_task_is_stored_and_shown_without_credentials() -> None:
    task = replace(AskTask(("a.pdf",), "Who?", base_url=URL), top_k=3)
    for written in (repr(task), json.dumps(task.as_json()), str(asdict(task))):
        assert SHOWN in written
        assert "PASSWORD99" not in written
        assert KEY not in written
    assert isinstance(task.base_url, BaseUrl)
    assert task.base_url.whole.reveal() == URL


@pytest.mark.parametrize("variable", ["LCAGENT_BASE_URL", "OPENAI_BASE_URL"])
def test_settings_are_shown_without_credentials(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, URL)
    monkeypatch.setenv("LCAGENT_DATABASE_URL", "postgresql://me:p@ss/w:or?d@host/db?password=PQ1")
    settings = load_settings()
    shown = [repr(settings), str(settings.model_url), masked(settings.model_url)]
    shown.append(masked(settings.database_url))
    assert settings.model_url is not None
    assert settings.model_url.whole.reveal() == URL
    for written in shown:
        assert not any(each in written for each in ("PASSWORD99", KEY, "p@ss", "or?d", "PQ1"))


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("postgresql://me:a@b@host/db", "postgresql://me:***@host/db"),
        ("postgresql://me@host/db?password=a&x=1", "postgresql://me@host/db?password=***&x=1"),
        ("sqlite:////home/a@b:c/lcagent.db", "sqlite:////home/a@b:c/lcagent.db"),
        ("llama-index:a.b:C?api_key=abc&n=8", "llama-index:a.b:C?api_key=***&n=8"),
        ("postgresql://host:5432/a@b", "postgresql://host:5432/a@b"),
    ],
)
def test_a_url_of_any_kind_is_shown_with_stars(given: str, shown: str) -> None:
    assert hide_in_url(given) == shown


@pytest.mark.parametrize("key", ["x", "none", "model"])
def test_a_short_key_does_not_garble_what_a_server_says(key: str) -> None:
    said = "maximum context length of the model exceeded: none left"
    assert hide(said, key) == said


def test_a_key_is_hidden_where_a_server_repeats_it() -> None:
    long = "sk-0123456789abcdefghij"
    assert hide(f"bad key {KEY}, <{long}x>", [Secret(KEY), Secret(long)]) == "bad key ***, <***x>"


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True), ("10.1.2.3", True), ("192.168.0.9:8000", True), ("[fd00::1]", True),
        ("100.64.0.7", True), ("gpu-box:8000", True), ("box.local", True), ("[::1]:80", True),
        ("8.8.8.8", False), ("api.example.com", False), ("10.0.0.1.example.com", False),
        ("[2001:4860:4860::8888]", False),
    ],
)  # fmt: skip
def test_a_private_network_is_known(host: str, expected: bool) -> None:
    assert is_private(f"http://{host}/v1") is expected
