"""A job from its first item to its last: results, attempts, failures, limits, and being stopped."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from lcagent.errors import BudgetExceeded, ModelError, ModelNotUsable, UsageError
from lcagent.models.chat_model import OnText, Reply, Request
from lcagent.pipelines import Session
from lcagent.pipelines.batch.items import plan_item
from lcagent.pipelines.batch.planning import JobRequest, plan_job, retry_failed
from lcagent.pipelines.batch.runner import JobLimits, JobRun, run_async
from lcagent.pipelines.batch.worker import WorkerOptions
from lcagent.storage.item_queue import ItemQueue
from lcagent.storage.job_store import JobStore
from lcagent.storage.leases import Owner
from lcagent.tasks import AskTask
from lcagent.testing import SCRIPTED_CARD, ScriptedModel

pytestmark = pytest.mark.anyio
PRICED = replace(SCRIPTED_CARD, usd_per_million_prompt=1_000.0, usd_per_million_completion=0.0)


def _positions(lines: list[dict[str, Any]]) -> list[int]:
    return [line["item"]["position"] for line in lines]


async def test_each_item_becomes_a_line_with_its_answer(
    documents: Any, asking: Any, carry_out: Any, lines: Any, script: Any
) -> None:
    outcome = await carry_out(asking(documents(6)))
    assert (outcome.job.status, outcome.failed, outcome.error) == ("done", 0, None)
    assert outcome.job.calls == 6
    assert _positions(lines()) == [1, 2, 3, 4, 5, 6]
    first = lines()[0]
    assert first["item"]["input"] == f"{1:064x}"[:12]
    assert (first["schema"], first["answer"]) == ("lcagent.answer/2", "Tom keeps it in 1 [1].")
    assert first["coverage"]
    assert sorted(script.asked) == ["1", "2", "3", "4", "5", "6"]


async def test_the_same_command_again_does_what_is_new_and_pays_for_nothing_twice(
    documents: Any, asking: Any, carry_out: Any, lines: Any, script: Any, session: Session
) -> None:
    first = await carry_out(asking(documents(3)))
    again = await carry_out(asking(documents(5)))
    assert again.job.id == first.job.id
    assert len(script.asked) == 5
    assert _positions(lines()) == [1, 2, 3, 4, 5]
    assert session.services.runs.listed() == []  # runs of items are listed with their job


async def test_runs_of_items_belong_to_their_job(
    documents: Any, asking: Any, carry_out: Any, lines: Any, session: Session
) -> None:
    outcome = await carry_out(asking(documents(1)))
    with session.services.database.read() as connection:
        row = connection.execute(text("SELECT id, job_id FROM runs")).one()
    assert row == (lines()[0]["run_id"], outcome.job.id)


async def test_another_question_is_another_job_and_does_not_touch_the_file_of_the_first(
    documents: Any, asking: Any, carry_out: Any, lines: Any
) -> None:
    request: JobRequest = asking(documents(2))
    await carry_out(request)
    assert isinstance(request.work, AskTask)
    other = replace(request, work=replace(request.work, question="Who kept the light?"))
    with pytest.raises(
        UsageError, match=r"holds something else than this job's results \(line 1\)"
    ):
        await carry_out(other)
    assert _positions(lines()) == [1, 2]


async def test_a_poison_item_stops_no_other_is_named_and_ends_well_once_it_is_mended(
    documents: Any,
    asking: Any,
    carry_out: Any,
    lines: Any,
    script: Any,
    session: Session,
) -> None:
    good = script.reply

    def poison(document: str) -> str | Reply:
        if document == "7":
            raise ModelError("the server fell over")
        return str(good(document))

    script.reply = poison
    outcome = await carry_out(asking(documents(10)), attempts=2)
    assert (outcome.job.status, outcome.failed) == ("done", 1)
    assert _positions(lines()) == [1, 2, 3, 4, 5, 6, 8, 9, 10]
    (failed,) = JobStore(session.services.database).with_status(outcome.job.id, "quarantined")
    assert (failed.position, failed.attempts, failed.error_kind) == (7, 2, "ModelError")
    assert failed.error == "the server fell over"
    assert failed.error_step == "the first call"
    assert outcome.failures is not None
    assert outcome.failures.name == "out.failed.jsonl"
    assert '"position": 7' in outcome.failures.read_text()
    script.reply = good
    assert await retry_failed(outcome.job, session.services) == 1
    mended = await carry_out(asking(documents(10)))
    assert (mended.job.status, mended.failed) == ("done", 0)
    assert _positions(lines()) == list(range(1, 11))
    assert not outcome.failures.exists()


async def test_a_file_that_cannot_be_read_fails_without_another_attempt_and_is_read_once_mended(
    tmp_path: Path, asking: Any, carry_out: Any, lines: Any, session: Session
) -> None:
    file = tmp_path / "light.md"
    file.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(50))
    outcome = await carry_out(asking((str(file),)))
    store = JobStore(session.services.database)
    (failed,) = store.with_status(outcome.job.id, "failed")
    assert (failed.attempts, failed.error_kind, failed.error_step) == (
        1, "UnreadableDocument", "reading",
    )  # fmt: skip
    file.write_text("The keeper of light number 1. is Tom.")
    await retry_failed(outcome.job, session.services)
    mended = await JobRun(session, outcome.job).run()
    assert mended.failed == 0
    assert _positions(lines()) == [1]


async def test_a_changed_file_is_a_new_item_in_place_of_one_that_failed(
    tmp_path: Path, asking: Any, carry_out: Any
) -> None:
    file = tmp_path / "light.md"
    file.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(50))
    assert (await carry_out(asking((str(file),)))).failed == 1
    file.write_text("The keeper of light number 1. is Tom.")
    mended = await carry_out(asking((str(file),)))
    assert mended.failed == 0
    assert (mended.counts["done"], mended.counts["superseded"]) == (1, 1)


async def test_a_file_that_changes_between_plan_and_turn_is_no_answer_about_another_text(
    tmp_path: Path, asking: Any, session: Session
) -> None:
    file = tmp_path / "light.md"
    file.write_text("The keeper of light number 1. is Tom.")
    planned = await plan_job(asking((str(file),)), session.services)
    file.write_text("The keeper of light number 2. is Ida.")
    outcome = await JobRun(session, planned.job).run()
    (failed,) = JobStore(session.services.database).with_status(outcome.job.id, "failed")
    assert failed.error == f"{file}: it changed since the job was begun: run the same command again"


async def test_files_of_the_same_content_are_one_item(
    tmp_path: Path, asking: Any, session: Session
) -> None:
    for name in ("a.md", "b.md"):
        (tmp_path / name).write_text("The keeper of light number 1. is Tom.")
    planned = await plan_job(asking((str(tmp_path / "*.md"),)), session.services)
    assert planned.added == 1
    assert planned.copies == (str(tmp_path / "b.md"),)


async def test_a_run_that_was_killed_goes_on_and_pays_for_nothing_twice(
    documents: Any, asking: Any, carry_out: Any, script: Any, session: Session
) -> None:
    """Take the state that a kill leaves: the item claimed, its run begun, its reply stored."""
    planned = await plan_job(asking(documents(2)), session.services)
    store = JobStore(session.services.database)
    store.begin(planned.job.id, {})
    dying = ItemQueue(
        session.services.database, planned.job.id, Owner("gone", 1, "elsewhere", "x"), lease_s=0
    )
    (item,) = dying.claim(1, is_idle=True)
    outcome = await carry_out(asking(documents(2)))
    assert outcome.counts["done"] == 2
    calls = len(script.asked)
    with session.services.database.write() as connection:  # as if killed behind its first item
        connection.execute(
            text(
                "UPDATE items SET status='running', claimed_by='gone 1 elsewhere x', lease_until=0"
            )
        )
        connection.execute(text("UPDATE runs SET status='running', result=NULL"))
        connection.execute(text("DELETE FROM steps"))
    again = await carry_out(asking(documents(2)))
    assert again.counts["done"] == 2
    assert len(script.asked) == calls
    (first,) = store.results(again.job.id, [1])
    assert first.run_id == item.run_id


async def test_a_run_that_ended_right_before_the_kill_is_taken_as_it_is(
    documents: Any, asking: Any, carry_out: Any, script: Any, session: Session
) -> None:
    await carry_out(asking(documents(1)))
    with session.services.database.write() as connection:
        connection.execute(text("UPDATE items SET status='queued', ended_at=NULL"))
        connection.execute(text("DELETE FROM replies"))
    assert (await carry_out(asking(documents(1)))).counts["done"] == 1
    assert len(script.asked) == 1


async def test_what_would_cost_more_than_is_left_does_not_begin(
    documents: Any,
    asking: Any,
    carry_out: Any,
    session: Session,
    script: Any,
    model: Any,
) -> None:
    model.card = PRICED
    script.reply = lambda document: Reply(f"Tom keeps it in {document}.", usd=0.1)
    outcome = await carry_out(asking(documents(8)), limits=JobLimits(max_calls=3))
    assert isinstance(outcome.error, BudgetExceeded)
    assert "raise --max-calls to go on" in str(outcome.error)
    assert (outcome.job.status, outcome.counts["done"], len(script.asked)) == ("stopped", 3, 3)
    store = JobStore(session.services.database)
    plan = await plan_item(session, store.requests(outcome.job.id, "queued")[0][1].request)
    assert plan is not None
    assert plan.usd is not None
    most_usd = outcome.job.usd + plan.usd + 0.15
    again = await carry_out(asking(documents(8)), limits=JobLimits(max_usd=most_usd))
    assert isinstance(again.error, BudgetExceeded)
    assert again.job.usd <= most_usd
    assert again.counts["done"] == 5  # behind two more the next plan does not fit
    last = await carry_out(asking(documents(8)))
    assert last.error is None
    assert (last.counts["done"], len(script.asked)) == (8, 8)


async def test_two_workers_of_one_job_share_its_items_its_budget_and_its_file(
    documents: Any, asking: Any, carry_out: Any, lines: Any, script: Any
) -> None:
    request = asking(documents(12))
    first, second = await asyncio.gather(carry_out(request), carry_out(request))
    assert first.job.id == second.job.id
    assert len(script.asked) == 12
    assert _positions(lines()) == list(range(1, 13))


async def test_a_model_that_nobody_can_ask_stops_the_job_at_once(
    documents: Any, asking: Any, carry_out: Any, script: Any
) -> None:
    def refuse(_: str) -> str:
        raise ModelNotUsable("the key was refused")

    script.reply = refuse
    outcome = await carry_out(asking(documents(30)))
    assert isinstance(outcome.error, ModelNotUsable)
    assert (outcome.job.status, outcome.failed) == ("stopped", 0)
    assert len(script.asked) <= 4
    script.reply = lambda document: f"Tom keeps it in {document}."
    assert (await carry_out(asking(documents(30)))).counts["done"] == 30


async def test_a_job_asked_to_stop_ends_what_runs_and_goes_on_later(
    documents: Any, asking: Any, script: Any, session: Session, lines: Any
) -> None:
    planned = await plan_job(asking(documents(9)), session.services)
    run = JobRun(session, planned.job, WorkerOptions(in_flight=2))

    def reply(document: str) -> str:
        if len(script.asked) == 3:
            run.stop.ask()
        return f"Tom keeps it in {document}."

    script.reply = reply
    outcome = await run.run()
    assert outcome.is_interrupted
    assert outcome.job.status == "stopped"
    assert 3 <= outcome.counts["done"] <= 5
    assert outcome.counts["running"] == 0
    assert len(lines()) == outcome.counts["done"] == len(script.asked)
    assert (await JobRun(session, planned.job).run()).counts["done"] == 9
    assert len(script.asked) == 9


async def test_a_job_told_to_stop_now_leaves_its_items_for_who_goes_on(
    documents: Any, asking: Any, session: Session, script: Any
) -> None:
    planned = await plan_job(asking(documents(4)), session.services)
    run = JobRun(session, planned.job, WorkerOptions(in_flight=4))
    silence = asyncio.Event()

    class Silent(ScriptedModel):
        async def complete(self, request: Request, on_text: OnText | None = None) -> Reply:
            run.stop.ask()
            run.stop.ask()
            await silence.wait()
            return await super().complete(request, on_text)

    services = session.services
    object.__setattr__(services, "models", {"openai:scripted": Silent(script)})
    outcome = await run.run()
    assert outcome.is_interrupted
    assert (outcome.counts["queued"], outcome.counts["done"]) == (4, 0)
    silence.set()
    assert (await JobRun(session, planned.job).run()).counts["done"] == 4


async def test_an_item_whose_lease_was_lost_is_left_to_the_other_worker(
    documents: Any, asking: Any, session: Session, script: Any, lines: Any
) -> None:
    """A worker that stood still past its lease is refused, and ends the item."""
    planned = await plan_job(asking(documents(1)), session.services)
    heir = ItemQueue(session.services.database, planned.job.id, Owner("heir", 1, "b", "x"))

    def steal(document: str) -> str:
        with session.services.database.write() as connection:
            connection.execute(text("UPDATE items SET lease_until = 0"))
        heir.free_lost()
        claimed.extend(heir.claim(1, is_idle=True))
        is_stolen.set()
        return f"Tom keeps it in {document}."

    claimed: list[Any] = []
    is_stolen = asyncio.Event()
    script.reply = steal
    work = asyncio.ensure_future(JobRun(session, planned.job, WorkerOptions()).run())
    await is_stolen.wait()
    await asyncio.sleep(0.3)
    assert JobStore(session.services.database).counts(planned.job.id)["running"] == 1
    assert heir.release(claimed[0])  # it is the heir's: the first worker's finish was refused
    outcome = await work
    assert outcome.counts["done"] == 1
    assert _positions(lines()) == [1]


async def test_the_library_yields_each_item_when_it_has_ended(
    documents: Any, asking: Any, session: Session, script: Any
) -> None:
    found = [item async for item in run_async(asking(documents(3)), session=session)]
    assert sorted(item.position for item in found) == [1, 2, 3]
    assert {item.status for item in found} == {"done"}
    assert {item.result["answer"] for item in found if item.result} == {
        f"Tom keeps it in {number} [1]." for number in (1, 2, 3)
    }
    again = [item async for item in run_async(asking(documents(3)), session=session)]
    assert len(again) == 3
    assert len(script.asked) == 3


async def test_who_stops_asking_the_library_stops_the_job_softly(
    documents: Any, asking: Any, session: Session, script: Any
) -> None:
    items = run_async(asking(documents(40)), session=session, options=WorkerOptions(in_flight=1))
    async for _ in items:
        break
    await items.aclose()
    assert 1 <= len(script.asked) < 40
    counts = JobStore(session.services.database).counts(
        JobStore(session.services.database).listed()[0].id
    )
    assert (counts["running"], counts["done"]) == (0, len(script.asked))


async def test_documents_are_indexed_without_a_model(
    tmp_path: Path, session: Session, carry_out: Callable[..., Any]
) -> None:
    from lcagent.pipelines.batch.planning import IndexRequest  # noqa: PLC0415

    file = tmp_path / "a.txt"
    file.write_text("The keeper is Tom.")
    outcome = await carry_out(JobRequest(IndexRequest(), (str(file),)))
    (item,) = JobStore(session.services.database).results(outcome.job.id, [1])
    assert item.result is not None
    assert [each["name"] for each in item.result["documents"]] == ["a.txt"]
    assert session.services.documents.revision(item.result["documents"][0]["id"]) is not None
