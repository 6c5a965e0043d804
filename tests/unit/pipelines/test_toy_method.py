"""Adding a method: a folder's worth of code and one line in the registry, and all faces know it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest
from langgraph.runtime import Runtime

from lcagent.cli.flags import parameters_of, task_of
from lcagent.fields import option
from lcagent.models.chat_model import Message, Request
from lcagent.pipelines import Session
from lcagent.pipelines.context import RunContext
from lcagent.pipelines.cost import Cost
from lcagent.pipelines.method import Method, Node
from lcagent.pipelines.registry import METHODS, read_task, task_schema
from lcagent.pipelines.state import AskState, MethodOutput
from lcagent.pipelines.step_views import StepView, view_of
from lcagent.storage.run_store import StoredStep
from lcagent.tasks import AskTask, MethodOptions
from lcagent.testing import ScriptedModel

pytestmark = pytest.mark.anyio


@dataclass(frozen=True)
class EchoOptions(MethodOptions):
    """How a question is echoed."""

    method: ClassVar[str] = "echo"

    times: int = option(1, "How often.", minimum=1)


async def echo(state: AskState, runtime: Runtime[RunContext]) -> MethodOutput:
    """Let the model say the question again."""
    run = runtime.context
    model = run.metered()
    times = run.options(EchoOptions).times
    request = Request((Message("user", f"{state['question']} " * times),), purpose="echo")
    reply = (await model.complete(request)).text
    await run.log.add(StoredStep("echo/0", {"reply": reply}, model.calls))
    return MethodOutput(
        reply=reply, finish="complete", sources={}, unread=[], notes=[], chunks=0, chunks_read=0
    )


def _node() -> Node:
    return echo


def _cost(_: str, __: RunContext) -> Cost:
    return Cost(1, 1, 10, 10)


def describe_step(step: StoredStep) -> StepView | None:
    """Return an echo as it is shown."""
    return view_of(step, "the echo") if step.key.startswith("echo/") else None


METHOD = Method(
    name="echo",
    verb="ask",
    summary="says the question again",
    describe_step=describe_step,
    options=EchoOptions,
    node=_node,
    cost=_cost,
)


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Add the method as a line in the registry would, and forget its options afterwards."""
    monkeypatch.setitem(METHODS, "echo", METHOD)
    yield
    MethodOptions.known.pop("echo", None)
    MethodOptions.known["echo"] = EchoOptions


async def test_it_answers_and_its_steps_are_shown(book: Path, session: Session) -> None:
    model = ScriptedModel(lambda request: request.messages[-1].text.strip())
    task = AskTask((str(book),), "Who?", strategy="echo", options=(EchoOptions(times=2),))
    plan = await session.plan(task, model=model)
    answer = await session.run(task, model=model)
    assert (plan.strategy, plan.calls) == ("echo", 1)
    assert (answer.answer, answer.strategy) == ("Who [no proof]? Who [no proof]?", "echo")
    (step,) = session.steps(session.find_run(answer.run_id))
    assert (step.title, step.texts) == ("the echo", (("", "Who? Who?"),))


def test_requests_and_schemas_know_it() -> None:
    fields = {
        "verb": "ask", "documents": ["a"], "question": "Who?", "strategy": "echo",
        "options": {"echo": {"times": 3}},
    }  # fmt: skip
    task = read_task(fields)
    assert task.method_options(EchoOptions).times == 3
    schema = task_schema("ask")["properties"]
    assert "echo" in schema["strategy"]["enum"]
    assert schema["options"]["properties"]["echo"]["properties"]["times"]["minimum"] == 1


def test_the_command_line_offers_its_flag() -> None:
    flags = {each.name: each for each in parameters_of(AskTask, [EchoOptions], {})}
    assert flags["times"].default == 1
    typed = {name: each.default for name, each in flags.items()} | {"times": 4}
    task = task_of(AskTask, [EchoOptions], typed, documents=("a",), question="Who?")
    assert task.method_options(EchoOptions).times == 4
