"""From a task to its run and back: what carries it out, its documents, its stored form."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from lcagent.errors import UsageError
from lcagent.fields import unknown_name
from lcagent.models.chat_model import ChatModel
from lcagent.models.limits import Budget
from lcagent.pipelines.context import RunContext
from lcagent.pipelines.coverage import check_selection
from lcagent.pipelines.events import OnEvent
from lcagent.pipelines.method import Pipeline
from lcagent.pipelines.output_files import output_of
from lcagent.pipelines.registry import AUTO, methods_of, read_task
from lcagent.pipelines.run_log import RunLog
from lcagent.pipelines.services import Services
from lcagent.results import Usage
from lcagent.retrieval.library import Collection, ReadingProgress
from lcagent.retrieval.search.retriever import VectorUse
from lcagent.retrieval.sources import resolve
from lcagent.selection import ALL_PAGES, parse_pages
from lcagent.storage.run_store import StoredRun
from lcagent.tasks import QUOTE, AskTask, ModelTask, Task

if TYPE_CHECKING:
    from lcagent.models.profile import ModelProfile


@dataclass(frozen=True, slots=True)
class JobItem:
    """What makes a run one of a batch job.

    Attributes:
        run_id: The id that the run has, whichever worker carries it out.
        budget: What the item may spend of what the job may; it knows what was spent, however the
            run ends.
    """

    run_id: str
    job_id: str
    budget: Budget


@dataclass(frozen=True, slots=True)
class Companions:
    """What goes with a task and cannot travel.

    Attributes:
        model: A model of the caller's, in place of that which the task names.
        password: Opens encrypted documents.
        progress: Is told how far files are read.
        on_event: Is told what happens.
        item: Of which batch job the run is.
    """

    model: ChatModel | None = None
    password: str | None = field(default=None, repr=False)
    progress: ReadingProgress | None = None
    on_event: OnEvent | None = None
    item: JobItem | None = None

    @property
    def run_id(self) -> str:
        """An id for a new run; that of an item is the same each time."""
        return uuid4().hex if self.item is None else self.item.run_id

    @property
    def job_id(self) -> str | None:
        """The job that the run is of."""
        return None if self.item is None else self.item.job_id


def companions_of(given: Mapping[str, Any]) -> Companions:
    """Return what goes with a task; a name that is none is a mistake in the call.

    Raises:
        TypeError: There is no such companion.
    """
    names = [each.name for each in fields(Companions)]
    for name in given:
        if name not in names:
            raise TypeError(unknown_name("what goes with a task", name, names))
    return Companions(**given)


def pipeline_of(task: Task) -> Pipeline:
    """Return what carries out a task."""
    if isinstance(task, AskTask):
        from lcagent.pipelines.answering.pipeline import AskPipeline  # noqa: PLC0415 -- loaded when used

        return AskPipeline()
    (method,) = methods_of(task.verb)
    assert method.pipeline is not None
    return method.pipeline()


async def prepare(task: Task, given: Companions, log: RunLog, services: Services) -> RunContext:
    """Return what a run works with: its model built, then its documents read."""
    pages = ALL_PAGES if task.pages is None else parse_pages(task.pages)
    output = output_of(task, services)
    if output is not None:
        sources = await asyncio.to_thread(resolve, task.sources, services.documents)
        await asyncio.to_thread(output.check, sources)
    budget, model = Budget(), None
    if isinstance(task, ModelTask):
        budget, model = await _model(task, given, log, services)
    collection = Collection(())
    if task.sources:
        collection = await services.collect(
            task.sources, password=given.password, ocr=task.ocr, progress=given.progress
        )
        check_selection(collection, pages)
    by_default: VectorUse = "stored" if isinstance(task, AskTask) and model is None else "needed"
    return RunContext(
        task,
        collection,
        services.retriever_of(collection.documents),
        pages=pages,
        vectors=services.vector_use(getattr(task, "vectors", None), by_default=by_default),
        with_lines=services.documents.with_lines,
        model=model,
        model_name=QUOTE if model is None else model_name(task, given, services),
        budget=budget,
        log=log,
        profile=await _profile(task, model, given, services),
        output=output,
    )


async def _profile(
    task: Task, model: ChatModel | None, given: Companions, services: Services
) -> "ModelProfile | None":
    """Return what a model was seen to do; nothing is known of one of the caller's."""
    if model is None or given.model is not None or not isinstance(task, ModelTask):
        return None
    name = model_name(task, given, services)
    return await asyncio.to_thread(services.profile, name, task.base_url)


async def _model(
    task: ModelTask, given: Companions, log: RunLog, services: Services
) -> tuple[Budget, ChatModel | None]:
    """Return the limits of a run, and its model; None where the documents are quoted."""
    budget = _budget(task, log.usage)
    name = model_name(task, given, services)
    asks_nobody = not isinstance(task, AskTask) or task.strategy in (AUTO, QUOTE)
    if name == QUOTE and asks_nobody and given.model is None:
        return budget, None
    from lcagent.agents.prompt_templates import check_overrides  # noqa: PLC0415 -- not to search

    await asyncio.to_thread(check_overrides)
    model = services.model(
        given.model or name,
        base_url=task.base_url,
        key_over_http=task.key_over_http,
        window_tokens=task.window,
        budget=budget,
        parent=None if given.item is None else given.item.budget,
        namespace="" if task.use_cache else log.run_id,
    )
    return budget, model


def model_name(task: Task, given: Companions, services: Services) -> str:
    """Return what answers: the caller's model, that of the task, or that of the settings."""
    assert isinstance(task, ModelTask)
    if isinstance(task, AskTask) and task.strategy == QUOTE:
        return QUOTE
    if given.model is not None:
        return given.model.card.name
    return task.model or services.settings.model


def _budget(task: ModelTask, spent: Usage) -> Budget:
    """Return the limits of a run; what it spent before it was resumed counts."""
    return Budget(
        max_usd=task.max_usd,
        max_calls=task.max_calls,
        max_time_s=task.max_time_s,
        spent=spent,
    )


def stored_request(context: RunContext, *, model_is_given: bool) -> dict[str, Any]:
    """Return what it takes to resume a run: its task, on the stored documents."""
    task = context.task
    changed: dict[str, Any] = {"documents": tuple(context.documents)}
    if isinstance(task, ModelTask):
        changed["model"] = context.model_name
    request = replace(task, **changed).as_json()
    return {**request, "model_is_given": model_is_given}


def resumable_task(stored: StoredRun, *, has_model: bool) -> Task:
    """Return the task of a run that can go on.

    Raises:
        UsageError: It has ended, or its model was made by a program and is not here.
    """
    if stored.status == "done":
        raise UsageError(
            f"the run {stored.id[:12]} has ended (see: lcagent runs show {stored.id[:12]})"
        )
    request = dict(stored.request or {})
    if not request or (request.pop("model_is_given", False) and not has_model):
        what = "its model was made by a program"
        raise UsageError(f"the run {stored.id[:12]} cannot be resumed: {what}")
    return read_task(request)
