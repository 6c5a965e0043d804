"""How a server is reached: proxies and certificates as the environment names them."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from lcagent.errors import ModelNotUsable
from lcagent.models.chat_model import Request
from lcagent.models.choose import find_card
from lcagent.models.network import find_certificates, find_proxy
from lcagent.models.remote import RemoteModel
from lcagent.models.retrying import Retrying

from .conftest import KEY

SERVER = "https://models.example.com/v1"
TLS = Path(__file__).parent / "tls"
"""A certificate of 127.0.0.1 and localhost, signed by itself, and its key: secret to nobody."""


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start without what the environment of the tests names."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)


def _proxy(monkeypatch: pytest.MonkeyPatch, url: str, named: Mapping[str, str]) -> str | None:
    for name, value in named.items():
        monkeypatch.setenv(name, value)
    return find_proxy(url)


@pytest.mark.parametrize(
    ("url", "named", "proxy"),
    [
        (SERVER, {}, None),
        (SERVER, {"HTTPS_PROXY": "http://p:1"}, "http://p:1"),
        (SERVER, {"https_proxy": "p:1"}, "http://p:1"),
        (SERVER, {"ALL_PROXY": "http://p:1"}, "http://p:1"),
        (SERVER, {"ALL_PROXY": "socks5://p:1", "HTTPS_PROXY": "http://q:1"}, "http://q:1"),
        (SERVER, {"HTTP_PROXY": "http://p:1"}, None),
        (SERVER, {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "example.com"}, None),
        (SERVER, {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "*"}, None),
        ("http://10.1.2.3:80/v1", {"HTTP_PROXY": "http://p:1", "NO_PROXY": "10.0.0.0/8"}, None),
        ("http://[fd00::1]:80/v1", {"HTTP_PROXY": "http://p:1", "NO_PROXY": "[fd00::1]"}, None),
        (
            "http://11.1.2.3/v1",
            {"HTTP_PROXY": "http://p:1", "NO_PROXY": "10.0.0.0/8"},
            "http://p:1",
        ),
        ("http://localhost:1/v1", {"ALL_PROXY": "socks5://p:1"}, None),
        ("http://0.0.0.0:1/v1", {"ALL_PROXY": "ftp://p:1"}, None),
        ("http://[::]:1/v1", {"HTTP_PROXY": "http://p:1"}, None),
    ],
)
def test_a_proxy_is_the_one_for_the_server(
    monkeypatch: pytest.MonkeyPatch, url: str, named: Mapping[str, str], proxy: str | None
) -> None:
    assert _proxy(monkeypatch, url, named) == proxy


@pytest.mark.parametrize("scheme", ["socks5", "socks5h", "socks"])
def test_a_socks_proxy_says_what_to_install(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    monkeypatch.setattr("lcagent.models.network.find_spec", lambda name: None)
    with pytest.raises(ModelNotUsable, match=r"ALL_PROXY .*SOCKS .*pip install socksio.*NO_PROXY"):
        _proxy(monkeypatch, SERVER, {"ALL_PROXY": f"{scheme}://me:secret@p:1"})


def test_a_socks_proxy_is_used_where_its_package_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lcagent.models.network.find_spec", lambda name: name)
    assert _proxy(monkeypatch, SERVER, {"ALL_PROXY": "socks://p:1"}) == "socks5://p:1"


def test_a_proxy_of_another_kind_is_refused_without_showing_its_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(ModelNotUsable, match=r"HTTPS_PROXY .*not known \(socks4://\)") as caught:
        _proxy(monkeypatch, SERVER, {"HTTPS_PROXY": "socks4://me:secret@p:1"})
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", [SERVER, "https://127.0.0.1:8443/v1"])
@pytest.mark.parametrize(
    ("name", "words"),
    [("SSL_CERT_FILE", "which is no file"), ("SSL_CERT_DIR", "which is no folder")],
)
def test_certificates_that_are_not_there_are_named(url: str, name: str, words: str) -> None:
    with pytest.raises(ModelNotUsable, match=f"{name} names /nowhere/ca.pem, {words}"):
        find_certificates(url, {name: "/nowhere/ca.pem"})


def test_a_file_without_certificates_is_named(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificates")
    with pytest.raises(ModelNotUsable, match="holds no certificates that can be read"):
        find_certificates(SERVER, {"SSL_CERT_FILE": str(tmp_path / "ca.pem")})


def test_certificates_do_not_matter_where_there_is_no_tls() -> None:
    assert find_certificates("http://127.0.0.1:80/v1", {"SSL_CERT_FILE": "/nowhere"}) is True
    assert find_certificates(SERVER, {}) is True


@asynccontextmanager
async def _serving(*, has_tls: bool = True) -> AsyncIterator[tuple[int, list[int]]]:
    """Yield a port where a reply is given, and a list that grows by each connection."""
    reply = b'{"choices": [{"message": {"content": "Yes."}, "finish_reason": "stop"}]}'
    connections: list[int] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(1)
        await reader.readuntil(b"\r\n\r\n" if has_tls else b"\x16")
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(reply)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + reply)
        writer.close()

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH) if has_tls else None
    if context is not None:
        context.load_cert_chain(TLS / "certificate.pem", TLS / "key.pem")
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1], connections


async def _ask(port: int, hello: Request) -> str:
    model = RemoteModel(find_card("any"), base_url=f"https://127.0.0.1:{port}/v1", api_key=KEY)
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    try:
        return (await Retrying(model, sleep=sleep).complete(hello)).text
    except ModelNotUsable:
        assert slept == []
        raise
    finally:
        await model.close()


@pytest.mark.anyio
async def test_a_certificate_that_is_not_trusted_is_tried_once(hello: Request) -> None:
    async with _serving() as (port, _):
        with pytest.raises(ModelNotUsable, match=r"certificate of 127\.0\.0\.1.*SSL_CERT_FILE"):
            await _ask(port, hello)


@pytest.mark.anyio
async def test_a_certificate_file_holds_on_this_machine_too(
    hello: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(TLS / "certificate.pem"))
    async with _serving() as (port, connections):
        assert await _ask(port, hello) == "Yes."
    assert connections == [1]


@pytest.mark.anyio
async def test_a_server_without_tls_is_tried_once(hello: Request) -> None:
    async with _serving(has_tls=False) as (port, _):
        with pytest.raises(ModelNotUsable, match=r"speaks no HTTPS .*http://\?"):
            await _ask(port, hello)
