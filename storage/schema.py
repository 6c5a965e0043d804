"""The version of the store, and upgrading an older one with Alembic.

Alembic is only imported for a store that is new or old: its import costs a third of the processor
time of a question.
"""

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from lcagent.errors import StorageError

HEAD = "0006"
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
        if version(connection) == HEAD:
            return
    with engine.connect().execution_options(lcagent_writes=True) as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_POSTGRES_LOCK})"))
        current = version(connection)
        if current is not None and current > HEAD:
            raise StorageError(
                f"the store has schema {current}, newer than this lcagent knows ({HEAD}): "
                "upgrade lcagent, or set LCAGENT_HOME to another folder"
            )
        if current != HEAD:
            _upgrade(connection)


def version(connection: Connection) -> str | None:
    """Return the revision of the store, or None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _upgrade(connection: Connection, revision: str = HEAD) -> None:
    from alembic import command  # noqa: PLC0415 -- see the module's docstring
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
