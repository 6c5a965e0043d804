"""Memories over HTTP: a text is read once, and asked about later."""

import asyncio

from fastapi import APIRouter

from lcagent.engine.memories.manifest import StoredMemory
from lcagent.engine.model_runner import SequenceState, new_sequence_state
from lcagent.engine.server import protocol
from lcagent.engine.server.chat import ServedEngine
from lcagent.engine.server.error_responses import NotFound
from lcagent.errors import ContextTooLong, UsageError


def memory_routes(served: ServedEngine) -> APIRouter:
    """Return the routes of memories."""
    routes = APIRouter(prefix="/v1/memories", tags=["memories"])

    @routes.post("")
    async def create(body: protocol.MemoryRequest) -> protocol.MemoryObject:
        """Read a text into a memory; the response comes when it is read and stored."""
        library = served.library
        state = await asyncio.to_thread(_new_state, served, body)
        async for _ in served.engine.prefill(state):
            pass
        memory = await asyncio.to_thread(library.add, state, body.title, body.id)
        return _memory_object(memory)

    @routes.get("")
    async def describe_all() -> protocol.MemoryList:
        """List all memories."""
        found = await asyncio.to_thread(served.library.describe_all)
        return protocol.MemoryList(data=[_memory_object(memory) for memory in found])

    @routes.get("/{memory_id}")
    async def describe(memory_id: str) -> protocol.MemoryObject:
        """Tell what is known about a memory."""
        try:
            return _memory_object(await asyncio.to_thread(served.library.describe, memory_id))
        except UsageError as error:
            raise NotFound(str(error)) from error

    @routes.delete("/{memory_id}")
    async def delete(memory_id: str) -> protocol.DeletedMemory:
        """Delete a memory."""
        try:
            await asyncio.to_thread(served.library.delete, memory_id)
        except UsageError as error:
            raise NotFound(str(error)) from error
        return protocol.DeletedMemory(id=memory_id)

    return routes


def _new_state(served: ServedEngine, body: protocol.MemoryRequest) -> SequenceState:
    core, tokenizer = served.engine.core, served.engine.tokenizer
    if (body.text is None) == (body.messages is None):
        raise UsageError("a memory is made of either text or messages")
    text = body.text or "".join(message.text for message in body.messages or ())
    tokenizer.refuse_longer(text, core.context_tokens)
    if body.messages is not None:
        tokens = tokenizer.encode_chat(body.messages, is_open=False)
    else:
        tokens = tokenizer.encode(text)
    if not tokens:
        raise UsageError("the text has no tokens; at least one is needed")
    if len(tokens) >= core.context_tokens:
        raise ContextTooLong(f"a text of {len(tokens)} tokens; the limit is {core.context_tokens}")
    return new_sequence_state(core.loaded.model, core.config, tokens)


def _memory_object(memory: StoredMemory) -> protocol.MemoryObject:
    return protocol.MemoryObject(
        id=memory.id, title=memory.title, tokens=memory.tokens, fault=memory.fault
    )
