"""A model behind an OpenAI-compatible server: chat completions, whole or streamed.

Each request is sent once. If the server rejects a parameter, the request is rewritten without it
and sent again at once (`capabilities.py`); waiting and retrying is left to `Retrying`.
"""

import json
import time
import zlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from typing import Any, cast

import httpx2
import openai

from lcagent.concurrency import PerLoop
from lcagent.credentials import BaseUrl, Secret
from lcagent.errors import ContextTooLong, ModelNotUsable, ModelUnavailable, UnusableReply
from lcagent.models.capabilities import Body, ServerCapabilities
from lcagent.models.chat_model import Message, ModelCard, OnText, Reply, Request
from lcagent.models.completions import (
    BadBody,
    BrokenOff,
    NoApi,
    SentError,
    ServerReply,
    read_stream,
)
from lcagent.models.endpoints import check_key, host_and_port, is_openai, split_query
from lcagent.models.server_errors import (
    UNKNOWN,
    Refusal,
    error_for,
    one_line,
    read_refusal,
    refusal_of,
)
from lcagent.models.tokens import TokenCounter
from lcagent.models.transport import failure, new_client, unpacked

READ_TIMEOUT_S = 600.0

_LONG_REPLY = 256
"""Tokens; a shorter reply is over before a loop is known for one."""
_MENDABLE = {UNKNOWN, 400, 403, 404, 405, 422, 500, 501}
"""Status codes with which servers reject a parameter they do not know."""


