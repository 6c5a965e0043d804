"""What carries requests to a server, and what its failures mean.

The openai SDK does, with its own retries and all redirects turned off. What can never work (a
certificate that is not trusted, a proxy that refuses) is told from what may work the next time.
"""

import os
import re
import ssl
import zlib
from collections.abc import AsyncIterator

import httpx2
import openai

from lcagent.errors import ModelNotUsable, ModelUnavailable
from lcagent.models.endpoints import is_openai
from lcagent.models.network import find_certificates, find_proxy
from lcagent.models.server_errors import one_line

CONNECT_TIMEOUT_S = 10.0

_CONNECTIONS = 256
_GZIP = b"\x1f\x8b"


def new_client(base_url: str, api_key: str, timeout_s: float) -> openai.AsyncOpenAI:
    """Return a client with a pool of connections, for one event loop.

    Raises:
        ModelNotUsable: The environment names a proxy or certificates that cannot be used.
    """
    return _Client(
        api_key=api_key,
        base_url=base_url,
        max_retries=0,
        http_client=openai.DefaultAsyncHttpxClient(
            base_url=base_url,
            timeout=httpx2.Timeout(timeout_s, connect=CONNECT_TIMEOUT_S),
            limits=httpx2.Limits(max_connections=_CONNECTIONS, keepalive_expiry=30),
            follow_redirects=False,
            proxy=find_proxy(base_url),
            verify=find_certificates(base_url, os.environ),
            trust_env=False,
        ),
        timeout=httpx2.Timeout(timeout_s, connect=CONNECT_TIMEOUT_S),
    )


async def unpacked(response: httpx2.Response) -> AsyncIterator[bytes]:
    """Yield the body of a response as it arrives.

    What is compressed is known by its first bytes: not every server that says so does it.
    """
    unpacker, is_first = None, True
    async for piece in response.aiter_raw():
        if is_first and piece:
            is_first = False
            is_packed = piece.startswith(_GZIP)
            unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16) if is_packed else None
        yield unpacker.decompress(piece) if unpacker else piece


def failure(host: str, error: BaseException, timeout_s: float) -> ModelNotUsable | ModelUnavailable:
    """Return what it means that no whole answer came."""
    if isinstance(error, openai.APITimeoutError | httpx2.TimeoutException):
        allowed = f"{CONNECT_TIMEOUT_S:g} s to connect, {timeout_s:g} s to read"
        return ModelUnavailable(f"{host} did not answer in time ({allowed})")
    if not isinstance(error, openai.APIConnectionError):
        return ModelUnavailable(f"the answer of {host} broke off ({_kind(error)})")
    cause = error.__cause__
    final = _why_never(host, cause)
    if final:
        return ModelNotUsable(final)
    if isinstance(cause, httpx2.ProxyError):
        return ModelUnavailable(f"the proxy cannot reach {host} ({_kind(cause)}); see NO_PROXY")
    if isinstance(cause, httpx2.ConnectError):
        return ModelUnavailable(
            f"{host} cannot be reached ({_kind(cause)}); is the server running, the base URL right?"
        )
    return ModelUnavailable(f"the answer of {host} broke off ({_kind(cause)})")


def _why_never(host: str, cause: BaseException | None) -> str:
    """Say why no request can ever be answered, if that is so."""
    why = _kind(cause)
    if _is_about_certificate(cause):
        return (
            f"the certificate of {host} is not trusted ({why}); name the file of its authority "
            "in SSL_CERT_FILE"
        )
    if _NO_TLS.search(why):
        return f"{host} speaks no HTTPS ({why}); does its base URL begin with http://?"
    if isinstance(cause, httpx2.ProxyError) and _PROXY_REFUSES.match(why):
        return f"the proxy refuses to connect to {host} ({why}); see HTTPS_PROXY and NO_PROXY"
    if isinstance(cause, httpx2.UnsupportedProtocol | httpx2.LocalProtocolError):
        return f"no request can be sent to {host} ({why}); see the base URL"
    return ""


def _is_about_certificate(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError) or _NOT_TRUSTED in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def _kind(error: BaseException | None) -> str:
    return one_line(str(error or "")) or type(error).__name__


_NOT_TRUSTED = "CERTIFICATE_VERIFY_FAILED"
_NO_TLS = re.compile(r"WRONG_VERSION_NUMBER|RECORD_LAYER_FAILURE|UNKNOWN_PROTOCOL|HTTP_REQUEST")
_PROXY_REFUSES = re.compile(r"4\d\d\b")


class _Client(openai.AsyncOpenAI):
    """The SDK's client, without the headers that tell of this machine and of other accounts.

    By itself it sends the platform, and to any server whatever OPENAI_ORG_ID, OPENAI_PROJECT_ID
    and OPENAI_CUSTOM_HEADERS hold.
    """

    @property
    def default_headers(self) -> dict[str, str | openai.Omit]:
        kept = super().default_headers if is_openai(str(self.base_url)) else {}
        ours = {name: value for name, value in kept.items() if not name.startswith("X-Stainless")}
        agent = f"lcagent openai-python/{openai.__version__}"
        json_type = "application/json"
        return {**ours, "Accept": json_type, "Content-Type": json_type, "User-Agent": agent}
