"""A server on a model that recalls, in a thread of the tests' own process."""

import threading
import time
from pathlib import Path

import uvicorn
from recalling import MEMORY, save_recalling

from lcagent.engine.model import LocalModel
from lcagent.engine.server.app import make_app
from lcagent.engine.server.settings import ServerSettings


class Running(uvicorn.Server):
    """A server in a thread of this process."""

    def __init__(self, local: LocalModel, settings: ServerSettings) -> None:
        super().__init__(uvicorn.Config(make_app(local, settings), port=0, log_level="error"))
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


def open_recalling(folder: Path) -> LocalModel:
    """Write the model under a folder, and open it."""
    save_recalling(folder / "recall-model")
    return LocalModel.open(str(folder / "recall-model"), memory=MEMORY, context_tokens=5000)
