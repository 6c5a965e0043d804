"""A server in the main thread of a command, from its socket to its end by a signal.

The port is taken before the model is loaded, which may take minutes; clients are let in after.
"""

import asyncio
import signal
import socket
from collections.abc import Callable
from types import FrameType

import uvicorn

from lcagent.engine.engine import AsyncEngine
from lcagent.engine.server.app import make_app
from lcagent.engine.server.connections import TimedConnection
from lcagent.engine.server.server_settings import ServerSettings
from lcagent.errors import UsageError

__all__ = ["ServerSettings", "run_server", "take_port"]

KEEP_ALIVE_S = 75
LAST_REPLIES_S = 5
"""How long replies may take after the server was asked to stop; a second signal ends them."""

LAST_WORDS_S = 2
"""How long clients may take to take in that they are ended."""

TICK_S = 0.05


def take_port(settings: ServerSettings) -> socket.socket:
    """Return a socket that holds the port; nobody can connect yet. Whoever takes it closes it.

    Raises:
        UsageError: It is taken, or not ours to take.
    """
    try:
        family, *_, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM
        )[0]
        return _bound(family, address)
    except (OSError, OverflowError) as error:
        raise UsageError(f"cannot listen on {settings.host}:{settings.port}: {error}") from error


def run_server(
    engine: AsyncEngine,
    settings: ServerSettings,
    taken: socket.socket,
    on_ready: Callable[[str], None],
) -> None:
    """Serve a model until SIGINT or SIGTERM; replies under way have a few seconds to end.

    Args:
        on_ready: Is told the URL when clients can connect.
    """
    host, port = taken.getsockname()[:2]
    url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    server = ModelServer(engine, settings, lambda: on_ready(url))
    # uvicorn raises the signal again when it has shut down, and then SIGTERM would end the process
    # before it could say anything.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        server.run(sockets=[taken])
    except KeyboardInterrupt:  # this is how a server is meant to end
        return
    finally:
        signal.signal(signal.SIGTERM, before)


class ModelServer(uvicorn.Server):
    """The server of one model; what it still does when it is asked to stop ends with an answer."""

    def __init__(
        self, engine: AsyncEngine, settings: ServerSettings, on_ready: Callable[[], None]
    ) -> None:
        self._closing = asyncio.Event()
        self._on_ready, self._is_hurried = on_ready, False
        config = uvicorn.Config(
            make_app(engine, settings, self._closing),
            http=TimedConnection,
            ws="none",
            log_level="warning",
            timeout_keep_alive=KEEP_ALIVE_S,
            port=settings.port,
        )
        super().__init__(config)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen, then say so."""
        await super().startup(sockets)
        if self.started:
            await asyncio.to_thread(self._on_ready)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let replies under way end for a while, then end them, then their connections."""
        ending = asyncio.create_task(self._end_connections())
        try:
            await super().shutdown(sockets)
        finally:
            ending.cancel()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop; if that was asked for before, stop waiting for replies."""
        if self.should_exit:
            self._is_hurried = True
        else:
            super().handle_exit(sig, frame)

    async def _end_connections(self) -> None:
        # uvicorn's handlers run outside of the loop, and leave a flag.
        for _ in range(round(LAST_REPLIES_S / TICK_S)):
            if not self._is_hurried:
                await asyncio.sleep(TICK_S)
        self._closing.set()
        await asyncio.sleep(LAST_WORDS_S)
        for connection in list(self.server_state.connections):
            connection.transport.abort()


def _bound(family: socket.AddressFamily, address: tuple[object, ...]) -> socket.socket:
    taken = socket.socket(family, socket.SOCK_STREAM)
    try:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(address)
    except OSError:
        taken.close()
        raise
    return taken
