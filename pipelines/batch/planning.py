"""From what was asked for to a job and its items.

A job is what it does, and where its results go; an item is its task and the content of what it
reads. So the same command goes on with its job, a new file is a new item, and so is a changed one.
Limits and what only bears on speed are no part of either.
"""

import asyncio
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

from lcagent.errors import UnreadableDocument, UsageError
from lcagent.models.endpoints import without_credentials
from lcagent.pipelines.registry import check_task, read_task
from lcagent.pipelines.services import Services
from lcagent.retrieval.library import content_hash
from lcagent.retrieval.reading.reader import printable
from lcagent.retrieval.sources import Source, StoredId, resolve
from lcagent.storage.job_store import JobStore, NewItem, StoredJob
from lcagent.tasks import ModelTask, Task

_LIMITS = ("max_usd", "max_calls", "max_time_s")
_SHORTEST_ID = 12

Request: TypeAlias = dict[str, Any]
"""An item as it is stored: its `task` (or what to `index`), and the `contents` of its files."""


@dataclass(frozen=True, slots=True)
class IndexRequest:
    """What a job of the verb `index` does: read documents, and cut them for search.

    Attributes:
        vectors: Compute their vectors, too.
    """

    ocr: bool | None = None
    vectors: bool = False


@dataclass(frozen=True, slots=True)
class JobRequest:
    """What a job is to do.

    Attributes:
        work: The task of each document, whose own documents are those of the whole job; or one
            for each line, each with its documents.
        output: The file of results; None to keep them in the store only.
        is_new: Begin afresh, although there is such a job.
    """

    work: Task | IndexRequest | Sequence[Task]
    documents: tuple[str, ...] = ()
    output: Path | None = None
    is_new: bool = False
    names: Sequence[str] = field(default=())

    @property
    def verb(self) -> str:
        """The verb of its items."""
        if isinstance(self.work, IndexRequest):
            return "index"
        return (self.work if isinstance(self.work, Task) else self.work[0]).verb

    @property
    def title(self) -> str:
        """What the job is listed by."""
        if isinstance(self.work, Task):
            return self.work.title if self.verb == "ask" else ", ".join(self.documents)
        return ", ".join(self.documents) or f"{len(list(self._tasks())):,} requests"

    def _tasks(self) -> Iterable[Task]:
        return () if isinstance(self.work, IndexRequest | Task) else self.work


@dataclass(frozen=True, slots=True)
class PlannedJob:
    """A job whose items are in the store.

    Attributes:
        added: How many of them are new.
        copies: Files and lines that ask for the same as one before them.
    """

    job: StoredJob
    is_made: bool
    added: int
    copies: tuple[str, ...] = ()


async def plan_job(request: JobRequest, services: Services) -> PlannedJob:
    """Store a job with an item for each document or line, or add to it what is new.

    Raises:
        UsageError: The task makes no sense, or a name means nothing.
    """
    return await asyncio.to_thread(_plan, request, services)


async def planned_items(request: JobRequest, services: Services) -> list[NewItem]:
    """Return the items that a job would have left to do; nothing is stored.

    Raises:
        UsageError: As `plan_job`.
    """
    return await asyncio.to_thread(_left, request, services)


async def retry_failed(job: StoredJob, services: Services) -> int:
    """Queue what failed again, with what its files hold now; return the number of items."""
    return await asyncio.to_thread(_retry, job, services)


def read_requests(path: Path, verb: str, defaults: Mapping[str, Any]) -> Iterator[tuple[str, Task]]:
    """Yield the tasks of a file of JSON lines, each with its name: its `id`, or its number.

    Args:
        defaults: Fields of the task, for lines that do not say otherwise.

    Raises:
        UsageError: The file cannot be read, or a line is no task; the message says which.
    """
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield _requested(line, f"{path}, line {number}", verb, defaults, number)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: the requests cannot be read: {error}") from error


def _requested(
    line: str, where: str, verb: str, defaults: Mapping[str, Any], number: int
) -> tuple[str, Task]:
    try:
        given = json.loads(line)
    except ValueError as error:
        raise UsageError(f"{where}: it is no JSON: {error}") from error
    if not isinstance(given, dict):
        raise UsageError(f"{where}: a request is a JSON object, not {line[:80]!r}")
    name = str(given.pop("id", f"line {number}"))
    if given.setdefault("verb", verb) != verb:
        raise UsageError(f"{where}: this job is of {verb}, not {given['verb']}")
    if isinstance(given.get("documents"), str):
        given["documents"] = [given["documents"]]
    try:
        task = read_task({**defaults, **given})
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from error
    limits = [limit for limit in _LIMITS if getattr(task, limit, None) is not None]
    if limits:
        raise UsageError(f"{where}: limits are of the whole job: {', '.join(limits)}")
    return name, task


