"""A server in the main thread of a command, from its socket to its end by a signal.

The port is taken before the model is loaded, which may take minutes; clients are let in after.
"""

import asyncio
import socket
from collections.abc import Callable

import uvicorn

from lcagent.engine.engine import AsyncEngine
from lcagent.engine.server.app import make_app
from lcagent.engine.server.server_settings import ServerSettings
from lcagent.errors import UsageError

__all__ = ["ServerSettings", "run_server", "take_port"]

KEEP_ALIVE_S = 75
LAST_REPLIES_S = 5
"""How long replies may take after the server was asked to stop."""


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
    config = uvicorn.Config(
        make_app(engine, settings),
        log_level="warning",
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=LAST_REPLIES_S,
    )
    host, port = taken.getsockname()[:2]
    url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    try:
        _Announcing(config, lambda: on_ready(url)).run(sockets=[taken])
    except KeyboardInterrupt:  # uvicorn has shut down; this is how a server is meant to end
        return


def _bound(family: socket.AddressFamily, address: tuple[object, ...]) -> socket.socket:
    taken = socket.socket(family, socket.SOCK_STREAM)
    try:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(address)
    except OSError:
        taken.close()
        raise
    return taken


class _Announcing(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen, then say so."""
        await super().startup(sockets)
        if self.started:
            await asyncio.to_thread(self._on_ready)