class RemoteModel:
    """A model at a base URL.

    Attributes:
        capabilities: What its server accepts, as far as earlier requests have shown.
    """

    def __init__(
        self,
        card: ModelCard,
        *,
        base_url: str,
        api_key: str | Secret,
        timeout_s: float = READ_TIMEOUT_S,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.capabilities = ServerCapabilities.expected(card, is_openai=is_openai(base_url))
        self._card = card
        self._counter = TokenCounter(card.tokenizer)
        self._connection = Connection(base_url, api_key, timeout_s)
        self._clock = clock
        self._has_replied = False

    @property
    def card(self) -> ModelCard:
        """What is known about the model."""
        return self._card

    @property
    def host(self) -> str:
        """Host and port of the server."""
        return self._connection.host

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Return the tokens of a prompt, estimated to be too many rather than too few."""
        return self._counter.count_messages(messages)

    async def complete(self, request: Request, on_text: OnText | None = None) -> Reply:
        """Return the reply to a request; see `ChatModel`.

        If the model refuses, `finish` is "filtered" and the text is its refusal.

        Raises:
            UnusableReply: There is no text; the message says why.
        """
        prompt_tokens = self.count_tokens(request.messages)
        has_schema = self._has_room(request, prompt_tokens)
        # A loop can be stopped in a stream only; JSON and log-probabilities come more surely whole.
        is_plain = request.schema is None and not request.wants_logprobs
        is_streamed = on_text is not None or (is_plain and request.max_tokens >= _LONG_REPLY)
        started = self._clock()
        tried: list[Body] = []
        while True:
            body = self.capabilities.body(
                self._card.name, request, is_streamed=is_streamed, has_schema=has_schema
            )
            try:
                async with self._connection.post("/chat/completions", body) as response:
                    said = await self._read(response, on_text)
                self._has_replied = True
                break
            except RequestRefused as refused:
                self._learn(refused.refusal)
                if body in tried or not self._adapts(body, refused.refusal):
                    raise error_for(refused.refusal, self.host, self._card.name) from None
            tried.append(body)
        return self._reply(said, request, prompt_tokens, self._clock() - started)

    async def list_models(self) -> list[str]:
        """Return the names of the models that the server lists.

        Raises:
            LcagentError: It has no such list, or none that can be read.
        """
        try:
            listed = json.loads(await self._connection.get("/models"))
            return [str(model["id"]) for model in listed["data"]]
        except RequestRefused as refused:
            raise error_for(refused.refusal, self.host, self._card.name) from None
        except (ValueError, KeyError, TypeError) as error:
            raise ModelUnavailable(f"{self.host} lists its models in no known form") from error

    async def close(self) -> None:
        """Close the connections that belong to the running event loop."""
        await self._connection.close()

    def _has_room(self, request: Request, prompt_tokens: int) -> bool:
        """Say whether the JSON schema fits too: some servers count it as a part of the prompt.

        Raises:
            ContextTooLong: Prompt and reply alone do not fit.
        """
        room = self._card.window_tokens - prompt_tokens - self.capabilities.limit(request)
        if room < 0:
            raise ContextTooLong(
                f"the prompt has about {prompt_tokens} tokens; with {request.max_tokens} for the "
                f"reply it does not fit into the {self._card.window_tokens} of {self._card.name}"
            )
        if request.schema is None:
            return False
        return self._counter.count_text(json.dumps(request.schema)) <= room

    def _adapts(self, body: Body, refusal: Refusal) -> bool:
        if refusal.status not in _MENDABLE or refusal.is_about_length:
            return False
        if refusal.status == 403 and "logprobs" not in refusal.message:
            return False
        return self.capabilities.adapt(body, f"{refusal.message} {refusal.code}", refusal.param)

    def _learn(self, refusal: Refusal) -> None:
        """Know the window that the server tells of, so that nothing longer is sent to it."""
        limit = refusal.limit_tokens
        if limit is not None and limit < self._card.window_tokens:
            self._card = replace(self._card, window_tokens=limit)

    async def _read(self, response: httpx2.Response, on_text: OnText | None) -> ServerReply:
        charset = response.charset_encoding or ""
        try:
            return await read_stream(self._connection.pieces(response), on_text, charset=charset)
        except SentError as error:
            refusal = self._connection.refusal(error.told, response)
            if error.comes_late:
                raise error_for(refusal, self.host, self._card.name) from None
            raise RequestRefused(refusal) from None
        except NoApi as error:
            raise self._no_api(error) from None
        except BadBody as error:
            found = self._connection.redact(str(error))
            raise ModelUnavailable(f"{self.host} sent {found} in place of a reply") from None
        except BrokenOff as error:
            if error.told is not None:
                refusal = self._connection.refusal(error.told, response)
                meant = error_for(refusal, self.host, self._card.name)
                if not isinstance(meant, ModelUnavailable):
                    raise meant from None
            why = self._connection.redact(str(error))
            raise ModelUnavailable(f"the reply of {self.host} broke off: {why}") from None

    def _no_api(self, error: NoApi) -> ModelUnavailable | ModelNotUsable:
        """Return what a page for people means: a wrong address, or a gateway's while it is away."""
        told = f"{self.host} sent {error} in place of a reply"
        if self._has_replied:
            return ModelUnavailable(told)
        return ModelNotUsable(f"{told}; is the base URL right? As a rule it ends with /v1")

    def _reply(self, said: ServerReply, request: Request, counted: int, latency_s: float) -> Reply:
        if not said.text.strip():
            raise UnusableReply(_nothing_written(self._card.name, request, said))
        wants_logprobs = request.wants_logprobs and said.logprobs
        is_told = said.prompt_tokens is not None and said.completion_tokens is not None
        if said.prompt_tokens is not None:
            self._counter.learn(counted, said.prompt_tokens)
        prompt = said.prompt_tokens or counted
        written = said.completion_tokens
        if written is None:
            written = self._counter.count_text(said.text + said.said.repetition)
        return Reply(
            text=said.text,
            finish=said.finish or "stop",
            prompt_tokens=prompt,
            completion_tokens=written,
            is_estimate=not is_told,
            usd=self._card.usd(prompt, written),
            logprobs=said.spelled() if wants_logprobs else None,
            latency_s=latency_s,
        )


class RequestRefused(Exception):
    """The server answered with an error status; rewriting the request may help."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


class Connection:
    """Requests to one base URL, over one pool of connections for each event loop."""

    def __init__(self, base_url: str, api_key: str | Secret, timeout_s: float) -> None:
        url = BaseUrl(base_url)
        self.host = host_and_port(url)
        self._url = url.whole
        self._key = Secret(check_key(api_key if isinstance(api_key, str) else api_key.reveal()))
        self._secrets = (self._key, *url.secrets)
        self._timeout_s = timeout_s
        self._clients = PerLoop(self._new_client)

    @asynccontextmanager
    async def post(self, path: str, body: dict[str, Any]) -> AsyncIterator[httpx2.Response]:
        """Send a request and yield the response, whose body is still to be read.

        Raises:
            RequestRefused: The status says that it is an error.
            ModelUnavailable: No whole response came.
        """
        with self._failures():
            response = await self._clients.get().post(
                self._at(path),
                cast_to=httpx2.Response,
                body=body,
                stream=True,  # let the SDK leave the body to us; `body` says if the server streams
                stream_cls=openai.AsyncStream[Any],
            )
            received = cast("httpx2.Response", response)
            try:
                yield received
            finally:
                await received.aclose()

    async def pieces(self, response: httpx2.Response) -> AsyncIterator[bytes]:
        """Yield the body of a response as it arrives.

        Raises:
            ModelUnavailable: It broke off.
        """
        with self._failures():
            async for piece in unpacked(response):
                yield piece

    async def get(self, path: str) -> bytes:
        """Return the body of a page; raises what `post` raises."""
        with self._failures():
            response = await self._clients.get().get(self._at(path), cast_to=httpx2.Response)
            return response.content

    def redact(self, text: str) -> str:
        """Return what a server sent as it may be shown: one line, without the key."""
        return one_line(text, self._secrets)

    def refusal(self, told: Any, response: httpx2.Response) -> Refusal:
        """Return an error that came in place of a completion."""
        return refusal_of(told, response.headers, self._secrets)

    def _new_client(self) -> openai.AsyncOpenAI:
        address, _ = split_query(self._url.reveal())
        return new_client(address, self._key.reveal(), self._timeout_s)

    def _at(self, path: str) -> str:
        _, query = split_query(self._url.reveal())
        return path + query

    async def close(self) -> None:
        """Close the connections that belong to the running event loop."""
        client = self._clients.pop()
        if client is not None:
            await client.close()

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except openai.APIStatusError as error:
            response = error.response
            refusal = read_refusal(
                error.status_code, response.headers, response.content, self._secrets
            )
            # Its traceback would hold the request and its headers, the key among them.
            raise RequestRefused(refusal) from None
        except (openai.APIConnectionError, httpx2.HTTPError, zlib.error) as error:
            raise failure(self.host, error, self._timeout_s) from None


def _nothing_written(name: str, request: Request, said: ServerReply) -> str:
    if said.finish == "length":
        used = said.reasoning_tokens or request.max_tokens
        return (
            f"{name} used up its {request.max_tokens} tokens before it wrote anything "
            f"(reasoning: {used}); allow longer replies or ask for less reasoning"
        )
    if said.finish == "filtered":
        why = f"the server withheld its reply (“{said.told}”)"
    elif said.calls_tool:
        why = "it asked for a tool instead, and lcagent offers none"
    elif said.has_reasoning:
        why = "its reply is all reasoning; ask for less reasoning, or for a longer reply"
    elif said.finish == "stop":
        why = "its reply is empty"
    else:
        why = f"its reply is empty and ended with “{said.told}”"
    return f"{name} wrote nothing: {one_line(why)}"
