"""A session with a scripted model, and documents that are in the store already."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lcagent.documents import Document, Page
from lcagent.models.chat_model import Reply, Request
from lcagent.pipelines import Session
from lcagent.pipelines.batch.planning import JobRequest
from lcagent.pipelines.batch.runner import JobLimits, JobOutcome, JobRun
from lcagent.pipelines.batch.worker import WorkerOptions
from lcagent.settings import load_settings
from lcagent.tasks import AskTask
from lcagent.testing import SCRIPTED_CARD, ScriptedModel

MODEL = "openai:scripted"
QUESTION = "Who keeps the light?"


class Script:
    """What the model replies; by default the same to all.

    Attributes:
        asked: The document of each call.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.reply: Callable[[str], str | Reply] = lambda document: f"Tom keeps it in {document}."

    def __call__(self, request: Request) -> str | Reply:
        """Return the reply to a request, which has the name of one document in its passages."""
        text = request.messages[-1].text
        document = text[text.index("light number ") :].split()[2].strip(".")
        self.asked.append(document)
        return self.reply(document)


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def model(script: Script) -> ScriptedModel:
    return ScriptedModel(script, card=SCRIPTED_CARD)


@pytest.fixture
def session(model: ScriptedModel) -> Iterator[Session]:
    """Yield a session whose model replies from the script."""
    with Session.open(load_settings(embedder="none"), models={MODEL: model}) as opened:
        yield opened


@pytest.fixture
def documents(session: Session) -> Callable[[int], tuple[str, ...]]:
    """Return what stores documents and tells their ids."""

    def store(count: int) -> tuple[str, ...]:
        ids = tuple(f"{number:064x}" for number in range(1, count + 1))
        for number, key in enumerate(ids, start=1):
            page = Page(0, f"The keeper of light number {number}. is Tom.")
            document = Document(key, f"{number}.txt", "text/plain", "text/1", (page,))
            session.services.documents.save(document)
        return ids

    return store


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out.jsonl"


@pytest.fixture
def asking(out: Path) -> Callable[..., JobRequest]:
    """Return what makes the request of a job that asks documents a question."""

    def make(documents: tuple[str, ...], **changes: Any) -> JobRequest:
        task = AskTask(("-",), QUESTION, strategy="rag", model=MODEL)
        return JobRequest(task, documents, **{"output": out, **changes})

    return make


@pytest.fixture
def carry_out(session: Session) -> Callable[..., Any]:
    """Return what plans a job and carries it out."""
    from lcagent.pipelines.batch.planning import plan_job  # noqa: PLC0415

    async def run(
        request: JobRequest, *, limits: JobLimits | None = None, **options: Any
    ) -> JobOutcome:
        planned = await plan_job(request, session.services)
        how = WorkerOptions(**{"in_flight": 4, **options})
        return await JobRun(session, planned.job, how, limits=limits).run()

    return run


@pytest.fixture
def lines(out: Path) -> Callable[[], list[dict[str, Any]]]:
    """Return what reads the file of results, its lines by their positions."""

    def read() -> list[dict[str, Any]]:
        found = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
        return sorted(found, key=lambda line: int(line["item"]["position"]))

    return read
