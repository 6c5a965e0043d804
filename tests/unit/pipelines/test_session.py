"""What a face of lcagent may rely on: tasks run, planned, told about, resumed, and shown."""

import asyncio
import io
from dataclasses import replace
from pathlib import Path

import pytest

from lcagent import ChainOptions, NamedText, ask_async
from lcagent.errors import BudgetExceeded, UsageError
from lcagent.models.chat_model import OnText, Reply, Request
from lcagent.pipelines import Session
from lcagent.pipelines.events import AnswerText, Finished, MethodChosen, Planned, StepDone
from lcagent.retrieval.search.retriever import InMemoryCorpus
from lcagent.settings import load_settings
from lcagent.storage.leases import Owner
from lcagent.tasks import AskTask, SearchTask
from lcagent.testing import SCRIPTED_CARD, ScriptedModel

pytestmark = pytest.mark.anyio

SMALL = replace(SCRIPTED_CARD, window_tokens=700)
CHAIN = ChainOptions(takes_notes=False)


@pytest.fixture
def long_book(tmp_path: Path) -> Path:
    """Return a text that takes several workers."""
    path = tmp_path / "long.txt"
    said = (f"On day {day} the ferry went slowly over the sea. " for day in range(240))
    path.write_text("".join(said), encoding="utf-8")
    return path


def _chain(book: Path, **fields: object) -> AskTask:
    task = AskTask((str(book),), "How did it go?", strategy="chain", options=(CHAIN,))
    return replace(task, **fields)  # type: ignore[arg-type] -- fields of the task


async def test_events_come_in_order_and_end_with_the_result(
    long_book: Path, session: Session
) -> None:
    model = ScriptedModel(lambda _: "It went slowly.", card=SMALL)
    events = [event async for event in session.events(_chain(long_book), model=model)]
    assert isinstance(events[0], Planned)
    assert isinstance(events[1], MethodChosen)
    assert isinstance(events[-1], Finished)
    steps = [event for event in events if isinstance(event, StepDone)]
    assert [step.done for step in steps] == list(range(1, steps[0].total + 1))
    text = "".join(event.text for event in events if isinstance(event, AnswerText))
    assert text == "It went slowly."


async def test_who_stops_listening_stops_the_run_which_can_be_resumed(
    long_book: Path, session: Session
) -> None:
    model = ScriptedModel(lambda _: "It went slowly.", card=SMALL)
    events = session.events(_chain(long_book), model=model)
    async for event in events:
        if isinstance(event, StepDone) and event.done == 2:
            break
    await events.aclose()  # type: ignore[attr-defined] -- an async generator
    for _ in range(100):
        if session.services.runs.listed()[0].status == "stopped":
            break
        await asyncio.sleep(0.05)
    (run,) = session.services.runs.listed()
    assert run.status == "stopped"
    asked = len(model.requests)
    result = await session.resume(run.id, model=model)
    assert result.body == "It went slowly [1]."
    prompts = [request.messages[-1].text for request in model.requests]
    assert len(prompts) - len(set(prompts)) <= 1  # the call that was in flight
    assert asked < len(prompts)


async def test_an_error_of_a_run_reaches_who_listens(long_book: Path, session: Session) -> None:
    model = ScriptedModel(lambda _: "It went slowly.", card=SMALL)
    with pytest.raises(BudgetExceeded):
        async for _ in session.events(_chain(long_book, max_calls=2), model=model):
            pass


async def test_a_stopped_run_goes_on_with_a_higher_limit_and_its_cost_is_whole(
    long_book: Path, session: Session
) -> None:
    model = ScriptedModel(lambda _: "It went slowly.", card=SMALL)
    with pytest.raises(BudgetExceeded, match=r"--max-calls 3\b.*raise --max-calls"):
        await session.run(_chain(long_book, max_calls=3), model=model)
    (run,) = session.services.runs.listed()
    with pytest.raises(BudgetExceeded, match=r"--max-calls 3\b"):
        await session.resume(run.id, model=model)
    result = await session.resume(run.id, model=model, max_calls=100)
    assert result.usage.calls == len(model.requests)
    assert result.usage.cached_calls == 0


async def test_resuming_takes_fields_of_the_task_and_no_others(
    long_book: Path, session: Session
) -> None:
    model = ScriptedModel(lambda _: "It went slowly.", card=SMALL)
    with pytest.raises(BudgetExceeded):
        await session.run(_chain(long_book, max_calls=1), model=model)
    (run,) = session.services.runs.listed()
    with pytest.raises(UsageError, match="did you mean 'max_calls'"):
        await session.resume(run.id, model=model, max_call=9)
    with pytest.raises(UsageError, match="its model was made by a program"):
        await session.resume(run.id)


