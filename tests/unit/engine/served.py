"""A server on a model that recalls, in a thread of the tests' own process."""

import threading
import time
from dataclasses import replace
from pathlib import Path

from recalling import MEMORY, save_recalling

from lcagent.engine.engine import AsyncEngine
from lcagent.engine.engine_core import EngineCore
from lcagent.engine.loading import LoadedModel, load_model
from lcagent.engine.server.running import ModelServer
from lcagent.engine.server.server_settings import ServerSettings

CONTEXT_TOKENS = 5000


class Running(ModelServer):
    """A server in a thread of this process."""

    def __init__(
        self,
        loaded: LoadedModel,
        settings: ServerSettings,
        memories: Path | None = None,
        context_tokens: int = CONTEXT_TOKENS,
    ) -> None:
        core = EngineCore(loaded, MEMORY, context_tokens, limits=settings.limits, memories=memories)
        super().__init__(AsyncEngine(core), replace(settings, port=0), lambda: None)
        self._thread = threading.Thread(target=self.run)

    def __enter__(self) -> str:
        self._thread.start()
        while not self.started:
            time.sleep(0.01)
        port = self.servers[0].sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}"

    def __exit__(self, *_: object) -> None:
        self.should_exit = True
        self._thread.join()


def load_recalling(folder: Path) -> LoadedModel:
    """Write the model under a folder, and load it."""
    save_recalling(folder / "recall-model")
    return load_model(str(folder / "recall-model"))
