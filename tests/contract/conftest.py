"""A store on SQLite and one on PostgreSQL.

PostgreSQL is tested where LCAGENT_TEST_POSTGRES_URL names a server on which databases may be made.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from lcagent.storage.database import Database, open_database


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Yield the URL of an empty store."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'store.db'}"
        return
    server = os.environ.get("LCAGENT_TEST_POSTGRES_URL")
    if not server:
        pytest.skip("no PostgreSQL here (set LCAGENT_TEST_POSTGRES_URL)")
    yield from _postgres(server)


@pytest.fixture
def database(store_url: str) -> Iterator[Database]:
    """Yield an open store."""
    opened = open_database(store_url)
    yield opened
    opened.close()


def _postgres(server: str) -> Iterator[str]:
    """Yield the URL of a new database, and drop that behind it."""
    name = f"lcagent_{uuid4().hex}"
    url = make_url(server).set(drivername="postgresql+psycopg")
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield make_url(server).set(database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()