async def test_a_run_that_another_process_is_at_is_refused_and_taken_over_when_its_lease_ends(
    long_book: Path, session: Session
) -> None:
    model = ScriptedModel(lambda _: "It went slowly.", card=SMALL)
    with pytest.raises(BudgetExceeded):
        await session.run(_chain(long_book, max_calls=1), model=model)
    (run,) = session.services.runs.listed()
    other = replace(Owner.of_this_process(), host="elsewhere", pid=7, scope="another-machine")
    session.services.runs.claim(run.id, other, 0.6)
    with pytest.raises(UsageError, match=r"another process \(elsewhere, pid 7\) is at the run"):
        await session.resume(run.id, model=model, max_calls=100)
    await asyncio.sleep(0.8)
    result = await session.resume(run.id, model=model, max_calls=100)
    assert result.body == "It went slowly [1]."
    assert session.services.runs.lease(run.id) is None


async def test_a_claim_that_was_lost_stops_the_run(
    long_book: Path, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lcagent.pipelines.run_log.LEASE_S", 0.3)
    other = replace(Owner.of_this_process(), host="elsewhere", pid=7, scope="another-machine")

    async def lose_the_claim() -> None:
        (run,) = session.services.runs.listed()
        lease = session.services.runs.lease(run.id)
        if lease is not None and lease.owner != other:
            session.services.runs.release(run.id, lease.owner)
            session.services.runs.claim(run.id, other, 30)
        await asyncio.sleep(1)

    class Slow(ScriptedModel):
        async def complete(self, request: Request, on_text: OnText | None = None) -> Reply:
            await lose_the_claim()
            return await super().complete(request, on_text)

    model = Slow(lambda _: "It went slowly.", card=SMALL)
    with pytest.raises(UsageError, match="another process has taken over the run"):
        await session.run(_chain(long_book), model=model)
    lease = session.services.runs.lease(session.services.runs.listed()[0].id)
    assert lease is not None
    assert lease.owner == other


async def test_documents_may_be_bytes_files_or_texts_with_a_name(session: Session) -> None:
    said = "# Light\n\nHector Vance kept the lighthouse until 1938.\n"
    for document in (NamedText("light.md", said), io.BytesIO(said.encode()), said.encode()):
        answer = await ask_async(document, "Who kept the lighthouse?", session=session)
        assert "Hector Vance" in answer.answer
    named = await ask_async(NamedText("light.md", said), "Who kept it?", session=session)
    assert named.coverage.pages == 1
    assert "light.md" in {each.name for each in session.services.documents.listed()}


async def test_an_index_is_built_once_and_is_a_retriever(book: Path, session: Session) -> None:
    index = await session.index(str(book))
    found = await index.search("the lighthouse", top_k=1)
    assert found.passages[0].document_name == "book.md"
    assert await session.index(str(book)) is index
    await session.run(SearchTask((str(book),), "ferry"))
    assert session.services.indexer.built == 1


async def test_a_store_and_a_retriever_of_the_callers_take_the_place_of_ours(
    book: Path, session: Session
) -> None:
    (read,) = (await session.collect(str(book))).documents
    ferry = replace(read, pages=read.pages[1:2])
    own = Session.open(
        session.services.settings,
        store=session.services.database,
        retriever=InMemoryCorpus([ferry]),
    )
    async with own:
        found = await own.run(SearchTask((read.id,), "lighthouse ferry"))
        assert own.services.database is session.services.database
    assert [("Lady Annis" in hit.text, "Hector" in hit.text) for hit in found.hits] == [
        (True, False)
    ]
    assert session.services.documents.listed()  # the store is still open


async def test_a_page_has_its_lines(book: Path, session: Session) -> None:
    page = await session.page(str(book), 2)
    assert "Lady Annis" in page.text
    with pytest.raises(UsageError, match="pages 1 to 3, not 4"):
        await session.page(str(book), 4)


async def test_a_task_that_makes_no_sense_opens_no_store(own_home: Path, book: Path) -> None:
    async with Session.open(load_settings(embedder="none")) as session:
        with pytest.raises(UsageError):
            await session.run(AskTask((str(book),), "Who?", strategy="guess"))
        with pytest.raises(TypeError, match="no 'on_events'; did you mean 'on_event'"):
            await session.run(AskTask((str(book),), "Who?"), on_events=print)
    assert not own_home.exists()


async def test_models_of_the_callers_are_found_by_the_name_tasks_give_them(book: Path) -> None:
    model = ScriptedModel(lambda _: 'Hector [S1 "Hector Vance kept the lighthouse"].')
    settings = load_settings(embedder="none")
    async with Session.open(settings, models={"openai:mine": model}) as session:
        answer = await session.run(AskTask((str(book),), "Who?", model="openai:mine"))
        found = await session.run(SearchTask((str(book),), "lighthouse"))
    assert answer.answer == "Hector [1]."
    assert found.rows()[0]["document"] == "book.md"
