"""What makes a job and its items: files, ids, lines of requests; and what they will take."""

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from lcagent.errors import UsageError
from lcagent.pipelines import Session
from lcagent.pipelines.batch.estimate import estimate
from lcagent.pipelines.batch.planning import JobRequest, plan_job, planned_items, read_requests
from lcagent.pipelines.methods.chain.options import ChainOptions
from lcagent.storage.job_store import JobStore
from lcagent.tasks import AskTask

pytestmark = pytest.mark.anyio
DEFAULTS = {"strategy": "rag", "model": "openai:scripted"}


def _file(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "asks.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_a_line_is_a_task_with_what_the_command_says_where_it_says_nothing(tmp_path: Path) -> None:
    path = _file(
        tmp_path,
        '{"documents": "a.txt", "question": "Who?"}',
        "",
        '{"id": "second", "documents": ["a", "b"], "question": "Why?", "strategy": "chain",'
        ' "options": {"chain": {"takes_notes": false}}}',
    )
    (first, one), (second, other) = read_requests(path, "ask", DEFAULTS)
    assert (first, second) == ("line 1", "second")
    assert one == AskTask(("a.txt",), "Who?", **cast("dict[str, Any]", DEFAULTS))
    assert other.sources == ("a", "b")
    assert other.method_options(ChainOptions).takes_notes is False


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "line 1: it is no JSON"),
        ("[1]", "a request is a JSON object"),
        ('{"documents": ["a"]}', "the task ask lacks 'question'"),
        (
            '{"documents": ["a"], "question": "Who?", "verb": "write"}',
            "this job is of ask, not write",
        ),
        ('{"documents": ["a"], "question": "Who?", "topk": 3}', "there is no 'topk'; did you mean"),
        ('{"documents": ["a"], "question": "Who?", "max_usd": 1}', "limits are of the whole job"),
        ('{"documents": [], "question": "Who?"}', "no document is named"),
    ],
)
def test_a_line_that_is_no_task_is_refused_by_its_number(
    line: str, says: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=r"asks.jsonl, line 1: ") as refused:
        list(read_requests(_file(tmp_path, line), "ask", DEFAULTS))
    assert says in str(refused.value)


async def test_lines_are_items_and_a_line_that_names_nothing_fails_alone(
    tmp_path: Path, documents: Any, session: Session, carry_out: Any, out: Path
) -> None:
    (key,) = documents(1)
    path = _file(
        tmp_path,
        f'{{"documents": "{key}", "question": "Who keeps it?"}}',
        f'{{"documents": "{key}", "question": "Who kept it?", "top_k": 3}}',
        '{"documents": "nowhere.txt", "question": "Who?"}',
    )
    names, tasks = zip(*read_requests(path, "ask", DEFAULTS), strict=True)
    outcome = await carry_out(JobRequest(tasks, (), out, names=names))
    assert (outcome.counts["done"], outcome.counts["failed"]) == (2, 1)
    (failed,) = JobStore(session.services.database).with_status(outcome.job.id, "failed")
    assert (failed.input, failed.error_step) == ("line 3", "reading")
    assert "nowhere.txt" in str(failed.error)


async def test_items_are_known_by_their_task_and_content_not_by_limits_or_names(
    tmp_path: Path, asking: Any, session: Session
) -> None:
    (tmp_path / "a.txt").write_text("One text.")
    request: JobRequest = asking((str(tmp_path / "a.txt"),))
    first = await plan_job(request, session.services)
    (tmp_path / "a.txt").rename(tmp_path / "b.txt")
    assert isinstance(request.work, AskTask)
    moved = replace(
        request, documents=(str(tmp_path / "b.txt"),), work=replace(request.work, max_usd=3.0)
    )
    again = await plan_job(moved, session.services)
    assert (again.job.id, again.added) == (first.job.id, 0)
    other = replace(moved, work=replace(request.work, top_k=3))
    assert (await plan_job(other, session.services)).job.id != first.job.id
    new = await plan_job(replace(moved, is_new=True), session.services)
    assert (new.job.id != first.job.id, new.added) == (True, 1)


async def test_an_estimate_is_the_sum_of_plans_and_of_a_sample_an_interval(
    documents: Any, asking: Any, session: Session, carry_out: Any
) -> None:
    items = await planned_items(asking(documents(20)), session.services)
    whole = await estimate(session, items, in_flight=4)
    assert (whole.items, whole.planned, whole.calls.total) == (20, 20, 20.0)
    assert whole.strategies == {"rag": 20}
    assert whole.sum_of("pages").total == 20
    sampled = await estimate(session, items, sample=5, in_flight=4)
    assert sampled.planned == 5
    tokens = sampled.sum_of("prompt_tokens")
    exact = whole.sum_of("prompt_tokens").total
    assert abs(tokens.total - exact) <= max(1.0, 2 * tokens.either_way)
    await carry_out(asking(documents(15)))
    left = await planned_items(asking(documents(20)), session.services)
    assert len(left) == 5  # what is done is not estimated again


async def test_what_cannot_be_read_is_named_in_an_estimate(
    tmp_path: Path, asking: Any, documents: Any, session: Session
) -> None:
    picture = tmp_path / "a.md"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(50))
    items = await planned_items(asking((*documents(2), str(picture))), session.services)
    found = await estimate(session, items, in_flight=4)
    ((name, why),) = found.unreadable
    assert name == str(picture)
    assert "an image" in why
    assert found.calls.total == 2.0
