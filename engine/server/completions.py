"""The two kinds of completion, whole or streamed."""

from collections.abc import AsyncIterator

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import BaseModel

from lcagent.engine.generation.sequences import Sequence
from lcagent.engine.server import answers
from lcagent.engine.server.asking import Engine, ask, is_streamed, pieces_of, wants_usage
from lcagent.engine.server.bodies import ChatBody, CompletionBody
from lcagent.engine.server.errors import code_of, error_body, status_of
from lcagent.engine.server.wording import Wording
from lcagent.errors import LcagentError

CLIENT_LEFT = 499


def completion_routes(engine: Engine) -> APIRouter:
    """Return the routes of chat and plain completions."""
    routes = APIRouter(prefix="/v1", tags=["completions"])

    @routes.post("/chat/completions", response_model=answers.ChatCompletion)
    async def chat(body: ChatBody, request: Request) -> Response:
        """Reply to a conversation."""
        wording = _wording(engine, is_chat=True, has_logprobs=bool(body.logprobs))
        return await _reply(engine, body, request, wording)

    @routes.post("/completions", response_model=answers.TextCompletion)
    async def complete(body: CompletionBody, request: Request) -> Response:
        """Go on after a prompt."""
        wording = _wording(engine, is_chat=False, has_logprobs=body.logprobs is not None)
        return await _reply(engine, body, request, wording)

    return routes


def _wording(engine: Engine, *, is_chat: bool, has_logprobs: bool) -> Wording:
    return Wording(engine.local.opened.text, engine.local.name, is_chat, has_logprobs)


async def _reply(
    engine: Engine, body: ChatBody | CompletionBody, request: Request, wording: Wording
) -> Response:
    replies = await ask(engine, body)
    if is_streamed(body):
        events = _events(engine, replies, request, wording, with_usage=wants_usage(body))
        # The first event is awaited here: an error before it still has a status of its own.
        first = await anext(events)
        return StreamingResponse(_again(first, events), media_type="text/event-stream")
    async for _ in pieces_of(engine, replies, request):
        pass
    if any(reply.finish is None for reply in replies):
        return Response(status_code=CLIENT_LEFT)
    return JSONResponse(wording.answer(replies).model_dump())


async def _events(
    engine: Engine,
    replies: tuple[Sequence, ...],
    request: Request,
    wording: Wording,
    *,
    with_usage: bool,
) -> AsyncIterator[str]:
    """Yield server-sent events; an error after the first is an event, as the status is sent."""
    is_begun = False
    try:
        async for number, piece in pieces_of(engine, replies, request):
            if not is_begun:
                for each in range(len(replies)):
                    if (opening := wording.first_event(each)) is not None:
                        yield _event(opening)
                is_begun = True
            yield _event(wording.event(number, piece))
    except LcagentError as error:
        if not is_begun:
            raise
        yield f"data: {_json_error(error)}\n\n"
    if with_usage:
        yield _event(wording.usage_event(replies))
    yield "data: [DONE]\n\n"


async def _again(first: str, rest: AsyncIterator[str]) -> AsyncIterator[str]:
    yield first
    async for event in rest:
        yield event


def _event(event: BaseModel) -> str:
    return f"data: {event.model_dump_json()}\n\n"


def _json_error(error: LcagentError) -> str:
    content = error_body(str(error), status_of(error), code_of(error))
    return bytes(JSONResponse(content).body).decode()
