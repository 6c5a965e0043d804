"""One store file, opened several times by one process and by others."""

import subprocess
import sys
from pathlib import Path

from sqlalchemy import text

from lcagent.storage.database import open_database


def test_opening_a_store_again_keeps_the_locks_that_this_process_holds(tmp_path: Path) -> None:
    """Closing any descriptor of a file drops all locks of the process on it (POSIX).

    Another process then believes that nobody uses the store, and removes its journal.
    """
    path = tmp_path / "store.db"
    first = open_database(f"sqlite:///{path}")
    with first.read() as connection:
        connection.execute(text("SELECT count(*) FROM documents"))
        second = open_database(f"sqlite:///{path}")
        _use_in_another_process(path)
        assert path.with_name("store.db-wal").exists()
    first.close()
    second.close()


def _use_in_another_process(path: Path) -> None:
    script = (
        "import sqlite3, sys\n"
        "store = sqlite3.connect(sys.argv[1])\n"
        "store.execute('SELECT count(*) FROM documents')\n"
        "store.close()\n"
    )
    subprocess.run([sys.executable, "-c", script, path], check=True)
