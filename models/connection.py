"""Bytes to a server and back, over the openai SDK: one host, no retries, no redirects.

What fails becomes an error of ours here; what is understood of a reply is told elsewhere.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, cast

import httpx2
import openai

from lcagent.errors import ModelUnavailable
from lcagent.models.hosts import host_of, is_loopback, is_openai
from lcagent.models.loops import PerLoop
from lcagent.models.server_errors import Refusal, one_line, read_refusal

CONNECT_TIMEOUT_S = 10.0
_CONNECTIONS = 256


class Refused(Exception):
    """The server answered with an error; it may be mended by another wording."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


class Received:
    """The beginning of an answer with status 200."""

    def __init__(self, response: httpx2.Response) -> None:
        self.response = response

    @property
    def is_stream(self) -> bool:
        """It comes in events; some servers reply in one piece whatever they are asked."""
        return self.response.headers.get("content-type", "").startswith("text/event-stream")

    def pieces(self) -> AsyncIterator[bytes]:
        """Yield the body as it arrives."""
        return self.response.aiter_bytes()

    async def whole(self) -> bytes:
        """Return the body when it is complete."""
        return await self.response.aread()


class Connection:
    """Requests to one base URL."""

    def __init__(self, base_url: str, api_key: str, timeout_s: float) -> None:
        self.host = host_of(base_url)
        self._base_url = base_url
        self._api_key = api_key
        self._timeout_s = timeout_s
        self._clients = PerLoop(self._new_client)

    async def post(self, path: str, body: dict[str, Any]) -> bytes:
        """Send a request and return the body of the answer.

        Raises:
            Refused: The status says that it is an error.
            ModelUnavailable: No whole answer came.
        """
        with self._failures():
            response = await self._clients.get().post(path, cast_to=httpx2.Response, body=body)
            return response.content

    async def get(self, path: str) -> bytes:
        """Fetch a page; errors are those of `post`."""
        with self._failures():
            response = await self._clients.get().get(path, cast_to=httpx2.Response)
            return response.content

    @asynccontextmanager
    async def stream(self, path: str, body: dict[str, Any]) -> AsyncIterator[Received]:
        """Send a request and yield the answer as it begins; errors are those of `post`."""
        with self._failures():
            response = await self._clients.get().post(
                path,
                cast_to=httpx2.Response,
                body=body,
                stream=True,
                stream_cls=openai.AsyncStream[Any],
            )
            received = Received(cast("httpx2.Response", response))
            try:
                yield received
            finally:
                await received.response.aclose()

    def shown(self, text: str) -> str:
        """Return what a server said as it may be shown: one line, without the key."""
        return one_line(text, self._api_key)

    async def close(self) -> None:
        """Close the connections of the running loop."""
        client = self._clients.pop()
        if client is not None:
            await client.close()

    def _new_client(self) -> "_Client":
        return _Client(
            api_key=self._api_key,
            base_url=self._base_url,
            max_retries=0,
            http_client=openai.DefaultAsyncHttpxClient(
                base_url=self._base_url,
                timeout=httpx2.Timeout(self._timeout_s, connect=CONNECT_TIMEOUT_S),
                limits=httpx2.Limits(max_connections=_CONNECTIONS, keepalive_expiry=30),
                follow_redirects=False,
                trust_env=not is_loopback(self._base_url),  # a proxy is another host
            ),
            timeout=httpx2.Timeout(self._timeout_s, connect=CONNECT_TIMEOUT_S),
        )

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except openai.APIStatusError as error:
            response = error.response
            refusal = read_refusal(
                error.status_code, response.headers, response.content, self._api_key
            )
            raise Refused(refusal) from None  # its traceback holds the request and its headers
        except openai.APITimeoutError:
            raise ModelUnavailable(_silence(self.host, self._timeout_s)) from None
        except openai.APIConnectionError as error:
            raise ModelUnavailable(_unreachable(self.host, error.__cause__)) from None
        except httpx2.TimeoutException:
            raise ModelUnavailable(_silence(self.host, self._timeout_s)) from None
        except httpx2.HTTPError as error:
            raise ModelUnavailable(
                f"the answer of {self.host} broke off ({_kind(error)})"
            ) from None


class _Client(openai.AsyncOpenAI):
    """The SDK's client, which tells a server nothing about this machine or other accounts.

    It would send platform headers, and to any server whatever OPENAI_ORG_ID, OPENAI_PROJECT_ID
    and OPENAI_CUSTOM_HEADERS hold.
    """

    @property
    def default_headers(self) -> dict[str, str | openai.Omit]:
        kept = super().default_headers if is_openai(str(self.base_url)) else {}
        ours = {name: value for name, value in kept.items() if not name.startswith("X-Stainless")}
        agent = f"lcagent openai-python/{openai.__version__}"
        json_type = "application/json"
        return {**ours, "Accept": json_type, "Content-Type": json_type, "User-Agent": agent}


def _silence(host: str, timeout_s: float) -> str:
    allowed = f"{CONNECT_TIMEOUT_S:g} s to connect, {timeout_s:g} s to read"
    return f"{host} did not answer in time ({allowed})"


def _unreachable(host: str, cause: BaseException | None) -> str:
    """Say why no answer came; `cause` is the error of the HTTP library."""
    if isinstance(cause, httpx2.ConnectError):
        return (
            f"{host} cannot be reached ({_kind(cause)}); is the server running, the base URL right?"
        )
    return f"the answer of {host} broke off ({_kind(cause)})"


def _kind(error: BaseException | None) -> str:
    text = one_line(str(error or ""))
    return text or type(error).__name__
