"""Leases: which process is at a row, for how long, and when another may take it over.

Many processes, on one machine or on several, may want the same row of work (a run to resume, an
item of a batch). Whoever works at it holds a lease of some seconds and renews it while it lives;
the lease of a process that died, or that lost its network, ends by itself. A table takes part by
having the two columns `claimed_by` and `lease_until`.

The only clock is the database's: it writes the end of a lease and compares with it, so machines
whose clocks differ agree. (For SQLite that is the clock of the machine, which all of its
processes share.) The end is kept as seconds since 1970, UTC, because the two databases have no
common type for a point in time that they can both compute with.

A claim is one UPDATE with its condition in WHERE, so of many that try at once one succeeds.
"""

import os
import socket
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Self
from uuid import getnode, uuid4

from sqlalchemy import (
    ColumnElement,
    Connection,
    Float,
    Function,
    Table,
    or_,
    select,
    update,
)
from sqlalchemy.ext.compiler import compiles

from lcagent.errors import UsageError

LEASE_S = 60.0
"""How long a lease lasts unless said otherwise; renew it every third of that."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Who holds a lease: a process, and which of its tasks.

    Attributes:
        scope: Where process numbers have the same meaning: one boot of one machine, and there
            one container.
        task: Tells two tasks of one process apart.
    """

    host: str
    pid: int
    scope: str
    task: str

    @classmethod
    def of_this_process(cls) -> Self:
        """Return a new owner for one task of this process."""
        return cls(socket.gethostname() or "unknown", os.getpid(), _scope(), uuid4().hex)

    @classmethod
    def parse(cls, written: str) -> Self:
        """Undo `str`. Words that are no owner are taken for a host that is not known here."""
        host, *rest = written.rsplit(" ", 3)
        if len(rest) != 3 or not rest[0].isdecimal():
            return cls(written, 0, "", "")
        return cls(host, int(rest[0]), rest[1], rest[2])

    def __str__(self) -> str:
        """Return it as the column `claimed_by` holds it."""
        return f"{self.host} {self.pid} {self.scope} {self.task}"

    @property
    def is_dead(self) -> bool:
        """Say whether its process certainly ended; one that cannot be seen from here may live."""
        if self.scope != _scope():
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:  # it lives, under another user
            return False
        return False


@dataclass(frozen=True, slots=True)
class Lease:
    """A claim on a row, as it was when it was looked at."""

    owner: Owner
    until: datetime


class LeaseHeld(UsageError):
    """Another process is at the row, and lives or may live."""

    def __init__(self, what: str, lease: Lease) -> None:
        self.lease = lease
        holder = lease.owner
        super().__init__(
            f"another process ({holder.host}, pid {holder.pid}) is at {what}; "
            f"its lease ends at {lease.until:%Y-%m-%d %H:%M:%S} UTC unless it renews it"
        )


def claim(
    connection: Connection, table: Table, row_id: str, owner: Owner, lease_s: float
) -> Lease | None:
    """Take a row that is free, is the owner's already, or whose lease has ended.

    A holder on this machine whose process is gone is not waited for.

    Returns:
        The lease that is in the way; None where the row is the owner's now.

    Raises:
        LookupError: There is no such row.
    """
    free = or_(
        table.c.claimed_by.is_(None),
        table.c.claimed_by == str(owner),
        table.c.lease_until.is_(None),
        table.c.lease_until <= DatabaseTime(),
    )
    while not _take(connection, table, row_id, owner, lease_s, free):
        held = current(connection, table, row_id)
        if held is None:  # it was freed since, or is not there
            _check_exists(connection, table, row_id)
        elif not held.owner.is_dead:
            return held
        else:  # it may have been taken over since, so only from the one that is dead
            free = or_(free, table.c.claimed_by == str(held.owner))
    return None


def renew(connection: Connection, table: Table, row_id: str, owner: Owner, lease_s: float) -> bool:
    """Let a lease end `lease_s` seconds from now; False where it is another's by now.

    A lease that ended, and that nobody took, is renewed.
    """
    return _take(connection, table, row_id, owner, lease_s, table.c.claimed_by == str(owner))


def release(connection: Connection, table: Table, row_id: str, owner: Owner) -> None:
    """Free a row, if it is still the owner's."""
    connection.execute(
        update(table)
        .where(table.c.id == row_id, table.c.claimed_by == str(owner))
        .values(claimed_by=None, lease_until=None)
    )


def current(connection: Connection, table: Table, row_id: str) -> Lease | None:
    """Return the lease of a row, or None where it has none or its lease has ended."""
    query = select(table.c.claimed_by, table.c.lease_until).where(
        table.c.id == row_id, table.c.lease_until > DatabaseTime()
    )
    row = connection.execute(query).first()
    if row is None or row.claimed_by is None:
        return None
    return Lease(Owner.parse(row.claimed_by), datetime.fromtimestamp(row.lease_until, UTC))


class DatabaseTime(Function[float]):
    """The database's clock at the moment of the statement: seconds since 1970, UTC."""

    inherit_cache = True

    def __init__(self) -> None:
        super().__init__("lcagent_time", type_=Float())


@compiles(DatabaseTime, "sqlite")
def _sqlite_time(*_: Any, **__: Any) -> str:
    # unixepoch('now', 'subsec') needs SQLite 3.42, newer than what Python often comes with.
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(DatabaseTime, "postgresql")
def _postgres_time(*_: Any, **__: Any) -> str:
    # Not now(): that is when the transaction began, maybe before it waited for this very row.
    return "CAST(EXTRACT(EPOCH FROM clock_timestamp()) AS DOUBLE PRECISION)"


def _take(
    connection: Connection,
    table: Table,
    row_id: str,
    owner: Owner,
    lease_s: float,
    condition: ColumnElement[bool],
) -> bool:
    taken = connection.execute(
        update(table)
        .where(table.c.id == row_id, condition)
        .values(claimed_by=str(owner), lease_until=DatabaseTime() + lease_s)
    )
    return taken.rowcount == 1


def _check_exists(connection: Connection, table: Table, row_id: str) -> None:
    if connection.execute(select(table.c.id).where(table.c.id == row_id)).first() is None:
        raise LookupError(f"{table.name} has no row {row_id!r}")


@lru_cache(maxsize=1)
def _scope() -> str:
    """Return a name for where this process's number means this process and no other."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
        place = boot + str(Path("/proc/self/ns/pid").readlink())
    except OSError:  # not Linux; getnode() is random where no network card tells it, and then
        place = f"{socket.gethostname()} {getnode()}"  # each process is a place of its own
    return sha256(place.encode()).hexdigest()[:16]
