"""What is asked of every server, real or recorded: the contract between it and `RemoteModel`.

A server need not have everything; `Traits` says what it has. Whatever it lacks, its replies are
read.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import count
from typing import Literal

import pytest

from lcagent.errors import ContextTooLong
from lcagent.models.chat_model import Message, Reply, Request
from lcagent.models.completions import read_stream
from lcagent.models.remote import RemoteModel, RequestRefused

SCHEMA = {
    "type": "object",
    "properties": {"answer": {"type": "string"}},
    "required": ["answer"],
    "additionalProperties": False,
}
ASKED = (Message("system", "You are brief."), Message("user", "Is water wet? Yes or no?"))
AS_JSON = (Message("user", 'Reply with the JSON {"answer": "yes"} and nothing else.'),)
COUNTED = (Message("user", "Count in words: one, two, three, four, five, six, seven."),)


@dataclass(frozen=True, slots=True)
class Traits:
    """What a server has.

    Attributes:
        json: The best form in which it takes a JSON schema.
        window: Tokens, where its error tells them.
    """

    usage: bool = True
    usage_in_streams: bool = True
    logprobs: bool = False
    system_role: bool = True
    json: Literal["json_schema", "json_object", "none"] = "json_schema"
    window: int | None = None


async def check_plain(model: RemoteModel, traits: Traits) -> None:
    """A reply has a text, without reasoning, and its cost."""
    reply = await model.complete(Request(ASKED, max_tokens=24))
    _assert_whole(reply)
    assert reply.is_estimate is not traits.usage
    assert model.capabilities.has_system_role is traits.system_role


async def check_streaming(model: RemoteModel, traits: Traits) -> None:
    """A streamed reply is its pieces, each once, and has its cost."""
    pieces: list[str] = []
    reply = await model.complete(Request(ASKED, max_tokens=24), pieces.append)
    _assert_whole(reply)
    assert "".join(pieces) == reply.text
    assert reply.is_estimate is not traits.usage_in_streams


async def check_json_schema(model: RemoteModel, traits: Traits) -> None:
    """A reply is JSON as a schema says, in the best form that the server takes."""
    reply = await model.complete(Request(AS_JSON, max_tokens=48, schema=SCHEMA))
    assert list(json.loads(reply.text)) == ["answer"]
    assert model.capabilities.json_mode == traits.json


async def check_json_mode(model: RemoteModel, traits: Traits) -> None:
    """A reply is JSON where only that is asked for."""
    model.capabilities.json_mode = "json_object"
    reply = await model.complete(Request(AS_JSON, max_tokens=48, schema=SCHEMA))
    assert isinstance(json.loads(reply.text), dict)
    assert (model.capabilities.json_mode == "json_object") is (traits.json != "none")


async def check_logprobs(model: RemoteModel, traits: Traits) -> None:
    """The log-probabilities are those of the text, or there are none; the text is there."""
    for on_text in (None, lambda piece: None):
        reply = await model.complete(Request(ASKED, max_tokens=4, wants_logprobs=True), on_text)
        _assert_whole(reply)
        assert (reply.logprobs is not None) is traits.logprobs
        if reply.logprobs is not None:
            spelled = b"".join(each.data for each in reply.logprobs).decode()
            assert spelled.strip() == reply.text.strip()
            assert all(each.logprob <= 0 for each in reply.logprobs)


async def check_stop(model: RemoteModel, _: Traits) -> None:
    """A reply ends before a stop sequence."""
    reply = await model.complete(Request(COUNTED, max_tokens=32, stop=("three",)))
    _assert_whole(reply)
    assert "three" not in reply.text
    assert reply.finish == "stop"


async def check_length(model: RemoteModel, _: Traits) -> None:
    """A reply that was cut off says so, also in a stream."""
    for on_text in (None, lambda piece: None):
        reply = await model.complete(Request(COUNTED, max_tokens=3), on_text)
        assert reply.finish == "length"
        assert reply.text


async def check_n(model: RemoteModel, _: Traits) -> None:
    """Of several replies one is read, or the server says that it makes one only."""
    messages = [{"role": each.role, "content": each.text} for each in ASKED]
    body = {"model": model.card.name, "messages": messages, "n": 2, "max_tokens": 8}
    for streamed in ({}, {"stream": True}):
        connection = model._connection
        try:
            async with connection.post("/chat/completions", {**body, **streamed}) as response:
                said = await read_stream(connection.pieces(response))
        except RequestRefused as refused:
            if "n" not in refused.refusal.message.replace("'", " ").split():
                raise
        else:
            assert said.text
            assert "SECOND" not in said.text


async def check_cached_tokens(model: RemoteModel, _: Traits) -> None:
    """A prompt that the server has in its cache is counted in full."""
    first = await model.complete(Request(ASKED, max_tokens=4))
    second = await model.complete(Request(ASKED, max_tokens=4))
    assert first.prompt_tokens == second.prompt_tokens > 10


async def check_overflow(model: RemoteModel, traits: Traits) -> None:
    """A prompt that does not fit is known as that, and the window is kept to from then on."""
    before = model.card.window_tokens
    long = Request((Message("user", "many words and more " * 4_000),), max_tokens=64)
    with pytest.raises(ContextTooLong, match="says that prompt and reply do not fit"):
        await model.complete(long)
    assert model.card.window_tokens == (traits.window or before)


async def check_cancellation(model: RemoteModel, _: Traits) -> None:
    """A call that is cancelled while it is answered leaves a server, and a model, that answer."""
    begun = asyncio.Event()
    request = Request(COUNTED, max_tokens=512)
    task = asyncio.create_task(model.complete(request, lambda piece: begun.set()))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(60):
        _assert_whole(await model.complete(Request(ASKED, max_tokens=8)))


def _assert_whole(reply: Reply) -> None:
    assert reply.text.strip()
    assert reply.finish in ("stop", "length")
    assert reply.prompt_tokens > 0
    assert reply.completion_tokens > 0
    lowered = reply.text.lower()
    assert not any(odd in lowered for odd in ("<think", "</think", "hmm", "none", "[done]"))
    assert all(lowered.count(word) < 2 for word in ("wet", "water is"))


Check = Callable[[RemoteModel, Traits], Awaitable[None]]

CHECKS: dict[str, Check] = {
    "plain": check_plain,
    "streaming": check_streaming,
    "json_schema": check_json_schema,
    "json_mode": check_json_mode,
    "logprobs": check_logprobs,
    "stop": check_stop,
    "length": check_length,
    "n": check_n,
    "cached_tokens": check_cached_tokens,
    "overflow": check_overflow,
    "cancellation": check_cancellation,
}


@dataclass(frozen=True, slots=True)
class Exchange:
    """A reply as a server sent it."""

    status: int
    content_type: str
    body: str


@dataclass(frozen=True, slots=True)
class Dialect:
    """What a server was seen to send, by check, in the order in which it was asked."""

    traits: Traits
    exchanges: dict[str, list[Exchange]]


def read_dialect(text: str) -> Dialect:
    """Read a recording: lines `# trait: value`, then a section for each reply.

    A section begins with `### CHECK STATUS TYPE`; the last one of a check is sent again and again.
    """
    head, *sections = text.split("\n### ")
    told = dict(line[2:].split(": ", 1) for line in head.splitlines() if line.startswith("# "))
    exchanges: dict[str, list[Exchange]] = {}
    for section in sections:
        first, _, body = section.partition("\n")
        check, status, content_type = first.split(" ", 2)
        is_stream = content_type == "text/event-stream"
        sent = body.strip("\n") + ("\n\n" if is_stream else "\n")
        exchanges.setdefault(check, []).append(Exchange(int(status), content_type, sent))
    return Dialect(_traits(told), exchanges)


def write_dialect(server: str, traits: Traits, exchanges: dict[str, list[Exchange]]) -> str:
    """Return a recording as `read_dialect` reads it."""
    lines = [f"# server: {server}"]
    lines += [f"# {name}: {_word(getattr(traits, name))}" for name in Traits.__dataclass_fields__]
    for check, sent in exchanges.items():
        for each in sent:
            lines += ["", f"### {check} {each.status} {each.content_type}", each.body.strip("\n")]
    return "\n".join(lines) + "\n"


def _word(value: object) -> str:
    return {True: "yes", False: "no", None: "not told"}.get(value, str(value))  # type: ignore[call-overload]


def _traits(told: dict[str, str]) -> Traits:
    words = {"yes": True, "no": False, "not told": None}
    named = {name: told[name] for name in Traits.__dataclass_fields__ if name in told}
    window = named.pop("window", "not told")
    number = int(window) if window.isdigit() else None
    return Traits(**{name: words.get(each, each) for name, each in named.items()}, window=number)


def numbered() -> Callable[[list[Exchange]], Exchange]:
    """Return what takes one exchange after the other, and the last one again and again."""
    calls = count()
    return lambda sent: sent[min(next(calls), len(sent) - 1)]
