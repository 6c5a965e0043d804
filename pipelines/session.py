"""A session: one open store, and the tasks that are run in it.

    async with Session.open() as session:
        answer = await session.run(AskTask(("book.pdf",), "Who kept the light?"))

Runs may go on at the same time; documents, indexes and models are shared between them. A run is
recorded step by step, so that one that was killed, failed or stopped by a limit goes on.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, fields, replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, cast, overload

from lcagent.documents import Documents, Page
from lcagent.errors import BudgetExceeded, LcagentError, UsageError
from lcagent.fields import check_names
from lcagent.models.chat_model import ChatModel
from lcagent.pipelines.context import RunContext
from lcagent.pipelines.events import Event, Finished, Planned
from lcagent.pipelines.method import Pipeline
from lcagent.pipelines.preparing import (
    Companions,
    companions_of,
    model_name,
    pipeline_of,
    prepare,
    resumable_task,
    stored_request,
)
from lcagent.pipelines.registry import check_task, describe
from lcagent.pipelines.run_log import RunLog, claimed
from lcagent.pipelines.searching import found_passages
from lcagent.pipelines.services import Services
from lcagent.pipelines.step_views import StepView
from lcagent.pipelines.tracing import traced_as
from lcagent.results import Answer, Article, Plan, Result, SearchResult, Summary
from lcagent.retrieval.embedding.embedder import Embedder
from lcagent.retrieval.library import Collection, ReadingProgress
from lcagent.retrieval.search.index import Index
from lcagent.retrieval.search.retriever import Retriever
from lcagent.selection import parse_pages
from lcagent.settings import Settings, load_settings
from lcagent.storage.database import Database
from lcagent.storage.run_store import RunStatus, StoredRun
from lcagent.tasks import QUOTE, AskTask, SearchTask, SummarizeTask, Task, WriteTask

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

STEPS_AT_MOST = 1_000_000
"""Steps of a graph; each worker is one, and a long book has hundreds."""


class Session:
    """An open store and what reads, searches, answers and records in it.

    Use it as an asynchronous context manager; where no model is asked, a plain `with` does, too.

    Attributes:
        services: What it works with.
    """

    def __init__(self, services: Services) -> None:
        self.services = services

    @classmethod
    def open(
        cls,
        settings: Settings | None = None,
        *,
        models: Mapping[str, ChatModel] | None = None,
        store: Database | None = None,
        embedder: Embedder | None = None,
        retriever: Retriever | None = None,
    ) -> Self:
        """Return a session on the store that the settings name, which is opened when it is used.

        Args:
            settings: By default those in force (`lcagent config show`).
            models: Models of your own, by the names under which tasks ask for them.
            store: An open one of yours, which stays open.
            embedder: Makes vectors, in place of that of the settings.
            retriever: Finds passages in place of the index of the documents; they are those of
                the task's documents (see `LlamaIndexBackend` and `InMemoryCorpus`).
        """
        settings = settings or load_settings()
        return cls(Services(settings, models or {}, store, embedder, retriever))

    def __enter__(self) -> Self:
        """Return the session."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the store."""
        self.services.close()

    async def __aenter__(self) -> Self:
        """Return the session."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the connections to models' servers, then the store."""
        await self.services.close_models()
        self.services.close()

    @overload
    async def run(self, task: AskTask, **companions: Any) -> Answer: ...
    @overload
    async def run(self, task: SearchTask, **companions: Any) -> SearchResult: ...
    @overload
    async def run(self, task: SummarizeTask, **companions: Any) -> Summary: ...
    @overload
    async def run(self, task: WriteTask, **companions: Any) -> Article: ...
    @overload
    async def run(self, task: Task, **companions: Any) -> Result | SearchResult: ...
    async def run(self, task: Task, **companions: Any) -> Result | SearchResult:
        """Carry out a task and return its result.

        Args:
            companions: Fields of `Companions`: `model`, `password`, `progress`, `on_event`, `item`.

        Raises:
            UsageError: The task makes no sense, or no document can be read.
            ModelError: The model failed; what was paid for is kept.
            BudgetExceeded: A limit was reached; what was paid for is kept.
            StorageError: The store cannot be read or written.
        """
        given = companions_of(companions)
        if isinstance(task, SearchTask):
            check_task(task)
            return await self._search(task, given)
        return await self._carry_out(task, given)

    async def plan(self, task: Task, **companions: Any) -> Plan:
        """Return what a task will take and cost at most; no model is called.

        Raises:
            UsageError: As `run`.
        """
        given = companions_of(companions)
        pipeline = self._checked(task, given)
        return await pipeline.plan(await prepare(task, given, RunLog(), self.services))

    async def resume(self, run_id: str, **changes: Any) -> Result:
        """Go on with a run that was killed, failed, or was stopped by a limit.

        Args:
            run_id: The id, or how it begins.
            changes: Fields of the task that are to be different, such as a higher `max_calls`;
                fields of `Companions` besides.

        Raises:
            UsageError: There is no such run, it has ended, or it cannot be resumed.
        """
        names = {each.name for each in fields(Companions)}
        given = Companions(**{name: changes.pop(name) for name in names & changes.keys()})
        stored = await asyncio.to_thread(self.find_run, run_id)
        task = resumable_task(stored, has_model=given.model is not None)
        check_names(f"the task {task.verb}", changes, type(task))
        return await self._carry_out(replace(task, **changes), given, stored)

    async def events(self, task: Task, **companions: Any) -> AsyncIterator[Event]:
        """Carry out a task and yield what happens, `Finished` with the result at the end.

        Who stops asking for events cancels the run, which can be resumed.

        Raises:
            LcagentError: As `run`.
        """
        told: asyncio.Queue[Event | None] = asyncio.Queue()

        async def carry_out() -> None:
            try:
                result = await self.run(task, **companions, on_event=told.put_nowait)
                told.put_nowait(Finished(result))
            finally:
                told.put_nowait(None)

        running = asyncio.ensure_future(carry_out())
        try:
            while (event := await told.get()) is not None:
                yield event
            await running
        finally:
            running.cancel()

    async def collect(
        self,
        documents: Documents,
        *,
        password: str | None = None,
        ocr: bool | None = None,
        progress: ReadingProgress | None = None,
    ) -> Collection:
        """Read documents: files, folders, globs, ids of stored ones; each is read once.

        Raises:
            UsageError: A name means nothing, or none of them can be read.
        """
        return await self.services.collect(documents, password=password, ocr=ocr, progress=progress)

    async def index(self, documents: Documents) -> Index:
        """Return the index of documents, which is built once and kept while there is room.

        It answers `search(query, top_k=..., pages=..., vectors=...)`, and so is a retriever.

        Raises:
            UsageError: As `collect`.
        """
        return await self.services.indexer.index((await self.collect(documents)).documents)

    async def page(self, document: str, number: int) -> Page:
        """Return a page of a stored document with its printed lines.

        Args:
            document: Its id, or how that begins, or a file.
            number: From 1; of a format without pages, the part.

        Raises:
            UsageError: There is no such document or page.
        """
        (found,) = (await self.collect(document)).documents
        if not 1 <= number <= len(found.pages):
            raise UsageError(f"{found.name} has pages 1 to {len(found.pages)}, not {number}")
        page = found.pages[number - 1]
        return await asyncio.to_thread(self.services.documents.with_lines, found.id, page)

    def find_run(self, prefix: str) -> StoredRun:
        """Return the run whose id begins so.

        Raises:
            UsageError: There is none, or more than one.
        """
        found = self.services.runs.with_prefix(prefix)
        if len(found) != 1:
            raise UsageError(f"{len(found) or 'no'} runs have an id that begins with {prefix}")
        return found[0]

    def steps(self, run: StoredRun) -> list[StepView]:
        """Return the steps of a run as they are shown, in the order in which they ended."""
        return [describe(step, run.verb) for step in self.services.runs.steps(run.id)]

    async def context(self, task: Task, **companions: Any) -> RunContext:
        """Return what graphs of `lcagent.pipelines.graphs` work with inside another graph.

        Documents are read and the model is built; steps are kept in memory only.

        Raises:
            UsageError: As `run`.
        """
        given = companions_of(companions)
        self._checked(task, given)
        return await prepare(task, given, RunLog(), self.services)

    def _checked(self, task: Task, given: Companions) -> Pipeline:
        if task.pages is not None:
            parse_pages(task.pages)
        check_task(task)
        pipeline = pipeline_of(task)
        pipeline.check(task, has_model=model_name(task, given, self.services) != QUOTE)
        return pipeline

    async def _carry_out(
        self, task: Task, given: Companions, resumed: StoredRun | None = None
    ) -> Result:
        started = time.perf_counter()
        pipeline = self._checked(task, given)
        runs = self.services.runs
        log = RunLog(given.run_id if resumed is None else resumed.id, runs)
        async with AsyncExitStack() as claims:
            if resumed is not None:
                await claims.enter_async_context(claimed(runs, log.run_id))
                await log.load()
            context = await prepare(task, given, log, self.services)
            clock = _Clock(task.verb, started)
            state = await pipeline.without_graph(context)
            if state is None:
                if given.on_event is not None:  # also refuses what cannot be done, before it begins
                    given.on_event(Planned(await pipeline.plan(context)))
                await self._begin(pipeline, context, given, resumed)
                if resumed is None:
                    await claims.enter_async_context(claimed(runs, log.run_id))
                return await self._run_graph(pipeline, context, given, clock)
            result = await asyncio.to_thread(pipeline.result, state, context, clock.timings())
            await self._begin(pipeline, context, given, resumed)
            await self._end(context, result)
            return result

    async def _run_graph(
        self,
        pipeline: Pipeline,
        context: RunContext,
        given: Companions,
        clock: "_Clock",
    ) -> Result:
        """Run the graph of a pipeline to its end, and record how it ended, whatever that is."""
        tell = given.on_event or _ignore
        try:
            state: Mapping[str, Any] = {}
            config: RunnableConfig = {"recursion_limit": STEPS_AT_MOST}
            stream = pipeline.graph().astream(
                pipeline.initial_state(context),
                config,
                context=context,
                stream_mode=["custom", "values"],
                subgraphs=True,
            )
            with traced_as(self.services.settings):
                async for place, mode, told in stream:
                    if mode == "custom":
                        tell(cast("Event", told))
                    elif not place:  # the state of the graph itself, not that of a subgraph
                        state = cast("Mapping[str, Any]", told)
            result = await asyncio.to_thread(pipeline.result, state, context, clock.timings())
        except asyncio.CancelledError:
            await asyncio.shield(self._update(context, status="stopped", error="interrupted"))
            raise
        except Exception as error:
            first = _first(error)
            status: RunStatus = "stopped" if isinstance(first, BudgetExceeded) else "failed"
            await self._update(context, status=status, error=str(first))
            if isinstance(first, LcagentError) and given.model is None:
                first.go_on_with = f"lcagent runs resume {context.log.run_id[:12]}"
            raise first from error
        await self._end(context, result)
        return result

    async def _search(self, task: SearchTask, given: Companions) -> SearchResult:
        context = await prepare(task, given, RunLog(), self.services)
        return await found_passages(task, context)

    async def _begin(
        self,
        pipeline: Pipeline,
        context: RunContext,
        given: Companions,
        resumed: StoredRun | None,
    ) -> None:
        if resumed is not None:
            await self._update(context, status="running", error=None)
            return
        task = context.task
        await asyncio.to_thread(
            self.services.runs.begin,
            context.log.run_id,
            verb=task.verb,
            question=pipeline.title(context),
            strategy=pipeline.strategy(task),
            request=stored_request(context, model_is_given=given.model is not None),
            job_id=given.job_id,
        )

    async def _end(self, context: RunContext, result: Result) -> None:
        await self._update(
            context, status="done", strategy=result.strategy, result=result.as_json()
        )

    async def _update(self, context: RunContext, **changes: Any) -> None:
        run_id = context.log.run_id
        await asyncio.to_thread(lambda: self.services.runs.update(run_id, **changes))


@dataclass(slots=True)
class _Clock:
    """Wall-clock seconds of a run: reading its documents, and all that comes after."""

    verb: str
    started: float
    read: float = field(default_factory=time.perf_counter)

    def timings(self) -> dict[str, float]:
        phase = "answer" if self.verb == "ask" else self.verb
        ended = time.perf_counter()
        return {"read": round(self.read - self.started, 3), phase: round(ended - self.read, 3)}


def _ignore(_: Event) -> None:
    """Tell nobody."""


def _first(error: BaseException) -> BaseException:
    """Return the first of the errors that a task group collected, ours before others'."""
    if not isinstance(error, BaseExceptionGroup):
        return error
    inner = [_first(each) for each in error.exceptions]
    return next((each for each in inner if isinstance(each, LcagentError)), inner[0])
