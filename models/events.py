"""Server-sent events: the data of each, from the bytes of a stream.

Lines end at a line feed only. JSON may hold other characters that Python counts as ends of lines.
"""

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator

LONGEST_EVENT = 16_000_000
"""Bytes. A server that sends a longer one has lost its way."""


class EventTooLong(ValueError):
    """A stream without an end of a line."""


async def events(stream: AsyncIterable[bytes]) -> AsyncGenerator[bytes, None]:
    """Yield the data of each event; comments and other fields are left out.

    Raises:
        EventTooLong: One is longer than `LONGEST_EVENT`.
    """
    pending: list[bytes] = []
    async for line in _lines(stream):
        if not line:
            if pending:
                yield b"\n".join(pending)
            pending = []
        elif line.startswith(b"data:"):
            pending.append(line[5:].removeprefix(b" "))
    if pending:
        yield b"\n".join(pending)


async def _lines(stream: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    rest = b""
    async for piece in stream:
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            yield line.removesuffix(b"\r")
        if len(rest) > LONGEST_EVENT:
            raise EventTooLong
    if rest:
        yield rest.removesuffix(b"\r")
