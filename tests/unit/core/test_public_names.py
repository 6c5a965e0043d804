"""`import lcagent` is light and gives what users need; the verbs show their arguments."""

import inspect
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import pytest

import lcagent
from lcagent.errors import UsageError
from lcagent.fields import flags_of
from lcagent.pipelines import verbs
from lcagent.pipelines.methods.summarize.options import SummarizeOptions
from lcagent.pipelines.methods.write.options import WriteOptions
from lcagent.tasks import (
    AskTask,
    MethodOptions,
    ModelTask,
    SearchTask,
    SummarizeTask,
    Task,
    WriteTask,
)

VERBS = (
    (lcagent.ask, AskTask, None),
    (lcagent.search, SearchTask, None),
    (lcagent.summarize, SummarizeTask, SummarizeOptions),
    (lcagent.write, WriteTask, WriteOptions),
)


@pytest.mark.parametrize("name", lcagent.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(lcagent, name) is not None


def test_importing_lcagent_loads_nothing_else_of_it() -> None:
    code = "import sys, lcagent; print([m for m in sys.modules if m.startswith('lcagent.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(("verb", "task", "options"), VERBS, ids=lambda one: str(one)[:30])
def test_a_verb_has_the_fields_of_its_task_with_their_defaults(
    verb: Callable[..., Any], task: type[Task], options: type[MethodOptions] | None
) -> None:
    arguments = inspect.signature(verb).parameters
    holders = [task] if options is None else [task, options]
    for holder in holders:
        for flag in flags_of(holder):
            assert arguments[flag.name].default == flag.default, flag.name
    assert all(each.kind is not inspect.Parameter.VAR_KEYWORD for each in arguments.values())


@pytest.mark.parametrize(("verb", "task", "options"), VERBS, ids=lambda one: str(one)[:30])
def test_a_verb_explains_its_arguments(
    verb: Callable[..., Any], task: type[Task], options: type[MethodOptions] | None
) -> None:
    assert options is None or issubclass(task, ModelTask)
    told = inspect.getdoc(verb) or ""
    if "are those of `ask`" in told:
        told += inspect.getdoc(lcagent.ask) or ""
    for name in inspect.signature(verb).parameters:
        if name not in ("question", "query"):
            assert f"{name}: " in told, name


def test_an_argument_that_does_not_exist_is_a_type_error_that_says_which_do() -> None:
    with pytest.raises(TypeError, match="no 'modle'; did you mean 'model'"):
        lcagent.ask("a.pdf", "Who?", modle="openai:x")  # type: ignore[call-arg] -- the mistake
    with pytest.raises(TypeError, match="no 'topk'; did you mean 'top_k'"):
        lcagent.search("a.pdf", "light", topk=3)  # type: ignore[call-arg] -- the mistake


@pytest.mark.parametrize("top_k", [0, -1, 1_001])
def test_a_number_out_of_range_is_refused(top_k: int) -> None:
    with pytest.raises(UsageError, match="top_k is 1 to 1,000"):
        lcagent.ask("a.pdf", "Who?", top_k=top_k)


def test_no_document_is_refused_in_words() -> None:
    with pytest.raises(UsageError, match="no document is named"):
        lcagent.ask([], "Who?")


def test_every_field_of_a_task_can_be_typed_or_stands_in_the_command() -> None:
    for task in (AskTask, SearchTask, SummarizeTask, WriteTask):
        typed = {flag.name for flag in flags_of(task)}
        positional = {"documents", "question", "query", "instruction", "options"}
        assert {each.name for each in fields(task)} - typed <= positional


def test_synchronous_and_asynchronous_verbs_have_one_signature() -> None:
    for name in ("ask", "search", "summarize", "write", "plan", "run", "resume"):
        one, other = getattr(verbs, name), getattr(verbs, f"{name}_async")
        assert inspect.signature(one) == inspect.signature(other)
