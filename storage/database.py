"""The connection to the store: where it is, how it is opened, what its errors mean.

Callers wait for connections: first for one of this process's pool, then, if PostgreSQL has as many
clients as it takes, for one of those to leave. So with more questions at once than PostgreSQL
takes connections all are slower, and none fails with "too many clients".

Alembic is only imported for a store that is new or old: its import costs a third of the processor
time of a question.
"""

import os
import sqlite3
import time
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import unquote

from sqlalchemy import Connection, Dialect, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from lcagent.credentials import hide_in_url
from lcagent.errors import LcagentError, MissingExtra, StorageError, UsageError

BUSY_TIMEOUT_S = 30
CONNECTION_TIMEOUT_S = 300
"""How long a caller waits for a connection, at the pool and again at the server."""
POOL_SIZE = 8
"""Connections of one process to one PostgreSQL store. Statements are short, so more would not be
faster, and a server takes 100 in all unless it is set up for more."""
_RETRY_S = 0.02
_SERVER_RETRY_S = 0.2


class AlreadyStored(StorageError):
    """Another process stored the same row meanwhile; what it stored is kept."""


class Database:
    """An open store, whose schema is that of this version of lcagent. Threads may share it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        # SQLite has one writer. Threads that waited for it by its own lock would poll the file.
        self._turn: AbstractContextManager[Any] = (
            nullcontext() if engine.dialect.name == "postgresql" else Lock()
        )

    @contextmanager
    def read(self) -> Generator[Connection, None, None]:
        """Yield a connection for reading; on SQLite all its statements see the same state."""
        with _storage_errors(self._engine), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Generator[Connection, None, None]:
        """Yield a connection whose changes are committed together, or rolled back on an error."""
        with (
            self._turn,
            _storage_errors(self._engine),
            self._engine.connect().execution_options(lcagent_writes=True) as connection,
            connection.begin(),
        ):
            yield connection

    @property
    def is_postgres(self) -> bool:
        """Whether the store is PostgreSQL, not SQLite."""
        return self._engine.dialect.name == "postgresql"

    @property
    def location(self) -> str:
        """Where the store is, for messages: the file, or the URL without its password."""
        return _location(self._engine)

    def faults(self) -> list[str]:
        """Return what SQLite finds wrong with its file; always none for PostgreSQL."""
        with self.read() as connection:
            if connection.dialect.name != "sqlite":
                return []
            found = connection.exec_driver_sql("PRAGMA quick_check").scalars()
            return [line for line in found if line != "ok"]

    def close(self) -> None:
        """Close the connections, unless others in this process still use them."""
        _engines.release(self._engine)


class _Engines:
    """The engines that this process has open: one for each PostgreSQL store, with its pool.

    SQLite's are not shared: a connection to a file is cheap, and nothing counts them.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._shared: dict[URL, Engine] = {}
        self._users: dict[Engine, int] = {}

    def postgres(self, url: URL) -> Engine:
        with self._lock:
            if url not in self._shared:
                self._shared[url] = _postgres(url)
            engine = self._shared[url]
            self._users[engine] = self._users.get(engine, 0) + 1
            return engine

    def release(self, engine: Engine) -> None:
        """Close an engine's connections with its last user."""
        with self._lock:
            users = self._users.pop(engine, 1) - 1
            if users:
                self._users[engine] = users
                return
            self._shared = {url: open_ for url, open_ in self._shared.items() if open_ != engine}
        engine.dispose()


_engines = _Engines()


def open_database(url: str) -> Database:
    """Open the store at an SQLAlchemy `url`, creating or upgrading it where needed.

    Raises:
        StorageError: It cannot be read or written, or a newer lcagent wrote it.
        UsageError: The URL is malformed, or names another kind of database.
        MissingExtra: It is PostgreSQL, and the extra `postgres` is not installed.
    """
    engine = _engine(url)
    try:
        with _storage_errors(engine):
            bring_up_to_date(engine)
    except LcagentError:
        _engines.release(engine)
        raise
    return Database(engine)


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:  # not shown: there may be a password in it
        raise UsageError(
            "LCAGENT_DATABASE_URL is not a database URL such as sqlite:////folder/lcagent.db "
            "or postgresql://user@host/name"
        ) from error
    if parsed.drivername in ("postgres", "postgresql"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() == "sqlite":
        # By hand, because SQLAlchemy undoes escapes in a file's name only from 2.1 on.
        return _sqlite(unquote(url.partition(":///")[2].partition("?")[0]))
    if parsed.get_backend_name() != "postgresql":
        raise UsageError(f"the store is SQLite or PostgreSQL, not {parsed.get_backend_name()}")
    return _engines.postgres(parsed)


def _postgres(url: URL) -> Engine:
    try:
        engine = create_engine(
            url,
            pool_size=POOL_SIZE,
            max_overflow=0,
            pool_timeout=CONNECTION_TIMEOUT_S,
            pool_pre_ping=True,
        )
    except ModuleNotFoundError as error:
        raise MissingExtra("a PostgreSQL store", "postgres") from error
    event.listen(engine, "do_connect", _connect_when_there_is_room)
    return engine


def _connect_when_there_is_room(
    dialect: Dialect, _: object, arguments: tuple[Any, ...], options: dict[str, Any]
) -> Any:
    """Connect to PostgreSQL; wait while it has as many clients as it takes."""
    give_up_at = time.monotonic() + CONNECTION_TIMEOUT_S
    while True:
        try:
            return dialect.connect(*arguments, **options)
        except dialect.loaded_dbapi.Error as error:
            # Its code, 53300, does not come with an error of connecting: only words do.
            is_full = any(words in str(error) for words in ("too many", "connection slots"))
            if not is_full or time.monotonic() > give_up_at:
                raise
            time.sleep(_SERVER_RETRY_S)


def _sqlite(name: str) -> Engine:
    if not name or name == ":memory:":
        raise UsageError("LCAGENT_DATABASE_URL names no file: write sqlite:////folder/lcagent.db")
    path = Path(name)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _create_private(path)
    except OSError as error:
        raise StorageError(
            f"cannot write the store {path} ({error.strerror}); "
            "set LCAGENT_HOME to a folder you can write to"
        ) from error
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        connect_args={"timeout": BUSY_TIMEOUT_S, "isolation_level": None},
    )
    event.listen(engine, "connect", _set_pragmas)
    event.listen(engine, "begin", _begin)
    return engine


