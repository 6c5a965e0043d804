"""Streams, however they are cut."""

from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lcagent.models import completions as module
from lcagent.models.completions import BadBody, events

pytestmark = pytest.mark.anyio

STREAM = (
    ": hello\r\n\r\n"
    'data: {"a": "\u2028 \x85"}\r\n\r\n'
    "event: x\ndata:one\ndata: two\n\n"
    "id: 7\n\n"
    "data: [DONE]"
).encode()


async def _read(pieces: list[bytes]) -> list[bytes]:
    async def stream() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    return [event async for event in events(stream())]


@given(cuts=st.lists(st.integers(0, len(STREAM)), max_size=12))
async def test_events_are_the_same_however_the_stream_is_cut(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(STREAM)]
    pieces = [STREAM[start:end] for start, end in pairwise(places)]
    assert await _read(pieces) == ['{"a": "\u2028 \x85"}'.encode(), b"one\ntwo", b"[DONE]"]


async def test_a_line_without_an_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_EVENT", 10)
    with pytest.raises(BadBody, match="without an end"):
        await _read([b"data: " + b"x" * 20])
