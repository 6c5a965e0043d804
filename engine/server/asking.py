"""From a request's body to replies that run: tokens, sampling, the memory to go on from."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

from fastapi import Request

from lcagent.engine.generation.prefixes import Prefixes
from lcagent.engine.generation.requests import Prompt, continues, start
from lcagent.engine.generation.sampling import Sampling
from lcagent.engine.generation.sequences import Order, Piece, Sequence
from lcagent.engine.memories.library import MemoryLibrary
from lcagent.engine.model import LocalModel
from lcagent.engine.reading import Reading
from lcagent.engine.server.bodies import ChatBody, CompletionBody, Generation
from lcagent.engine.server.errors import NotFound
from lcagent.engine.server.metrics import Metrics
from lcagent.engine.server.worker import Worker
from lcagent.errors import ModelUnavailable, UsageError

CHAT_TOKENS, COMPLETION_TOKENS = 1024, 16
LOOK_S = 0.5
"""How often a reply looks whether its client is still there."""


@dataclass(frozen=True, slots=True)
class Engine:
    """What all requests share."""

    local: LocalModel
    worker: Worker
    metrics: Metrics
    prefixes: Prefixes
    library: MemoryLibrary | None = None

    def memories(self) -> MemoryLibrary:
        """Return the memories; NotFound where the server keeps none."""
        if self.library is None:
            raise NotFound("this server keeps no memories; start it with a folder for them")
        return self.library

    def check_model(self, name: str) -> None:
        """Refuse a request for another model."""
        if name != self.local.name:
            raise NotFound(f"the model {name[:100]!r} is not here; this is {self.local.name!r}")


async def ask(engine: Engine, body: ChatBody | CompletionBody) -> tuple[Sequence, ...]:
    """Return the replies that a request wants; tokens are counted in a thread."""
    engine.check_model(body.model)
    return await asyncio.to_thread(_make, engine, body)


async def pieces_of(
    engine: Engine, replies: tuple[Sequence, ...], request: Request
) -> AsyncIterator[tuple[int, Piece]]:
    """Run replies and yield their pieces; a client that leaves frees their places.

    Raises:
        LcagentError: A reply failed.
    """
    queue = engine.worker.submit(replies)
    engine.metrics.begin(replies)
    left, next_look = len(replies), time.monotonic() + LOOK_S
    try:
        while left:
            if time.monotonic() >= next_look:
                if await request.is_disconnected():
                    return
                next_look = time.monotonic() + LOOK_S
            try:
                number, piece = await asyncio.wait_for(queue.get(), LOOK_S)
            except TimeoutError:
                continue
            engine.metrics.count_piece(replies[number], piece)
            if piece.finish == "error":
                engine.prefixes.clear()  # memory may be what was missing
                raise replies[number].error or ModelUnavailable("the reply failed")
            left -= piece.finish is not None
            yield number, piece
    finally:
        engine.worker.cancel(replies)
        engine.metrics.end(replies)


def _make(engine: Engine, body: ChatBody | CompletionBody) -> tuple[Sequence, ...]:
    opened = engine.local.opened
    given = _given_memory(engine, body.memory)
    tokens = _tokens(engine, body, given)
    limit = engine.local.context_tokens
    room = max(1, limit - len(tokens))
    wanted = _max_tokens(body)
    default = CHAT_TOKENS if isinstance(body, ChatBody) else COMPLETION_TOKENS
    order = Order(wanted or min(default, room), _sampling(body), body.stops, opened.ends)
    prompt = Prompt(tokens, _longest_start(engine, tokens, given))
    replies = start(opened, engine.local.memory, prompt, order, limit, body.n or 1)
    replies[0].on_reading = engine.prefixes.keep
    replies[0].places = engine.prefixes.places(tokens, engine.local.memory.chunk_tokens)
    return replies


def _longest_start(engine: Engine, tokens: list[int], given: Reading | None) -> Reading | None:
    """Return what has read most of a prompt: a memory, named or not, or an earlier prompt."""
    known = engine.library.longest_start(tokens) if engine.library is not None else None
    readings = (given, known, engine.prefixes.find(tokens))
    fitting = [each for each in readings if each is not None and continues(tokens, each)]
    return max(fitting, key=lambda reading: reading.read, default=None)


def _given_memory(engine: Engine, name: str | None) -> Reading | None:
    if name is None:
        return None
    try:
        return engine.memories().open(name)
    except UsageError as error:
        is_missing = not (engine.memories().folder / Path(name).name / "memory.json").is_file()
        raise (NotFound(str(error)) if is_missing else error) from error


def _tokens(engine: Engine, body: ChatBody | CompletionBody, memory: Reading | None) -> list[int]:
    """Return the prompt's tokens; after a memory, a text does not begin anew."""
    text = engine.local.opened.text
    if isinstance(body, ChatBody):
        tokens = text.encode_chat(body.messages)
    elif isinstance(body.prompt, str):
        encode: Callable[[str], list[int]] = text.encode_more if memory else text.encode
        tokens = encode(body.prompt)
    else:
        tokens = list(body.prompt)
    if memory is None:
        return tokens
    begin = text.tokenizer.bos_token_id
    return memory.tokens + (tokens[1:] if tokens[:1] == [begin] else tokens)


def _max_tokens(body: ChatBody | CompletionBody) -> int | None:
    if isinstance(body, ChatBody) and body.max_completion_tokens is not None:
        return body.max_completion_tokens
    return body.max_tokens


def _sampling(body: ChatBody | CompletionBody) -> Sampling:
    top: int | None = None
    if isinstance(body, ChatBody):
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
    return Sampling(**{"temperature": 1.0, **chosen}, top_logprobs=top)  # type: ignore[arg-type]


def is_streamed(body: Generation) -> bool:
    """Return whether a reply is to be sent as it is made."""
    return bool(body.stream)


def wants_usage(body: Generation) -> bool:
    """Return whether a streamed reply ends with its usage."""
    return body.stream_options is not None and body.stream_options.include_usage
