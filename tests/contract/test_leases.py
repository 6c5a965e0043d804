"""One process is at a run, whatever the store, and a dead one's run is taken over."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from sqlalchemy import text

from lcagent.errors import UsageError
from lcagent.storage.database import Database
from lcagent.storage.leases import LeaseHeld, Owner
from lcagent.storage.run_store import RunStore

RUN = "abcdef" + "0" * 26
MINUTE_S = 60.0


@pytest.fixture
def runs(database: Database) -> RunStore:
    store = RunStore(database)
    store.begin(RUN, verb="ask", question="Who?", strategy="chain")
    return store


@pytest.fixture
def elsewhere() -> Owner:
    """Return a process of another machine."""
    return Owner("far-away", 4242, "another-machine", "task")


@pytest.fixture
def dead() -> Owner:
    """Return a process of this machine that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    return replace(Owner.of_this_process(), pid=ended.pid)


def test_a_second_owner_is_refused_and_told_who_is_at_it_and_until_when(
    runs: RunStore, elsewhere: Owner
) -> None:
    runs.claim(RUN, elsewhere, MINUTE_S)
    with pytest.raises(UsageError) as refused:
        runs.claim(RUN, Owner.of_this_process(), MINUTE_S)
    assert isinstance(refused.value, LeaseHeld)
    lease = refused.value.lease
    assert str(refused.value) == (
        "another process (far-away, pid 4242) is at the run abcdef000000; "
        f"its lease ends at {lease.until:%Y-%m-%d %H:%M:%S} UTC unless it renews it"
    )
    assert lease.owner == elsewhere
    assert abs(lease.until - datetime.now(UTC) - timedelta(seconds=MINUTE_S)) < timedelta(seconds=5)


def test_two_tasks_of_one_process_are_two_owners(runs: RunStore) -> None:
    runs.claim(RUN, Owner.of_this_process(), MINUTE_S)
    with pytest.raises(LeaseHeld):
        runs.claim(RUN, Owner.of_this_process(), MINUTE_S)


def test_an_owner_may_claim_again(runs: RunStore) -> None:
    owner = Owner.of_this_process()
    runs.claim(RUN, owner, 1)
    runs.claim(RUN, owner, MINUTE_S)
    lease = runs.lease(RUN)
    assert lease is not None
    assert lease.owner == owner
    assert lease.until > datetime.now(UTC) + timedelta(seconds=MINUTE_S / 2)


def test_a_lease_that_ended_is_taken_over_and_cannot_be_renewed_then(
    runs: RunStore, elsewhere: Owner
) -> None:
    runs.claim(RUN, elsewhere, 0)
    heir = Owner.of_this_process()
    runs.claim(RUN, heir, MINUTE_S)
    assert not runs.renew(RUN, elsewhere, MINUTE_S)
    runs.release(RUN, elsewhere)  # too late to free what is another's
    lease = runs.lease(RUN)
    assert lease is not None
    assert lease.owner == heir


def test_a_lease_that_is_renewed_does_not_end(runs: RunStore, elsewhere: Owner) -> None:
    runs.claim(RUN, elsewhere, 0)
    assert runs.lease(RUN) is None
    assert runs.renew(RUN, elsewhere, MINUTE_S)  # nobody took it meanwhile
    with pytest.raises(LeaseHeld):
        runs.claim(RUN, Owner.of_this_process(), MINUTE_S)


def test_a_run_that_was_released_is_free_at_once(runs: RunStore, elsewhere: Owner) -> None:
    runs.claim(RUN, elsewhere, MINUTE_S)
    runs.release(RUN, elsewhere)
    assert runs.lease(RUN) is None
    runs.claim(RUN, Owner.of_this_process(), MINUTE_S)


def test_a_process_of_this_machine_that_died_is_not_waited_for(runs: RunStore, dead: Owner) -> None:
    runs.claim(RUN, dead, MINUTE_S)
    heir = Owner.of_this_process()
    runs.claim(RUN, heir, MINUTE_S)
    lease = runs.lease(RUN)
    assert lease is not None
    assert lease.owner == heir


def test_a_process_of_another_machine_is_waited_for_whatever_its_number_means_here(
    runs: RunStore, dead: Owner
) -> None:
    runs.claim(RUN, replace(dead, scope="elsewhere"), MINUTE_S)
    with pytest.raises(LeaseHeld):
        runs.claim(RUN, Owner.of_this_process(), MINUTE_S)


def test_an_owner_of_some_other_form_is_respected(database: Database, runs: RunStore) -> None:
    with database.write() as connection:
        connection.execute(text("UPDATE runs SET claimed_by = 'somebody', lease_until = 9e9"))
    with pytest.raises(LeaseHeld, match=r"another process \(somebody, "):
        runs.claim(RUN, Owner.of_this_process(), MINUTE_S)


def test_a_claim_without_an_end_is_no_claim(database: Database, runs: RunStore) -> None:
    with database.write() as connection:
        connection.execute(text("UPDATE runs SET claimed_by = 'somebody', lease_until = NULL"))
    runs.claim(RUN, Owner.of_this_process(), MINUTE_S)


def test_a_run_that_is_not_there_cannot_be_claimed(runs: RunStore) -> None:
    with pytest.raises(LookupError, match="nothing-here"):
        runs.claim("nothing-here", Owner.of_this_process(), MINUTE_S)


def test_of_many_that_claim_at_once_one_succeeds(runs: RunStore, dead: Owner) -> None:
    many = 8
    for holder in (None, dead):
        if holder is not None:
            _free(runs)
            runs.claim(RUN, holder, MINUTE_S)
        together = Barrier(many)

        def attempt(_: int, together: Barrier = together) -> bool:
            together.wait()
            with suppress(LeaseHeld):
                runs.claim(RUN, Owner.of_this_process(), MINUTE_S)
                return True
            return False

        with ThreadPoolExecutor(many) as pool:
            assert sum(pool.map(attempt, range(many))) == 1


def _free(runs: RunStore) -> None:
    lease = runs.lease(RUN)
    assert lease is not None
    runs.release(RUN, lease.owner)


def test_an_owner_is_read_as_it_was_written() -> None:
    owner = Owner.of_this_process()
    assert Owner.parse(str(owner)) == owner
    assert owner.pid == os.getpid()
    assert not owner.is_dead
    spaced = replace(owner, host="My Mac")
    assert Owner.parse(str(spaced)) == spaced
