"""Connections that cost nothing to whoever holds them open are ended.

A server that waits for the rest of a request, or for somebody to take a reply, can be held up by
anybody who does neither (Slowloris, CWE-400). uvicorn ends connections that are idle between two
requests; here are the limits before the first one, within the head of one, and behind a reply.
`middleware.py` has that of a body.
"""

import asyncio
from typing import cast

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

HEAD_WITHIN_S = 20.0
"""From the connection, or the first byte of a further request, to the end of its head."""

TAKEN_WITHIN_S = 60.0
"""How long a client may leave what was sent to it where it is."""


class TimedConnection(H11Protocol):
    """A connection of uvicorn that is ended where its client is too slow."""

    _head_timer: asyncio.TimerHandle | None = None
    _taking_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for a request, but not for ever."""
        super().connection_made(transport)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        """Wait for the rest of a head, unless it is whole."""
        super().data_received(data)
        request = cast("RequestResponseCycle | None", self.cycle)  # None before the first
        if request is not None and not request.response_complete:
            self._stop_head_timer()
        elif self._head_timer is None:
            self._await_head()

    def pause_writing(self) -> None:
        """Wait for the client to take what was sent, but not for ever."""
        super().pause_writing()
        self._taking_timer = self.loop.call_later(TAKEN_WITHIN_S, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on sending."""
        self._stop_taking_timer()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._stop_head_timer()
        self._stop_taking_timer()
        super().connection_lost(exc)

    def _await_head(self) -> None:
        self._head_timer = self.loop.call_later(HEAD_WITHIN_S, self.transport.abort)

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _stop_taking_timer(self) -> None:
        if self._taking_timer is not None:
            self._taking_timer.cancel()
            self._taking_timer = None
