"""No command prints or stores a key, whatever it is given by and whatever the server repeats."""

import base64
import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from lcagent.cli import app
from lcagent.errors import ModelNotUsable
from lcagent.models.choose import choose_model

SECRETS = ("PASSWORD99", "QSECRET77", "sk-KEY-0123456789")


class _Echo(BaseHTTPRequestHandler):
    """Repeats all that it was sent in the message of an error."""

    asked: list[tuple[str, str]]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        said = self.headers.get("authorization", "")
        type(self).asked.append((self.path, said))
        decoded = base64.b64decode(said.partition("Basic ")[2]).decode()
        told = {"error": {"message": f"no access: {self.path} {said} {decoded}"}}
        body = json.dumps(told).encode()
        self.send_response(400)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- as the base class names it
        """Say nothing."""


@pytest.fixture
def echo() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Yield host and port of a server that repeats what it is sent, and what that was."""
    asked: list[tuple[str, str]] = []
    handler = type("Echo", (_Echo,), {"asked": asked})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_address[1]}", asked
        server.shutdown()


def _everything(home: Path) -> str:
    """Return all that the store holds."""
    with closing(sqlite3.connect(home / "lcagent.db")) as store, store:
        return "\n".join(store.iterdump())


@pytest.mark.parametrize("given_by", ["flag", "LCAGENT_BASE_URL", "OPENAI_BASE_URL"])
def test_a_key_is_sent_and_nowhere_else(
    echo: tuple[str, list[tuple[str, str]]],
    given_by: str,
    own_home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    host, asked = echo
    url = f"http://user:PASSWORD99@{host}/v1?api-key=QSECRET77&api-version=2"
    monkeypatch.setenv("LCAGENT_API_KEY", "sk-KEY-0123456789")
    monkeypatch.setenv("LCAGENT_MODEL", "openai:scripted")
    monkeypatch.setenv("LCAGENT_EMBEDDER", "none")
    book = tmp_path / "book.md"
    book.write_text("The lamp was lit by Osla Brand. " * 30, encoding="utf-8")
    flags = ["--base-url", url] if given_by == "flag" else []
    if not flags:
        monkeypatch.setenv(given_by, url)
    for arguments in (
        ["ask", str(book), "Who lit the lamp?", "-s", "rag", "--explain", *flags],
        ["doctor"],
        ["config", "show"],
        ["runs", "ls"],
    ):
        app.run(arguments)
    printed = capsys.readouterr()
    run_id = printed.out.strip().splitlines()[-1].split()[0]
    app.run(["runs", "show", run_id])
    app.run(["runs", "show", run_id, "--json"])
    app.run(["runs", "resume", run_id])
    after = capsys.readouterr()
    path, authorization = asked[0]
    assert path == "/v1/chat/completions?api-key=QSECRET77&api-version=2"
    assert authorization
    if not flags:  # what is in the settings is found again
        assert asked[-1] == asked[0]
    everything = printed.out + printed.err + after.out + after.err + _everything(own_home)
    assert "no access" in everything
    for secret in SECRETS:
        assert secret not in everything


@pytest.mark.parametrize("key", ["sk-KEY\n0123", "“sk-KEY-0123”", "sk-KEY 0123", "sk-KEY\r\nX: y"])
def test_a_key_that_can_be_none_is_refused_and_not_shown(
    key: str,
    echo: tuple[str, list[tuple[str, str]]],
    own_home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    host, asked = echo
    monkeypatch.setenv("LCAGENT_API_KEY", key)
    monkeypatch.setenv("LCAGENT_EMBEDDER", "none")
    book = tmp_path / "book.md"
    book.write_text("The lamp was lit by Osla Brand. " * 30, encoding="utf-8")
    asking = ["ask", str(book), "Who?", "-m", "openai:any", "--base-url", f"http://{host}/v1"]
    assert app.run(asking) == 2
    printed = capsys.readouterr()
    assert asked == []
    kept = _everything(own_home) if (own_home / "lcagent.db").exists() else ""
    assert "0123" not in printed.out + printed.err + kept
    assert "LCAGENT_API_KEY" in printed.err


@pytest.mark.parametrize(
    ("url", "is_allowed"),
    [
        ("http://models.example.com/v1", False), ("http://8.8.8.8/v1", False),
        ("https://models.example.com/v1", True), ("http://10.0.0.7:8000/v1", True),
        ("http://gpu-box:8000/v1", True), ("http://localhost:8000/v1", True),
    ],
)  # fmt: skip
@pytest.mark.parametrize("proof", ["a key", "a password"])
def test_a_key_goes_over_http_to_a_private_network_only(
    monkeypatch: pytest.MonkeyPatch, url: str, is_allowed: bool, proof: str
) -> None:
    if proof == "a key":
        monkeypatch.setenv("LCAGENT_API_KEY", "sk-KEY-0123456789")
    else:
        url = url.replace("://", "://user:PASSWORD99@")
    choose_model("openai:any", base_url=url, key_over_http=True)
    if is_allowed:
        choose_model("openai:any", base_url=url)
        return
    with pytest.raises(ModelNotUsable, match="--key-over-http") as raised:
        choose_model("openai:any", base_url=url)
    assert not any(secret in str(raised.value) for secret in SECRETS)


def test_a_model_does_not_tell_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LCAGENT_API_KEY", "sk-KEY-0123456789")
    model: Any = choose_model("openai:any", base_url="https://user:PASSWORD99@host.example/v1")
    told = f"{model!r} {vars(model)} {vars(model._connection)}"
    assert not any(secret in told for secret in SECRETS)
