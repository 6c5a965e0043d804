"""Chat and plain completions: from a request to sequences, from their chunks to responses."""

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import BaseModel

from lcagent.engine.checkpoint.chat_tokenizer import ChatTokenizer
from lcagent.engine.engine import AsyncEngine
from lcagent.engine.generation.params import (
    FinishReason,
    GenerationParams,
    SampledToken,
    SamplingParams,
    StreamChunk,
)
from lcagent.engine.generation.sequences import Sequence
from lcagent.engine.memories.memory_library import MemoryLibrary
from lcagent.engine.model_runner import SequenceState
from lcagent.engine.server import protocol
from lcagent.engine.server.error_responses import NotFound, error_code, error_content, error_status
from lcagent.engine.server.middleware import Metrics
from lcagent.errors import LcagentError, UsageError

CHAT_TOKENS, COMPLETION_TOKENS = 1024, 16
"""Of a reply, where a request names no limit."""

LOOK_S = 0.5
"""How often a reply looks whether its client is still there."""

CLIENT_LEFT = 499

CompletionKind = protocol.ChatCompletionRequest | protocol.CompletionRequest


@dataclass(frozen=True, slots=True)
class ServedEngine:
    """What all requests share."""

    engine: AsyncEngine
    metrics: Metrics

    @property
    def library(self) -> MemoryLibrary:
        """The memories; NotFound where the server keeps none."""
        if self.engine.library is None:
            raise NotFound("this server keeps no memories; start it with a folder for them")
        return self.engine.library

    def check_model(self, name: str) -> None:
        """Refuse a request for another model."""
        if name != self.engine.name:
            raise NotFound(f"the model {name[:100]!r} is not here; this is {self.engine.name!r}")


def completion_routes(served: ServedEngine) -> APIRouter:
    """Return the routes of chat and plain completions."""
    routes = APIRouter(prefix="/v1", tags=["completions"])

    @routes.post("/chat/completions", response_model=protocol.ChatCompletionResponse)
    async def chat(body: protocol.ChatCompletionRequest, request: Request) -> Response:
        """Reply to a conversation."""
        return await _reply(served, body, request, has_logprobs=bool(body.logprobs))

    @routes.post("/completions", response_model=protocol.CompletionResponse)
    async def complete(body: protocol.CompletionRequest, request: Request) -> Response:
        """Go on after a prompt."""
        return await _reply(served, body, request, has_logprobs=body.logprobs is not None)

    return routes


async def create_sequences(served: ServedEngine, body: CompletionKind) -> tuple[Sequence, ...]:
    """Return the replies that a request wants; tokens are counted in a thread."""
    served.check_model(body.model)
    memory = await asyncio.to_thread(_named_memory, served, body.memory)
    prompt = await asyncio.to_thread(_prompt_tokens, served.engine, body, memory)
    room = max(1, served.engine.context_tokens - len(prompt))
    default = COMPLETION_TOKENS
    if isinstance(body, protocol.ChatCompletionRequest):
        default = CHAT_TOKENS
    max_tokens = _max_tokens(body) or min(default, room)
    params = GenerationParams(max_tokens, _sampling(body), body.stops)
    return await served.engine.create_sequences(prompt, params, n=body.n or 1, memory=memory)


