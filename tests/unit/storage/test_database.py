"""Opening the store: permissions, older and newer schemas, broken files, full disks."""

import sqlite3
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect

import lcagent.storage
from lcagent.documents import Document, Page
from lcagent.errors import StorageError, UsageError
from lcagent.settings import Settings
from lcagent.storage.database import HEAD, open_database, upgrade_tables
from lcagent.storage.document_store import DocumentStore
from lcagent.storage.tables import metadata


def _url(path: Path) -> str:
    return f"sqlite:///{path}"


def _document(pages: int = 1, text: str = "Text.") -> Document:
    made = tuple(Page(index, text, index + 1) for index in range(pages))
    return Document("a" * 64, "book.pdf", "application/pdf", "pdf/1", made)


def _store_of_revision(path: Path, revision: str) -> None:
    engine = create_engine(_url(path))
    with engine.begin() as connection:
        upgrade_tables(connection, revision)
    engine.dispose()


def test_the_newest_migration_is_the_schema_this_version_expects() -> None:
    config = Config()
    folder = Path(lcagent.storage.__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_migrations_make_the_tables_that_the_code_uses(tmp_path: Path) -> None:
    open_database(_url(tmp_path / "store.db")).close()
    engine = create_engine(_url(tmp_path / "store.db"))
    inspector = inspect(engine)
    made = {
        name: {(column["name"], str(column["type"])) for column in inspector.get_columns(name)}
        for name in inspector.get_table_names()
        if name != "alembic_version"
    }
    expected = {
        name: {(column.name, str(column.type)) for column in table.columns}
        for name, table in metadata.tables.items()
    }
    engine.dispose()
    assert made == expected


def test_only_the_owner_can_read_the_store(tmp_path: Path) -> None:
    open_database(_url(tmp_path / "home" / "store.db")).close()
    assert stat.S_IMODE((tmp_path / "home").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "home" / "store.db").stat().st_mode) == 0o600


def test_a_store_of_the_first_schema_is_upgraded_and_keeps_its_documents(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    _store_of_revision(path, "0001")
    with closing(sqlite3.connect(path)) as old, old:
        old.execute(
            "INSERT INTO documents (id, name, media_type, reader, outline, page_count)"
            " VALUES ('a', 'old.txt', 'text/plain', 'text/1', '[]', 0)"
        )
    database = open_database(_url(path))
    assert [document.name for document in DocumentStore(database).listed()] == ["old.txt"]
    database.close()


def test_a_store_of_a_newer_lcagent_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    open_database(_url(path)).close()
    with closing(sqlite3.connect(path)) as store, store:
        store.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StorageError, match="newer than this lcagent"):
        open_database(_url(path))


def test_a_file_that_is_no_database_is_a_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(b"This is a letter, not a database. " * 50)
    with pytest.raises(StorageError, match="move the file away"):
        open_database(_url(path))


def test_a_home_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="LCAGENT_HOME"):
        open_database(_url(tmp_path / "file" / "store.db"))


def test_a_full_disk_is_a_clear_error_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    database = open_database(_url(path))
    store = DocumentStore(database)
    store.save(_document())
    with database._engine.connect() as connection:  # the pool has one connection: the next uses it
        connection.exec_driver_sql("PRAGMA max_page_count = 40")
    big = Document(
        "b" * 64, "big.pdf", "application/pdf", "pdf/1", _document(99, "x" * 9_000).pages
    )
    with pytest.raises(StorageError, match="free some space"):
        store.save(big)
    assert [document.name for document in store.listed()] == ["book.pdf"]
    assert store.load("b" * 64) is None
    database.close()


@pytest.mark.parametrize("url", ["no url at all", "mysql://localhost/x"])
def test_a_url_that_is_no_store_is_a_usage_error(url: str) -> None:
    with pytest.raises(UsageError):
        open_database(url)


def test_a_new_store_that_another_process_is_writing_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with (
        closing(sqlite3.connect(path, isolation_level=None)) as other,
        ThreadPoolExecutor() as pool,
    ):
        other.execute("BEGIN IMMEDIATE")  # of a file that is not in WAL mode yet
        opening = pool.submit(open_database, _url(path))
        with pytest.raises(TimeoutError):
            opening.result(timeout=0.5)
        other.execute("COMMIT")
        opening.result(timeout=60).close()


def test_two_processes_can_create_and_fill_one_store(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from lcagent.documents import Document, Page\n"
        "from lcagent.storage.database import open_database\n"
        "from lcagent.storage.document_store import DocumentStore\n"
        "store = DocumentStore(open_database(sys.argv[1]))\n"
        "for number in range(20):\n"
        "    key = f'{number % 10}' * 64\n"
        "    store.save(Document(key, 'd', 'text/plain', 'text/1', (Page(0, sys.argv[2], 1),)))\n"
    )
    url = _url(tmp_path / "store.db")
    writers = [
        subprocess.Popen([sys.executable, "-c", script, url, name], stderr=subprocess.PIPE)
        for name in ("one", "two")
    ]
    for writer in writers:
        _, complaints = writer.communicate(timeout=120)
        assert writer.returncode == 0, complaints.decode()
    database = open_database(url)
    assert len(DocumentStore(database).listed()) == 10
    assert database.faults() == []
    database.close()


@pytest.mark.parametrize(
    "name", ["what?", "no#1", "50%", "a%20b", "a b", "Übung", "灯塔", "a@b", "q?x=1&y=2"]
)
def test_the_store_is_in_the_home_that_was_given(tmp_path: Path, name: str) -> None:
    home = tmp_path / name
    open_database(Settings(home=home).store_url).close()
    assert (home / "lcagent.db").is_file()
    assert [path.name for path in tmp_path.iterdir()] == [name]
