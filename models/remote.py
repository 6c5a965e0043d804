"""A model behind an OpenAI-compatible server: chat completions, whole or streamed.

It sends each request once. Where the server refuses a parameter it is worded anew and sent again
(`abilities.py`); waiting and trying again is the business of `Retrying`.
"""

import json
import time
from collections.abc import Callable, Sequence
from contextlib import aclosing

from lcagent.errors import ContextTooLong, ModelUnavailable, UnusableReply
from lcagent.models.abilities import Abilities, Body
from lcagent.models.base import Message, ModelCard, OnText, Reply, Request, TokenLogprob
from lcagent.models.completions import BadBody, Completion, read_whole
from lcagent.models.connection import Connection, Received, Refused
from lcagent.models.events import EventTooLong, events
from lcagent.models.hosts import is_openai
from lcagent.models.server_errors import error_for
from lcagent.models.tokens import TokenCounter

READ_TIMEOUT_S = 600.0

_PATH = "/chat/completions"
_DONE = b"[DONE]"
_MENDABLE = {400, 404, 422, 500, 501}


class RemoteModel:
    """A model at a base URL.

    Attributes:
        abilities: What its server turned out to understand.
    """

    def __init__(
        self,
        card: ModelCard,
        *,
        base_url: str,
        api_key: str,
        timeout_s: float = READ_TIMEOUT_S,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.abilities = Abilities.expected(card, is_openai=is_openai(base_url))
        self._card = card
        self._counter = TokenCounter(card.tokenizer)
        self._connection = Connection(base_url, api_key, timeout_s)
        self._clock = clock

    @property
    def card(self) -> ModelCard:
        """What is known about the model."""
        return self._card

    @property
    def host(self) -> str:
        """Where it is asked."""
        return self._connection.host

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Return how many tokens a prompt has, or a little more."""
        return self._counter.count_messages(messages)

    async def complete(self, request: Request, on_text: OnText | None = None) -> Reply:
        """Return the reply to a request; see `ChatModel`.

        A refusal is a reply with `finish` "filtered", its words as the text.

        Raises:
            UnusableReply: All of `max_tokens` went into reasoning, and there is no text.
        """
        prompt_tokens = self.count_tokens(request.messages)
        has_schema = self._has_room(request, prompt_tokens)
        started = self._clock()
        completion = await self._completion(request, on_text, has_schema=has_schema)
        latency_s = self._clock() - started
        return self._reply(completion, request, prompt_tokens, latency_s)

    async def listed(self) -> list[str]:
        """Return the models that the server says it has.

        Raises:
            LcagentError: It does not tell.
        """
        try:
            told = json.loads(await self._connection.get("/models"))
            return [str(each["id"]) for each in told["data"]]
        except Refused as refused:
            raise error_for(refused.refusal, self.host, self._card.name) from None
        except (ValueError, KeyError, TypeError) as error:
            raise ModelUnavailable(f"{self.host} lists its models in no known form") from error

    async def close(self) -> None:
        """Close the connections of the running loop."""
        await self._connection.close()

    def _has_room(self, request: Request, prompt_tokens: int) -> bool:
        """Say whether a schema may be sent too, which a server may count as a part of the prompt.

        Raises:
            ContextTooLong: There is not even room for prompt and reply.
        """
        room = self._card.window_tokens - prompt_tokens - self.abilities.limit(request)
        if room < 0:
            raise ContextTooLong(
                f"the prompt has about {prompt_tokens} tokens; with {request.max_tokens} for the "
                f"reply it does not fit into the {self._card.window_tokens} of {self._card.name}"
            )
        if request.schema is None:
            return False
        return self._counter.count_text(json.dumps(request.schema)) <= room

    async def _completion(
        self, request: Request, on_text: OnText | None, *, has_schema: bool
    ) -> Completion:
        tried: list[Body] = []
        while True:
            body = self.abilities.body(
                self._card.name, request, is_streamed=on_text is not None, has_schema=has_schema
            )
            try:
                return await self._send(body, on_text)
            except Refused as refused:
                if body in tried or not self._adapts(body, refused):
                    raise error_for(refused.refusal, self.host, self._card.name) from None
            tried.append(body)

    def _adapts(self, body: Body, refused: Refused) -> bool:
        refusal = refused.refusal
        if refusal.status not in _MENDABLE or refusal.is_about_length:
            return False
        return self.abilities.adapt(body, f"{refusal.message} {refusal.code}", refusal.param)

    async def _send(self, body: Body, on_text: OnText | None) -> Completion:
        try:
            if not body.get("stream"):
                return read_whole(await self._connection.post(_PATH, body), on_text)
            async with self._connection.stream(_PATH, body) as received:
                if received.is_stream:
                    return await self._streamed(received, on_text)
                return read_whole(await received.whole(), on_text)
        except BadBody as error:
            told = self._connection.shown(str(error))
            raise ModelUnavailable(f"{self.host} sent {told} in place of a reply") from error

    async def _streamed(self, received: Received, on_text: OnText | None) -> Completion:
        completion, has_choices = Completion(), False
        try:
            async with aclosing(events(received.pieces())) as told:
                async for event in told:
                    if event == _DONE:
                        completion.finish = completion.finish or ("stop" if has_choices else None)
                        break
                    has_choices = completion.take(event, on_text) or has_choices
        except EventTooLong as error:
            raise BadBody("a stream without an end of a line") from error
        if completion.finish is None:
            raise BadBody("half a stream")
        rest = completion.rest()
        completion.text += rest
        if rest and on_text is not None:
            on_text(rest)
        return completion

    def _reply(
        self, completion: Completion, request: Request, counted: int, latency_s: float
    ) -> Reply:
        if completion.finish == "length" and not completion.text.strip():
            raise UnusableReply(_nothing_written(self._card.name, request, completion))
        is_told = completion.prompt_tokens is not None and completion.completion_tokens is not None
        if completion.prompt_tokens is not None:
            self._counter.learn(counted, completion.prompt_tokens)
        prompt = completion.prompt_tokens or counted
        written = completion.completion_tokens
        if written is None:
            written = self._counter.count_text(completion.text)
        return Reply(
            text=completion.text,
            finish=completion.finish or "stop",
            prompt_tokens=prompt,
            completion_tokens=written,
            is_estimate=not is_told,
            usd=self._card.usd(prompt, written),
            logprobs=_aligned(completion, request),
            latency_s=latency_s,
        )


def _aligned(completion: Completion, request: Request) -> tuple[TokenLogprob, ...] | None:
    """Return the log-probabilities if they are those of the text and nothing else."""
    if not request.wants_logprobs or not completion.logprobs:
        return None
    first, spelled, wanted = len(completion.logprobs), b"", completion.text.encode()
    while first and len(spelled) < len(wanted):  # reasoning may come before it
        first -= 1
        spelled = completion.logprobs[first].data + spelled
    is_whole = spelled.decode("utf-8", "replace").lstrip() == completion.text.lstrip()
    return tuple(completion.logprobs[first:]) if is_whole else None


def _nothing_written(name: str, request: Request, completion: Completion) -> str:
    used = completion.reasoning_tokens or request.max_tokens
    return (
        f"{name} used up its {request.max_tokens} tokens before it wrote anything "
        f"(reasoning: {used}); allow longer replies or ask for less reasoning"
    )