@dataclass(slots=True)
class ResponseBuilder:
    """Builds one response; `is_chat` tells which of the two kinds of completion it is."""

    tokenizer: ChatTokenizer
    model: str
    is_chat: bool
    has_logprobs: bool
    created: int = field(default_factory=lambda: int(time.time()))
    id: str = field(default_factory=lambda: f"lcagent-{uuid.uuid4().hex}")
    _offsets: dict[int, int] = field(default_factory=dict[int, int])

    def response(
        self, sequences: tuple[Sequence, ...]
    ) -> protocol.ChatCompletionResponse | protocol.CompletionResponse:
        """Return the whole response."""
        usage = _usage(sequences)
        if not self.is_chat:
            texts = [
                self._text_choice(each.index, each.text, tuple(each.tokens), each.finish)
                for each in sequences
            ]
            return self._text(texts, usage)
        choices = [
            protocol.ChatChoice(
                index=each.index,
                message=protocol.ResponseMessage(content=each.text),
                logprobs=self._chat_logprobs(tuple(each.tokens)),
                finish_reason=_response_finish(each.finish),
            )
            for each in sequences
        ]
        return protocol.ChatCompletionResponse(
            id=self.id, created=self.created, model=self.model, choices=choices, usage=usage
        )

    def opening_event(self, index: int) -> BaseModel | None:
        """Return the event that says who speaks; plain completions have none."""
        if not self.is_chat:
            return None
        delta = protocol.Delta(role="assistant", content="")
        return self._chunk([protocol.ChatChunkChoice(index=index, delta=delta)])

    def event(self, chunk: StreamChunk) -> BaseModel:
        """Return the event of what a step added to a reply."""
        if not self.is_chat:
            choice = self._text_choice(chunk.index, chunk.text, chunk.tokens, chunk.finish)
            return self._text([choice], None)
        added = protocol.ChatChunkChoice(
            index=chunk.index,
            delta=protocol.Delta(content=chunk.text),
            logprobs=self._chat_logprobs(chunk.tokens),
            finish_reason=_response_finish(chunk.finish),
        )
        return self._chunk([added])

    def usage_event(self, sequences: tuple[Sequence, ...]) -> BaseModel:
        """Return the event that ends a stream with its usage."""
        usage = _usage(sequences)
        return self._chunk([], usage) if self.is_chat else self._text([], usage)

    def _text_choice(
        self, index: int, text: str, tokens: tuple[SampledToken, ...], finish: FinishReason | None
    ) -> protocol.CompletionChoice:
        logprobs = self._text_logprobs(index, tokens) if self.has_logprobs else None
        return protocol.CompletionChoice(
            index=index, text=text, logprobs=logprobs, finish_reason=_response_finish(finish)
        )

    def _chat_logprobs(self, tokens: tuple[SampledToken, ...]) -> protocol.ChatLogprobs | None:
        if not self.has_logprobs:
            return None
        content = [
            protocol.ChatTokenLogprob(
                **self._token(sampled.token, sampled.logprob or 0.0).model_dump(),
                top_logprobs=[self._token(*top) for top in sampled.top],
            )
            for sampled in tokens
        ]
        return protocol.ChatLogprobs(content=content)

    def _text_logprobs(
        self, index: int, tokens: tuple[SampledToken, ...]
    ) -> protocol.CompletionLogprobs:
        found = protocol.CompletionLogprobs(
            tokens=[], token_logprobs=[], top_logprobs=[], text_offset=[]
        )
        text_of = self.tokenizer.token_text
        for sampled in tokens:
            text = text_of(sampled.token)
            found.tokens.append(text)
            found.token_logprobs.append(sampled.logprob or 0.0)
            found.top_logprobs.append({text_of(token): logprob for token, logprob in sampled.top})
            found.text_offset.append(self._offsets.get(index, 0))
            self._offsets[index] = self._offsets.get(index, 0) + len(text)
        return found

    def _token(self, token: int, logprob: float) -> protocol.TopLogprob:
        data = self.tokenizer.token_bytes(token)
        name = self.tokenizer.token_text(token)
        return protocol.TopLogprob(token=name, logprob=logprob, bytes=list(data))

    def _chunk(
        self,
        choices: list[protocol.ChatChunkChoice],
        usage: protocol.CompletionUsage | None = None,
    ) -> protocol.ChatCompletionChunk:
        return protocol.ChatCompletionChunk(
            id=self.id, created=self.created, model=self.model, choices=choices, usage=usage
        )

    def _text(
        self, choices: list[protocol.CompletionChoice], usage: protocol.CompletionUsage | None
    ) -> protocol.CompletionResponse:
        return protocol.CompletionResponse(
            id=self.id, created=self.created, model=self.model, choices=choices, usage=usage
        )


async def _reply(
    served: ServedEngine, body: CompletionKind, request: Request, *, has_logprobs: bool
) -> Response:
    engine, is_chat = served.engine, isinstance(body, protocol.ChatCompletionRequest)
    builder = ResponseBuilder(engine.tokenizer, engine.name, is_chat, has_logprobs)
    sequences = await create_sequences(served, body)
    if body.stream:
        wants_usage = body.stream_options is not None and body.stream_options.include_usage
        events = _events(served, sequences, request, builder, wants_usage=wants_usage)
        # The first event is awaited here: an error before it still has a status of its own.
        first = await anext(events)
        return StreamingResponse(_prepended(first, events), media_type="text/event-stream")
    async with aclosing(_chunks(served, sequences, request)) as chunks:
        async for _ in chunks:
            pass
    if any(sequence.finish == "cancelled" for sequence in sequences):
        return Response(status_code=CLIENT_LEFT)
    return JSONResponse(builder.response(sequences).model_dump())


async def _chunks(
    served: ServedEngine, sequences: tuple[Sequence, ...], request: Request
) -> AsyncGenerator[StreamChunk, None]:
    """Yield what replies say; a client that leaves frees their places."""
    generated = served.engine.generate(sequences)
    served.metrics.begin(sequences)
    leaving = asyncio.create_task(_cancel_without_client(served.engine, sequences, request))
    try:
        async with aclosing(generated) as chunks:
            async for chunk in chunks:
                served.metrics.count_chunk(sequences[chunk.index], chunk)
                yield chunk
    finally:
        leaving.cancel()
        served.metrics.end(sequences)