def _location(engine: Engine) -> str:
    if engine.dialect.name == "sqlite":
        return str(engine.url.database)
    return hide_in_url(engine.url.render_as_string(hide_password=True))


def _create_private(path: Path) -> None:
    """Create the file, readable by its owner only, if there is none.

    An existing file is not even opened: closing it would drop the POSIX locks that SQLite holds on
    it through other connections of this process.
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def _set_pragmas(connection: Any, _: object) -> None:
    _use_wal(connection)
    for pragma in ("synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _use_wal(connection: Any) -> None:
    """Switch the file to write-ahead logging, which lasts; wait while another process does so.

    Here SQLite ignores its busy timeout and fails at once if another process is about to write.
    """
    give_up_at = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > give_up_at:
                raise
            time.sleep(_RETRY_S)
        else:
            return


def _begin(connection: Connection) -> None:
    """Take the write lock at once: upgrading a read lock fails if another writer waits."""
    is_writer = connection.get_execution_options().get("lcagent_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writer else "BEGIN")


@contextmanager
def _storage_errors(engine: Engine) -> Generator[None, None, None]:
    try:
        yield
    except IntegrityError as error:
        raise AlreadyStored(str(error.orig)) from error
    except PoolTimeout as error:
        raise StorageError(
            f"the store {_location(engine)} was busy: no connection was free for "
            f"{CONNECTION_TIMEOUT_S} s; run fewer questions at once"
        ) from error
    except DBAPIError as error:
        reason = str(error.orig).strip().splitlines()[0] if str(error.orig).strip() else "no reason"
        where = _location(engine)
        raise StorageError(f"the store {where} failed: {reason}{_advice(reason)}") from error


def _advice(reason: str) -> str:
    for words, advice in (
        ("full", "; free some space, then run it again: what was stored before is kept"),
        ("I/O", "; is the disk full or a limit reached? what was stored before is kept"),
        ("readonly", "; set LCAGENT_HOME to a folder you can write to"),
        ("unable to open", "; set LCAGENT_HOME to a folder you can write to"),
        ("too many", "; run fewer questions at once, or let the server take more connections"),
        ("locked", f"; another process has held it for {BUSY_TIMEOUT_S} s"),
        ("malformed", "; move the file away and run again to start a new store"),
        ("not a database", "; move the file away and run again to start a new store"),
    ):
        if words in reason:
            return advice
    return ""


HEAD = "0010"
"""The newest revision in `migrations/versions/`."""

_POSTGRES_LOCK = 0x1CA6E27


def bring_up_to_date(engine: Engine) -> None:
    """Create or upgrade the tables; wait for another process that is doing so.

    The lock is SQLite's write lock, or an advisory lock of PostgreSQL. Both end with the
    transaction that creates the tables, so a process that has waited finds all of them.

    Raises:
        StorageError: A newer lcagent wrote the store.
    """
    with engine.connect() as connection:
        if schema_version(connection) == HEAD:
            return
    with engine.connect().execution_options(lcagent_writes=True) as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_POSTGRES_LOCK})"))
        current = schema_version(connection)
        if current is not None and current > HEAD:
            raise StorageError(
                f"the store has schema {current}, newer than this lcagent knows ({HEAD}): "
                "upgrade lcagent, or set LCAGENT_HOME to another folder"
            )
        if current != HEAD:
            upgrade_tables(connection)


def schema_version(connection: Connection) -> str | None:
    """Return the revision of the store, or None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def upgrade_tables(connection: Connection, revision: str = HEAD) -> None:
    """Create the tables as they are at a revision, or change those of an older one."""
    from alembic import command  # noqa: PLC0415 -- see the module's docstring
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
