"""Items of a job are claimed, lost, ended and paid for, whatever the store."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import text

from lcagent.results import Usage
from lcagent.storage.database import Database
from lcagent.storage.item_queue import LOSSES, ClaimedItem, Failure, ItemQueue
from lcagent.storage.job_store import JobStore, NewItem
from lcagent.storage.leases import Owner

MINUTE_S = 60.0
NOTHING = Usage()
FAULT = Failure("the server is away", "ModelUnavailable", "the first call", attempts=3)


@pytest.fixture
def store(database: Database) -> JobStore:
    return JobStore(database)


@pytest.fixture
def job_id(store: JobStore) -> str:
    """Return a job with five items that was begun."""
    job, is_made = store.create("i" * 64, verb="ask", title="Who?", output="/out.jsonl")
    assert is_made
    store.add_items(job.id, [_new(number) for number in range(5)])
    store.begin(job.id, {})
    return job.id


@pytest.fixture
def worker(database: Database, job_id: str) -> Callable[..., ItemQueue]:
    """Return what makes a worker of some machine."""

    def make(host: str = "far-away", lease_s: float = MINUTE_S) -> ItemQueue:
        return ItemQueue(database, job_id, Owner(host, 1, "another-machine", host), lease_s=lease_s)

    return make


def _new(number: int) -> NewItem:
    return NewItem(f"{number:064x}", f"{number}.txt", {"contents": {}})


def _positions(claimed: list[ClaimedItem]) -> list[int]:
    return [item.position for item in claimed]


def test_a_job_is_known_by_what_it_does_unless_a_new_one_is_wanted(store: JobStore) -> None:
    what = {"verb": "ask", "title": "Who?", "output": None}
    first, is_made = store.create("i" * 64, **what)
    again, is_made_again = store.create("i" * 64, **what)
    assert (is_made, is_made_again, again.id) == (True, False, first.id)
    another, _ = store.create("i" * 64, is_new=True, **what)
    last, _ = store.create("i" * 64, **what)
    assert another.id != first.id
    assert last.id == another.id


def test_an_item_is_added_once_and_behind_the_others(store: JobStore, job_id: str) -> None:
    assert store.add_items(job_id, [_new(3), _new(7), _new(7)]) == 1
    assert [position for position, _ in store.requests(job_id, "queued")] == [1, 2, 3, 4, 5, 6]


def test_what_changed_takes_the_place_of_what_is_not_done(
    store: JobStore, job_id: str, worker: Callable[..., ItemQueue]
) -> None:
    queue = worker()
    (done,) = queue.claim(1, is_idle=True)
    queue.finish(done, NOTHING, 1.0)
    store.add_items(job_id, [NewItem("a" * 64, "0.txt", {}), NewItem("b" * 64, "1.txt", {})])
    assert store.counts(job_id)["superseded"] == 1  # the second; the first is done
    assert [item.input for _, item in store.requests(job_id, "queued")][-2:] == ["0.txt", "1.txt"]


def test_no_item_is_claimed_twice(worker: Callable[..., ItemQueue]) -> None:
    many = 6
    together = Barrier(many)

    def claim(number: int) -> list[int]:
        queue = worker(f"host-{number}")
        together.wait()
        return _positions(queue.claim(2, is_idle=True))

    with ThreadPoolExecutor(many) as pool:
        claimed = [position for some in pool.map(claim, range(many)) for position in some]
    assert len(claimed) == len(set(claimed))
    left = _positions(worker("last").claim(9, is_idle=True))  # who found all locked took none
    assert sorted(claimed + left) == [1, 2, 3, 4, 5]


def test_an_item_whose_lease_ended_goes_to_another_and_its_first_worker_is_refused(
    store: JobStore, job_id: str, worker: Callable[..., ItemQueue]
) -> None:
    frozen, heir = worker("frozen", lease_s=0), worker("heir")
    (item,) = frozen.claim(1, is_idle=True)
    assert heir.free_lost() == 1
    assert frozen.renew() == set()
    taken = heir.claim(5, is_idle=True)
    (again,) = [each for each in taken if each.position == item.position]
    assert (again.attempts, again.losses, again.run_id) == (2, 1, item.run_id)
    cost = Usage(calls=7, usd=1.0)
    assert not frozen.finish(item, cost, 1.0)
    assert frozen.fail(item, cost, 1.0, FAULT) is None
    assert not frozen.release(item, cost)
    assert heir.finish(again, Usage(calls=1, usd=0.5), 1.0)
    job = store.load(job_id)
    assert (job.calls, job.usd) == (1, 0.5)


def test_its_own_earlier_claim_is_another_ones_too(worker: Callable[..., ItemQueue]) -> None:
    queue = worker(lease_s=0)
    (first,) = queue.claim(1, is_idle=True)
    queue.free_lost()
    again = next(x for x in queue.claim(5, is_idle=True) if x.position == first.position)
    assert not queue.finish(first, NOTHING, 1.0)
    assert queue.finish(again, NOTHING, 1.0)


def test_a_lease_that_is_renewed_is_not_lost(worker: Callable[..., ItemQueue]) -> None:
    queue = worker(lease_s=0)
    (item,) = queue.claim(1, is_idle=True)
    lasting = ItemQueue(queue._database, queue._job_id, queue.owner, lease_s=MINUTE_S)
    assert lasting.renew() == {item.position}
    assert worker("heir").free_lost() == 0


def test_an_item_lost_with_its_worker_again_and_again_is_given_up(
    store: JobStore, job_id: str, worker: Callable[..., ItemQueue]
) -> None:
    for _ in range(LOSSES):
        dying = worker(lease_s=0)
        while dying.claim(1, is_idle=True):
            pass
        worker("heir").free_lost()
    counts = store.counts(job_id)
    assert counts["queued"] == 0 or counts["quarantined"] > 0
    while store.counts(job_id)["queued"]:
        worker(lease_s=0).claim(1, is_idle=True)
        worker("heir").free_lost()
    given_up = store.with_status(job_id, "quarantined")
    assert len(given_up) == 5
    assert {item.error_kind for item in given_up} == {"WorkerLost"}


def test_an_item_that_was_lost_twice_is_claimed_alone(
    database: Database, worker: Callable[..., ItemQueue]
) -> None:
    with database.write() as connection:
        connection.execute(text("UPDATE items SET losses = 2 WHERE position IN (1, 2)"))
    queue = worker()
    assert _positions(queue.claim(5, is_idle=True)) == [3, 4, 5]
    assert queue.claim(5, is_idle=False) == []
    assert _positions(worker("idle").claim(5, is_idle=True)) == [1]


def test_an_item_is_tried_again_as_often_as_it_may_be_then_given_up(
    store: JobStore, job_id: str, worker: Callable[..., ItemQueue]
) -> None:
    queue = worker()
    for attempt in (1, 2, 3):
        item = next(each for each in queue.claim(9, is_idle=True) if each.position == 1)
        assert item.attempts == attempt
        status = queue.fail(item, Usage(calls=2), 1.0, FAULT)
        assert status == ("queued" if attempt < 3 else "quarantined")
    (given_up,) = store.with_status(job_id, "quarantined")
    assert (given_up.error, given_up.error_kind, given_up.error_step, given_up.attempts) == (
        "the server is away", "ModelUnavailable", "the first call", 3,
    )  # fmt: skip
    assert store.load(job_id).calls == 6
    assert store.retry(job_id) == 1
    (again,) = queue.claim(1, is_idle=False)
    assert (again.position, again.attempts, again.losses) == (1, 1, 0)


def test_what_no_other_attempt_would_mend_fails_at_once_and_a_delay_is_kept(
    store: JobStore, job_id: str, worker: Callable[..., ItemQueue]
) -> None:
    queue = worker()
    first, second = queue.claim(2, is_idle=True)
    assert queue.fail(first, NOTHING, 1.0, Failure("no such file", "UsageError", "reading", 0)) == (
        "failed"
    )
    later = Failure("busy", "ModelUnavailable", "the first call", 3, delay_s=MINUTE_S)
    assert queue.fail(second, NOTHING, 1.0, later) == "queued"
    assert _positions(queue.claim(9, is_idle=False)) == [3, 4, 5]
    wait_s = queue.wait_s()
    assert wait_s is not None
    assert MINUTE_S - 10 < wait_s <= MINUTE_S
    assert store.counts(job_id)["failed"] == 1


def test_an_item_that_is_released_was_not_tried(worker: Callable[..., ItemQueue]) -> None:
    queue = worker()
    (item,) = queue.claim(1, is_idle=True)
    assert queue.release(item)
    (again,) = queue.claim(1, is_idle=True)
    assert (again.position, again.attempts) == (1, 1)


def test_a_budget_holds_for_all_workers_together(
    store: JobStore, job_id: str, worker: Callable[..., ItemQueue]
) -> None:
    store.begin(job_id, {"max_usd": 1.0, "max_calls": 10})
    one, other = worker("one"), worker("other")
    (first,), (second,) = one.claim(1, is_idle=True), other.claim(1, is_idle=True)
    assert one.reserve(first, 2, 0.6) == "reserved"
    assert other.reserve(second, 2, 0.6) == "wait"
    assert other.reserve(second, 9, 0.1) == "wait"
    one.finish(first, Usage(calls=1, usd=0.1), 1.0)
    assert other.reserve(second, 2, 0.6) == "reserved"
    other.finish(second, Usage(calls=2, usd=0.6), 1.0)
    (third,) = one.claim(1, is_idle=True)
    assert one.reserve(third, 1, 0.4) == "too much"
    assert one.reserve(third, 8, 0.1) == "too much"
    assert one.reserve(third, 7, 0.3) == "reserved"


def test_what_is_reserved_for_a_lost_item_is_free_again(
    store: JobStore, job_id: str, worker: Callable[..., ItemQueue]
) -> None:
    store.begin(job_id, {"max_usd": 1.0})
    dying, heir = worker("dying", lease_s=0), worker("heir")
    (lost,) = dying.claim(1, is_idle=True)
    assert dying.reserve(lost, 1, 1.0) == "reserved"
    heir.free_lost()
    (item,) = heir.claim(1, is_idle=True)
    assert heir.reserve(item, 1, 1.0) == "reserved"


def test_of_reservations_at_once_no_more_succeed_than_fit(
    store: JobStore, job_id: str, worker: Callable[..., ItemQueue]
) -> None:
    store.begin(job_id, {"max_usd": 1.0})
    queues = [worker(f"host-{number}") for number in range(5)]
    claimed = [queue.claim(1, is_idle=True)[0] for queue in queues]
    together = Barrier(5)

    def reserve(pair: tuple[ItemQueue, ClaimedItem]) -> str:
        together.wait()
        return pair[0].reserve(pair[1], 1, 0.4)

    with ThreadPoolExecutor(5) as pool:
        made = list(pool.map(reserve, zip(queues, claimed, strict=True)))
    assert sorted(made) == ["reserved", "reserved", "wait", "wait", "wait"]


@pytest.mark.parametrize("how", ["stopped", "cancelled"])
def test_no_item_of_a_job_that_ended_is_claimed(
    how: str, store: JobStore, job_id: str, worker: Callable[..., ItemQueue]
) -> None:
    queue = worker()
    (running,) = queue.claim(1, is_idle=True)
    if how == "cancelled":
        assert store.cancel(job_id) == 4
    else:
        store.end(job_id, "stopped", "interrupted")
    assert queue.claim(5, is_idle=True) == []
    assert queue.finish(running, NOTHING, 1.0)
    store.requeue_cancelled(job_id)
    store.begin(job_id, {})
    assert _positions(queue.claim(5, is_idle=True)) == [2, 3, 4, 5]


def test_what_ended_is_told_with_its_result(
    store: JobStore, job_id: str, worker: Callable[..., ItemQueue]
) -> None:
    queue = worker()
    _, second = queue.claim(2, is_idle=True)
    queue.finish(second, NOTHING, 2.5, {"schema": "lcagent.indexed/1"})
    ended, now = store.ended_since(job_id, 0.0)
    assert ended == [2]
    assert store.ended_since(job_id, now + 1)[0] == []
    (item,) = store.results(job_id, ended)
    assert (item.input, item.seconds, item.result) == (
        "1.txt",
        2.5,
        {"schema": "lcagent.indexed/1"},
    )


def test_workers_are_listed_while_they_are_at_it(
    store: JobStore, job_id: str, worker: Callable[..., ItemQueue]
) -> None:
    queue = worker("near")
    queue.enter("local", "1.0")
    queue.claim(2, is_idle=True)
    queue.renew()
    (listed,) = store.workers(job_id)
    assert (listed.host, listed.engine, listed.in_flight) == ("near", "local", 2)
    assert listed.idle_s < MINUTE_S
    queue.leave()
    assert store.workers(job_id) == []


def test_the_time_of_a_job_is_counted_from_when_it_was_begun_last(
    store: JobStore, job_id: str
) -> None:
    assert store.time_left_s(store.load(job_id)) is None
    store.begin(job_id, {"max_time_s": MINUTE_S})
    left_s = store.time_left_s(store.load(job_id))
    assert left_s is not None
    assert MINUTE_S - 10 < left_s <= MINUTE_S
