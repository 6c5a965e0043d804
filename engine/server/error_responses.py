"""Errors as the OpenAI API has them: a status and {"error": {message, type, param, code}}."""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from lcagent.errors import (
    ContextTooLong,
    LcagentError,
    ModelUnavailable,
    StorageError,
    UsageError,
)


class ErrorDetail(BaseModel):
    """What went wrong."""

    message: str
    type: str
    param: str | None = None
    code: str | None = None


class ErrorBody(BaseModel):
    """The body of every answer that is an error."""

    error: ErrorDetail


class NotFound(UsageError):
    """No such thing on this server."""


RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorBody, "description": what}
    for status, what in {
        400: "The request has no meaning, or is too long for the context",
        401: "The API key is missing or wrong",
        403: "A web page asks, or a host that is not this machine",
        404: "No such model or memory",
        408: "The body comes too slowly",
        413: "The body is too large",
        422: "The body is not of the right form",
        503: "No room now (queue, memory or disk), or the server is being ended",
    }.items()
}


def error_status(error: LcagentError) -> int:
    """Return the status that tells who can mend an error."""
    if isinstance(error, NotFound):
        return 404
    if isinstance(error, (ModelUnavailable, StorageError)):
        return 503
    return 400


def error_content(message: str, status: int, code: str | None = None) -> dict[str, Any]:
    """Return the body of an error."""
    kind = "server_error" if status >= 500 else "invalid_request_error"
    return {"error": {"message": sendable(message), "type": kind, "param": None, "code": code}}


def sendable(text: str) -> str:
    """Return a text that can be sent: what clients wrote may hold halves of characters."""
    return text.encode(errors="replace").decode()


def error_code(error: LcagentError) -> str | None:
    """Return the name that OpenAI has for an error."""
    if isinstance(error, ContextTooLong):
        return "context_length_exceeded"
    return "not_found" if isinstance(error, NotFound) else None


def install(app: FastAPI) -> None:
    """Let an application answer with such errors."""
    app.add_exception_handler(LcagentError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


async def _ours(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, LcagentError)
    status = error_status(error)
    wait = getattr(error, "retry_after_s", None)
    headers = {"Retry-After": str(int(wait))} if wait else None
    return JSONResponse(error_content(str(error), status, error_code(error)), status, headers)


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    is_json = first["type"] != "json_invalid"
    place = ".".join(str(part) for part in first["loc"][1:] if is_json)
    body = error_content(f"{place or 'body'}: {first['msg']}"[:1000], 422)
    body["error"]["param"] = sendable(place) or None
    return JSONResponse(body, 422 if is_json else 400)


async def _http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    return JSONResponse(
        error_content(str(error.detail), error.status_code), error.status_code, headers
    )


async def _unexpected(_: Request, error: Exception) -> JSONResponse:
    return JSONResponse(error_content(f"a mistake of the server: {type(error).__name__}", 500), 500)
