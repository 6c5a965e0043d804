"""Running a server until it is interrupted: what the command calls."""

import uvicorn

from lcagent.engine.model import LocalModel
from lcagent.engine.server.app import make_app
from lcagent.engine.server.settings import ServerSettings
from lcagent.errors import UsageError

KEEP_ALIVE_S = 75


def serve(local: LocalModel, settings: ServerSettings) -> None:
    """Serve a model until SIGINT or SIGTERM.

    Raises:
        UsageError: The port cannot be taken.
    """
    config = uvicorn.Config(
        make_app(local, settings),
        host=settings.host,
        port=settings.port,
        log_level="warning",
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=5,
    )
    try:
        uvicorn.Server(config).run()
    except (OSError, SystemExit) as error:  # uvicorn exits where it cannot bind
        raise UsageError(f"cannot listen on {settings.host}:{settings.port}") from error
