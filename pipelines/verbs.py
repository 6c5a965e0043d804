"""The verbs: tasks as function calls, asynchronous and not.

Each has the fields of its task as arguments, with the task's own defaults, and besides them what
cannot travel: an open session, a model of your own, a password, callbacks.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from lcagent.documents import Documents
from lcagent.errors import UsageError
from lcagent.models.chat_model import ChatModel
from lcagent.pipelines.calling import synchronous, verb
from lcagent.pipelines.events import OnEvent
from lcagent.pipelines.methods.summarize.options import SummarizeOptions
from lcagent.pipelines.methods.write.options import WriteOptions
from lcagent.pipelines.session import Session
from lcagent.results import Answer, Article, Plan, Result, SearchResult, Summary
from lcagent.retrieval.library import ReadingProgress
from lcagent.tasks import AskTask, MethodOptions, SearchTask, SummarizeTask, Task, WriteTask

Options = MethodOptions | Sequence[MethodOptions]


@asynccontextmanager
async def _opened(session: Session | None) -> AsyncIterator[Session]:
    if session is not None:
        yield session
        return
    async with Session.open() as opened:
        yield opened


def _name(model: str | ChatModel | None) -> str | None:
    return model if isinstance(model, str) else None


def _given(model: str | ChatModel | None) -> ChatModel | None:
    if model is None or isinstance(model, str):
        return None
    if not hasattr(model, "complete"):
        raise UsageError(f"a model is named by a text, or is a ChatModel, not {model!r:.80}")
    return model


def _listed(options: Options) -> tuple[MethodOptions, ...]:
    return (options,) if isinstance(options, MethodOptions) else tuple(options)


@verb
async def ask_async(  # noqa: PLR0913 -- the fields of the task
    documents: Documents,
    question: str,
    *,
    strategy: str = AskTask.strategy,
    options: Options = (),
    model: str | ChatModel | None = AskTask.model,
    base_url: str | None = AskTask.base_url,
    key_over_http: bool = AskTask.key_over_http,
    window: int | None = AskTask.window,
    pages: str | None = AskTask.pages,
    top_k: int = AskTask.top_k,
    vectors: str | None = AskTask.vectors,
    ocr: bool | None = AskTask.ocr,
    max_usd: float | None = AskTask.max_usd,
    max_calls: int | None = AskTask.max_calls,
    max_time_s: float | None = AskTask.max_time_s,
    use_cache: bool = AskTask.use_cache,
    password: str | None = None,
    session: Session | None = None,
    on_event: OnEvent | None = None,
    progress: ReadingProgress | None = None,
) -> Answer:
    """Answer a question from documents, every statement with a checked citation.

        answer = ask("book.pdf", "Who kept the light?", model="openai:gpt-4o-mini")
        print(answer)

    Args:
        documents: Files, folders, globs or ids of stored documents; bytes, open files, or texts
            with a name (`NamedText`).
        strategy: "quote", "whole", "rag", "chain", "tree", or "auto" to let lcagent choose.
        options: Of methods, such as `ChainOptions.preset("fast")`.
        model: "quote" for no language model, "openai:NAME", "local:PATH", or a model of your own;
            by default that of the settings.
        base_url: Where the model's server is.
        key_over_http: Send a key to a server over http, where others on the way can read it.
        window: Tokens of the model's window, where it is not known.
        pages: Only these pages of each document, such as "10-40".
        top_k: How many passages the answer may draw on.
        vectors: Search by meaning too: "none", "stored" or "needed".
        ocr: Recognise text on pages that are pictures; by default as the settings say.
        max_usd: Dollars to spend at most; calls in flight may end above it.
        max_calls: Calls to make at most.
        max_time_s: Seconds after which no call begins.
        use_cache: Take replies that were paid for in other runs.
        password: Opens encrypted documents.
        session: An open session, for many questions; by default one is opened for the call.
        on_event: Is told what happens.
        progress: Is told how far files are read.

    Raises:
        UsageError: A document or an argument makes no sense, or no document can be read.
        ModelError: The model failed; what was paid for is kept.
        BudgetExceeded: A limit was reached; what was paid for is kept.
        StorageError: The store cannot be read or written.
    """
    reading = {"password": password, "progress": progress}
    async with _opened(session) as opened:
        task = AskTask(
            await opened.services.names_of(documents, ocr=ocr, **reading),
            question,
            strategy=strategy,
            options=_listed(options),
            model=_name(model),
            base_url=base_url,
            key_over_http=key_over_http,
            window=window,
            pages=pages,
            top_k=top_k,
            vectors=vectors,
            ocr=ocr,
            max_usd=max_usd,
            max_calls=max_calls,
            max_time_s=max_time_s,
            use_cache=use_cache,
        )
        return await opened.run(task, model=_given(model), on_event=on_event, **reading)


@verb
async def search_async(  # noqa: PLR0913 -- the fields of the task
    documents: Documents,
    query: str,
    *,
    pages: str | None = SearchTask.pages,
    top_k: int = SearchTask.top_k,
    vectors: str | None = SearchTask.vectors,
    ocr: bool | None = SearchTask.ocr,
    password: str | None = None,
    session: Session | None = None,
    progress: ReadingProgress | None = None,
) -> SearchResult:
    """Return the passages of documents that fit a query best, best first.

    The arguments besides the query are those of `ask`.

    Raises:
        UsageError: A document or an argument makes no sense, or no document can be read.
        StorageError: The store cannot be read or written.
    """
    reading = {"password": password, "progress": progress}
    async with _opened(session) as opened:
        names = await opened.services.names_of(documents, ocr=ocr, **reading)
        task = SearchTask(names, query, pages=pages, top_k=top_k, vectors=vectors, ocr=ocr)
        return await opened.run(task, **reading)


@verb
async def summarize_async(  # noqa: PLR0913 -- the fields of the task
    documents: Documents,
    *,
    focus: str = SummarizeTask.focus,
    words: int = SummarizeOptions.words,
    by: str = SummarizeOptions.by,
    is_parallel: bool = SummarizeOptions.is_parallel,
    output: str | Path | None = SummarizeOptions.output,
    may_overwrite: bool = SummarizeOptions.may_overwrite,
    model: str | ChatModel | None = SummarizeTask.model,
    base_url: str | None = SummarizeTask.base_url,
    key_over_http: bool = SummarizeTask.key_over_http,
    window: int | None = SummarizeTask.window,
    pages: str | None = SummarizeTask.pages,
    ocr: bool | None = SummarizeTask.ocr,
    max_usd: float | None = SummarizeTask.max_usd,
    max_calls: int | None = SummarizeTask.max_calls,
    max_time_s: float | None = SummarizeTask.max_time_s,
    use_cache: bool = SummarizeTask.use_cache,
    password: str | None = None,
    session: Session | None = None,
    on_event: OnEvent | None = None,
    progress: ReadingProgress | None = None,
) -> Summary:
    """Return one summary of documents, every statement with a checked citation.

    The other arguments are those of `ask`.

    Args:
        focus: A question, or what else it should be about; by default everything.
        words: How long it should be.
        by: What is read at a time: "chapters" of the outline, or "chunks" of any pages.
        is_parallel: Read all parts at the same time, none knowing the notes of the others.
        output: A file (.md, .html, .docx) for the summary.
        may_overwrite: Replace another file of that name, unless it is one of the sources.

    Raises:
        LcagentError: As `ask`.
    """
    reading = {"password": password, "progress": progress}
    async with _opened(session) as opened:
        task = SummarizeTask(
            await opened.services.names_of(documents, ocr=ocr, **reading),
            focus=focus,
            options=(SummarizeOptions(words, by, is_parallel, _path(output), may_overwrite),),
            model=_name(model),
            base_url=base_url,
            key_over_http=key_over_http,
            window=window,
            pages=pages,
            ocr=ocr,
            max_usd=max_usd,
            max_calls=max_calls,
            max_time_s=max_time_s,
            use_cache=use_cache,
        )
        return await opened.run(task, model=_given(model), on_event=on_event, **reading)


@verb
async def summarize_each_async(
    documents: Documents, *, session: Session | None = None, **options: Any
) -> list[Summary]:
    """Return a summary of each of the documents, one after the other.

    Args:
        options: As of `summarize`.

    Raises:
        LcagentError: As `summarize`.
    """
    reading = {name: options.get(name) for name in ("ocr", "password", "progress")}
    async with _opened(session) as opened:
        collection = await opened.collect(documents, **reading)
        return [
            await summarize_async(each.id, session=opened, **options)
            for each in collection.documents
        ]


@verb
async def write_async(  # noqa: PLR0913 -- the fields of the task
    instruction: str,
    documents: Documents = (),
    *,
    words: int | None = WriteOptions.words,
    plan: str | None = WriteOptions.plan,
    plan_only: bool = WriteOptions.plan_only,
    output: str | Path | None = WriteOptions.output,
    may_overwrite: bool = WriteOptions.may_overwrite,
    is_parallel: bool = WriteOptions.is_parallel,
    paragraph_words: tuple[int, int] = WriteOptions.paragraph_words,
    model: str | ChatModel | None = WriteTask.model,
    base_url: str | None = WriteTask.base_url,
    key_over_http: bool = WriteTask.key_over_http,
    window: int | None = WriteTask.window,
    pages: str | None = WriteTask.pages,
    top_k: int = WriteTask.top_k,
    vectors: str | None = WriteTask.vectors,
    ocr: bool | None = WriteTask.ocr,
    max_usd: float | None = WriteTask.max_usd,
    max_calls: int | None = WriteTask.max_calls,
    max_time_s: float | None = WriteTask.max_time_s,
    use_cache: bool = WriteTask.use_cache,
    password: str | None = None,
    session: Session | None = None,
    on_event: OnEvent | None = None,
    progress: ReadingProgress | None = None,
) -> Article:
    """Write what an instruction asks for; with documents from them, every statement cited.

    The other arguments are those of `ask`.

    Args:
        instruction: What to write, and for whom.
        words: How long it should be; by default as the instruction says, else as planned.
        plan: A plan to write by, as `plan_only` returns it; by default one is made.
        plan_only: Make the plan, and stop.
        output: A file (.md, .html, .docx) that grows with the text.
        may_overwrite: Replace another file of that name, unless it is one of the sources.
        is_parallel: Write all paragraphs at the same time: faster, but none knows the others.
        paragraph_words: The fewest and the most words of a paragraph.

    Raises:
        LcagentError: As `ask`; `ModelNotUsable` where there is no language model.
    """
    reading = {"password": password, "progress": progress}
    options = WriteOptions(
        words, plan_only, plan, _path(output), is_parallel, paragraph_words, may_overwrite
    )
    async with _opened(session) as opened:
        task = WriteTask(
            instruction,
            await opened.services.names_of(documents, ocr=ocr, **reading),
            options=(options,),
            model=_name(model),
            base_url=base_url,
            key_over_http=key_over_http,
            window=window,
            pages=pages,
            top_k=top_k,
            vectors=vectors,
            ocr=ocr,
            max_usd=max_usd,
            max_calls=max_calls,
            max_time_s=max_time_s,
            use_cache=use_cache,
        )
        return await opened.run(task, model=_given(model), on_event=on_event, **reading)


@verb
async def plan_async(
    task: Task,
    *,
    model: ChatModel | None = None,
    password: str | None = None,
    session: Session | None = None,
    progress: ReadingProgress | None = None,
) -> Plan:
    """Return what a task will take and cost at most; no model is called.

    Raises:
        UsageError: As running the task.
    """
    async with _opened(session) as opened:
        return await opened.plan(task, model=model, password=password, progress=progress)


@verb
async def run_async(
    task: Task,
    *,
    model: ChatModel | None = None,
    password: str | None = None,
    session: Session | None = None,
    on_event: OnEvent | None = None,
    progress: ReadingProgress | None = None,
) -> Result | SearchResult:
    """Carry out a task of any verb and return its result.

    Raises:
        LcagentError: As `ask`.
    """
    async with _opened(session) as opened:
        return await opened.run(
            task, model=model, password=password, on_event=on_event, progress=progress
        )


@verb
async def resume_async(run_id: str, *, session: Session | None = None, **changes: Any) -> Result:
    """Go on with a run that was killed, failed, or was stopped by a limit.

    Args:
        run_id: The id, or how it begins.
        changes: Fields of the task that are to be different, such as `max_calls`; `model`,
            `on_event`, `progress`, `password`.

    Raises:
        UsageError: There is no such run, it has ended, or it cannot be resumed.
    """
    async with _opened(session) as opened:
        return await opened.resume(run_id, **changes)


ask = synchronous(ask_async)
search = synchronous(search_async)
summarize = synchronous(summarize_async)
summarize_each = synchronous(summarize_each_async)
write = synchronous(write_async)
plan = synchronous(plan_async)
run = synchronous(run_async)
resume = synchronous(resume_async)


def _path(output: str | Path | None) -> str | None:
    return None if output is None else str(output)