async def _cancel_without_client(
    engine: AsyncEngine, sequences: tuple[Sequence, ...], request: Request
) -> None:
    await asyncio.sleep(LOOK_S)
    while not await request.is_disconnected():  # noqa: ASYNC110 -- Starlette has no event for it
        await asyncio.sleep(LOOK_S)
    engine.cancel(sequences)


async def _events(
    served: ServedEngine,
    sequences: tuple[Sequence, ...],
    request: Request,
    builder: ResponseBuilder,
    *,
    wants_usage: bool,
) -> AsyncGenerator[str, None]:
    """Yield server-sent events; an error after the first is an event, as the status is sent."""
    is_begun = False
    try:
        async with aclosing(_chunks(served, sequences, request)) as chunks:
            async for chunk in chunks:
                if not is_begun:
                    for each in sequences:
                        if (opening := builder.opening_event(each.index)) is not None:
                            yield _event(opening)
                    is_begun = True
                yield _event(builder.event(chunk))
    except LcagentError as error:
        if not is_begun:
            raise
        yield f"data: {_json_error(error)}\n\n"
    if wants_usage:
        yield _event(builder.usage_event(sequences))
    yield "data: [DONE]\n\n"


async def _prepended(first: str, rest: AsyncIterator[str]) -> AsyncIterator[str]:
    yield first
    async for event in rest:
        yield event


def _event(event: BaseModel) -> str:
    return f"data: {event.model_dump_json()}\n\n"


def _json_error(error: LcagentError) -> str:
    content = error_content(str(error), error_status(error), error_code(error))
    return bytes(JSONResponse(content).body).decode()


def _named_memory(served: ServedEngine, name: str | None) -> SequenceState | None:
    if name is None:
        return None
    library = served.library
    try:
        return library.open(name)
    except UsageError as error:
        if library.has(name):
            raise
        raise NotFound(str(error)) from error


def _prompt_tokens(
    engine: AsyncEngine, body: CompletionKind, memory: SequenceState | None
) -> list[int]:
    """Return the prompt's tokens; after a memory, a text does not begin anew."""
    tokenizer, most = engine.tokenizer, engine.context_tokens
    if isinstance(body, protocol.ChatCompletionRequest):
        tokenizer.refuse_longer("".join(message.text for message in body.messages), most)
        tokens = tokenizer.encode_chat(body.messages)
    elif isinstance(body.prompt, str):
        tokenizer.refuse_longer(body.prompt, most)
        encode: Callable[[str], list[int]] = tokenizer.encode
        if memory is not None:
            encode = tokenizer.encode_continuation
        tokens = encode(body.prompt)
    else:
        tokens = list(body.prompt)
    if memory is None:
        return tokens
    begin = tokenizer.tokenizer.bos_token_id
    return memory.tokens + (tokens[1:] if tokens[:1] == [begin] else tokens)


def _max_tokens(body: CompletionKind) -> int | None:
    if isinstance(body, protocol.ChatCompletionRequest) and body.max_completion_tokens is not None:
        return body.max_completion_tokens
    return body.max_tokens


def _sampling(body: CompletionKind) -> SamplingParams:
    top: int | None = None
    if isinstance(body, protocol.ChatCompletionRequest):
        if body.top_logprobs is not None and not body.logprobs:
            raise UsageError("top_logprobs needs logprobs to be true")
        top = (body.top_logprobs or 0) if body.logprobs else None
    else:
        top = body.logprobs
    given = {
        "temperature": body.temperature,
        "top_p": body.top_p,
        "top_k": body.top_k,
        "min_p": body.min_p,
        "seed": body.seed,
        "repetition_penalty": body.repetition_penalty,
        "presence_penalty": body.presence_penalty,
        "frequency_penalty": body.frequency_penalty,
    }
    chosen = {name: value for name, value in given.items() if value is not None}
    return SamplingParams(**{"temperature": 1.0, **chosen}, top_logprobs=top)  # type: ignore[arg-type]


def _usage(sequences: tuple[Sequence, ...]) -> protocol.CompletionUsage:
    """Return what replies to one prompt cost: the prompt counts once."""
    prompt = sequences[0].prompt_tokens
    completion = sum(len(each.tokens) for each in sequences)
    cached = protocol.PromptTokensDetails(cached_tokens=sequences[0].cached_tokens)
    return protocol.CompletionUsage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        total_tokens=prompt + completion,
        prompt_tokens_details=cached,
    )


def _response_finish(finish: FinishReason | None) -> protocol.ResponseFinish | None:
    match finish:
        case "stop" | "length":
            return finish
        case _:
            return None
