"""The bytes of a scripted reply: whole, streamed, an error, or broken as the script says."""

import json
from collections.abc import Iterator

from lcagent.models.scripted_server.bodies import Completion, error_body
from lcagent.models.scripted_server.http import chunk, event, json_response, response, stream_head

_PAGE = b"<!doctype html><html><head><title>Sign in</title></head><body>Hello</body></html>"


def parts_of(completion: Completion) -> Iterator[bytes]:
    """Yield what is sent, in the pieces in which it is sent."""
    scripted = completion.scripted
    if scripted.status != 200:
        body = scripted.error or error_body(scripted.text, scripted.code, scripted.param)
        yield json_response(scripted.status, body, scripted.headers)
    elif scripted.fault == "html":
        yield response(200, _PAGE, scripted.headers, "text/html; charset=utf-8")
    elif scripted.fault == "garbage":
        yield response(200, b"\xff\x00 no JSON", scripted.headers)
    elif completion.call.body.get("stream"):
        yield from _streamed(completion)
    else:
        yield from _whole(completion)


def _whole(completion: Completion) -> Iterator[bytes]:
    body = completion.body()
    if completion.scripted.fault in ("no_choices", "null_choices"):
        body["choices"] = [] if completion.scripted.fault == "no_choices" else None
    content = json.dumps(body, ensure_ascii=False).encode()
    if completion.scripted.fault == "half_body":
        content = content[: len(content) // 2]
    whole = response(200, content, completion.scripted.headers)
    yield _kept(whole, completion.scripted.fault, whole.index(b"\r\n\r\n") + 4)


def _streamed(completion: Completion) -> Iterator[bytes]:
    fault = completion.scripted.fault
    events = list(completion.events())
    if fault == "cut_before":
        return
    yield stream_head(completion.scripted.headers)
    if fault in ("no_choices", "null_choices"):
        events = [each | {"choices": [] if fault == "no_choices" else None} for each in events]
    if fault in ("cut_within", "half_body"):
        events = events[: len(events) // 2]
    for each in events:
        yield event(each)
    if fault not in ("cut_within", "half_body"):
        yield event("[DONE]")
    if fault != "cut_within":
        yield chunk(b"")


def _kept(whole: bytes, fault: str | None, body_start: int) -> bytes:
    if fault == "cut_before":
        return b""
    return whole[: (body_start + len(whole)) // 2] if fault == "cut_within" else whole
