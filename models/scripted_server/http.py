"""The little of HTTP/1.1 that a scripted server needs: requests in, replies and cut ones out."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request; names of headers are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


async def read_request(reader: asyncio.StreamReader) -> HttpRequest | None:
    """Return the next request of a connection, or None where it ended."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    method, path, _ = first.split(" ", 2)
    pairs = (line.partition(":") for line in lines if ":" in line)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    try:
        body = await reader.readexactly(int(headers.get("content-length", "0")))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    return HttpRequest(method, path, headers, body)


def response(
    status: int, body: bytes, headers: Mapping[str, str], content_type: str = "application/json"
) -> bytes:
    """Return a whole reply, its length told."""
    fields = {"content-type": content_type, "content-length": str(len(body)), **headers}
    return _head(status, fields) + body


def json_response(status: int, value: Any, headers: Mapping[str, str]) -> bytes:
    """Return a reply whose body is JSON."""
    return response(status, json.dumps(value, ensure_ascii=False).encode(), headers)


def stream_head(headers: Mapping[str, str]) -> bytes:
    """Return what stands before the chunks of a reply of unknown length."""
    fields = {"content-type": "text/event-stream", "transfer-encoding": "chunked", **headers}
    return _head(200, fields)


def chunk(content: bytes) -> bytes:
    """Return one chunk; an empty one ends the reply."""
    return f"{len(content):x}\r\n".encode() + content + b"\r\n"


def event(value: Any) -> bytes:
    """Return a chunk that holds one event of a stream."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return chunk(f"data: {text}\n\n".encode())


def _head(status: int, fields: Mapping[str, str]) -> bytes:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Unknown"
    lines = [f"HTTP/1.1 {status} {phrase}", *(f"{name}: {value}" for name, value in fields.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