def _plan(request: JobRequest, services: Services) -> PlannedJob:
    if isinstance(request.work, Task):
        check_task(request.work)
    found = list(_items(request, services))
    if not found:
        raise UsageError("the job has no items: there is no document or request")
    store = JobStore(services.database)
    output = None if request.output is None else str(request.output.absolute())
    job, is_made = store.create(
        _identity(request, services),
        verb=request.verb,
        title=request.title,
        output=output,
        is_new=request.is_new,
    )
    first: dict[str, str] = {}
    for item in found:
        first.setdefault(item.key, item.input)
    copies = tuple(item.input for item in found if first[item.key] != item.input)
    return PlannedJob(job, is_made, store.add_items(job.id, found), copies)


def _left(request: JobRequest, services: Services) -> list[NewItem]:
    if isinstance(request.work, Task):
        check_task(request.work)
    found = {item.key: item for item in _items(request, services)}
    store = JobStore(services.database)
    job = None if request.is_new else store.latest(_identity(request, services))
    if job is not None:
        left = store.requests(job.id, "queued", "running", "cancelled")
        ended = store.requests(job.id, "done", "failed", "quarantined")
        found = {**found, **{item.key: item for _, item in left}}
        for _, item in ended:
            found.pop(item.key, None)
    return list(found.values())


def _retry(job: StoredJob, services: Services) -> int:
    store = JobStore(services.database)
    for position, item in store.requests(job.id, "failed", "quarantined"):
        contents = {
            path: content if path == content else _content(Path(path))
            for path, content in item.request["contents"].items()
        }
        if contents != item.request["contents"]:
            request: Request = {**item.request, "contents": contents}
            key = _key(item.request["what"], contents)
            store.replace_request(job.id, position, NewItem(key, item.input, request))
    return store.retry(job.id)


def _key(what: str, contents: Mapping[str, str | None]) -> str:
    """Return what an item is known by: what is done, to which content."""
    read = [content or path for path, content in contents.items()]
    return _sha256([what, read])


def _sha256(told: Any) -> str:
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _items(request: JobRequest, services: Services) -> Iterator[NewItem]:
    if isinstance(request.work, Task | IndexRequest):
        for source in resolve(request.documents, services.documents):
            name = source.document_id[:_SHORTEST_ID] if isinstance(source, StoredId) else source
            yield _item(request.work, printable(str(name)), (source,), services)
        return
    names = request.names or [f"request {n}" for n in range(1, len(request.work) + 1)]
    for name, task in zip(names, request.work, strict=True):
        try:
            sources = resolve(task.sources, services.documents)
        except UsageError:  # of one line among many: it fails when its turn comes, by itself
            sources = [Path(each) for each in task.sources]
        yield _item(task, name, sources, services)


def _item(
    work: Task | IndexRequest, name: str, sources: Sequence[Source], services: Services
) -> NewItem:
    contents: dict[str, str | None] = {}
    for source in sources:
        if isinstance(source, StoredId):
            contents[source.document_id] = source.document_id
        else:
            contents[str(source.absolute())] = _content(source)
    what = _sha256(_described(work, services))
    request: Request = {"contents": contents, "what": what}
    if isinstance(work, Task):
        task = replace(work, **{"documents": tuple(contents), **_model(work, services)})
        request["task"] = task.as_json()
    else:
        request["index"] = {"ocr": work.ocr, "vectors": work.vectors}
    return NewItem(_key(what, contents), name, request)


def _content(path: Path) -> str | None:
    try:
        return content_hash(path)
    except UnreadableDocument:  # it fails when its turn comes
        return None


def _described(work: Task | IndexRequest, services: Services) -> dict[str, Any]:
    """Return what decides the result of an item, but for the content of its documents."""
    if isinstance(work, IndexRequest):
        return {"verb": "index", "ocr": work.ocr, "vectors": work.vectors}
    task = replace(work, **_model(work, services)).as_json()
    for name in ("documents", "use_cache", "key_over_http", *_LIMITS):
        task.pop(name, None)
    if task.get("base_url"):
        task["base_url"] = without_credentials(task["base_url"])
    return task


def _model(task: Task, services: Services) -> dict[str, Any]:
    """Return the model that answers, so that other settings later do not change the job."""
    if not isinstance(task, ModelTask):
        return {}
    return {"model": task.model or services.settings.model}


def _identity(request: JobRequest, services: Services) -> str:
    work = request.work
    output = None if request.output is None else str(request.output.absolute())
    if isinstance(work, Task | IndexRequest):
        what: Any = _described(work, services)
        if output is None:  # nothing else tells jobs of different folders apart
            what["documents"] = [str(Path(name).absolute()) for name in request.documents]
    else:
        kinds = {json.dumps(_described(task, services), sort_keys=True) for task in work}
        what = request.verb if output is not None else [request.verb, *sorted(kinds)]
    return _sha256([what, output])
