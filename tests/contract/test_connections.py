"""Many callers at once wait for a connection, whatever the store; none is turned away."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from lcagent.storage import database as database_module
from lcagent.storage.database import open_database
from lcagent.storage.run_store import RunStore

MANY = 130
"""More than PostgreSQL takes connections unless it is set up for more."""


def test_an_empty_store_may_be_opened_and_used_by_many_at_once(store_url: str) -> None:
    together = Barrier(MANY)

    def begin(number: int) -> None:
        together.wait()
        opened = open_database(store_url)
        RunStore(opened).begin(f"{number:032d}", verb="ask", question="?", strategy="rag")
        together.wait()  # all are open at this moment
        opened.close()

    with ThreadPoolExecutor(MANY) as pool:
        list(pool.map(begin, range(MANY)))
    database = open_database(store_url)
    assert len(RunStore(database).listed(MANY + 1)) == MANY
    database.close()


def test_a_store_that_is_closed_by_one_stays_open_for_the_other(store_url: str) -> None:
    one, other = open_database(store_url), open_database(store_url)
    one.close()
    assert RunStore(other).listed() == []
    other.close()


class _FullServer:
    """A driver whose server is full at first."""

    class Error(Exception):
        """What drivers raise."""

    loaded_dbapi: object

    def __init__(self, *failures: str) -> None:
        self.loaded_dbapi = self
        self._failures = list(failures)

    def connect(self, host: str) -> str:
        if self._failures:
            raise self.Error(self._failures.pop(0))
        return f"connected to {host}"


def test_a_server_that_is_full_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_module, "_SERVER_RETRY_S", 0.0)
    full = _FullServer(
        "FATAL: sorry, too many clients already",
        "FATAL: remaining connection slots are reserved for roles with the SUPERUSER attribute",
    )
    wait = database_module._connect_when_there_is_room
    assert wait(full, None, ("here",), {}) == "connected to here"  # type: ignore[arg-type]


def test_a_server_that_refuses_is_not_waited_for() -> None:
    refusing = _FullServer("FATAL: password authentication failed")
    with pytest.raises(_FullServer.Error, match="password"):
        database_module._connect_when_there_is_room(refusing, None, ("here",), {})  # type: ignore[arg-type]
