"""Memories: read a text once, ask about it later."""

import asyncio

from fastapi import APIRouter

from lcagent.engine.memories.library import MemoryCard
from lcagent.engine.reading import Reading, new_reading
from lcagent.engine.server import answers
from lcagent.engine.server.asking import Engine
from lcagent.engine.server.bodies import MemoryBody
from lcagent.engine.server.errors import NotFound
from lcagent.errors import ContextTooLong, UsageError


def memory_routes(engine: Engine) -> APIRouter:
    """Return the routes of memories."""
    routes = APIRouter(prefix="/v1/memories", tags=["memories"])

    @routes.post("")
    async def create(body: MemoryBody) -> answers.MemoryObject:
        """Read a text into a memory; the answer comes when it is read and stored."""
        library = engine.memories()
        reading = await asyncio.to_thread(_begin, engine, body)
        await engine.worker.read(reading)
        card = await asyncio.to_thread(library.add, reading, body.title, body.id)
        return _object(card)

    @routes.get("")
    async def cards() -> answers.MemoryList:
        """List all memories."""
        found = await asyncio.to_thread(engine.memories().cards)
        return answers.MemoryList(data=[_object(card) for card in found])

    @routes.get("/{memory_id}")
    async def card(memory_id: str) -> answers.MemoryObject:
        """Tell what is known about a memory."""
        try:
            return _object(await asyncio.to_thread(engine.memories().card, memory_id))
        except UsageError as error:
            raise NotFound(str(error)) from error

    @routes.delete("/{memory_id}")
    async def delete(memory_id: str) -> answers.Deleted:
        """Delete a memory."""
        try:
            await asyncio.to_thread(engine.memories().delete, memory_id)
        except UsageError as error:
            raise NotFound(str(error)) from error
        return answers.Deleted(id=memory_id)

    return routes


def _begin(engine: Engine, body: MemoryBody) -> Reading:
    text = engine.local.opened.text
    if (body.text is None) == (body.messages is None):
        raise UsageError("a memory is made of either text or messages")
    if body.messages is not None:
        tokens = text.encode_chat(body.messages, is_open=False)
    else:
        tokens = text.encode(body.text or "")
    if not tokens:
        raise UsageError("the text has no tokens; at least one is needed")
    if len(tokens) >= engine.local.context_tokens:
        raise ContextTooLong(
            f"a text of {len(tokens)} tokens; the limit is {engine.local.context_tokens}"
        )
    reading = new_reading(engine.local.opened.model, engine.local.memory)
    reading.tokens = tokens
    return reading


def _object(card: MemoryCard) -> answers.MemoryObject:
    return answers.MemoryObject(id=card.id, title=card.title, tokens=card.tokens, fault=card.fault)
