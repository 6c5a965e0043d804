"""A task is a value: it checks itself, goes to JSON and back, and describes itself."""

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lcagent
from lcagent import AskTask, ChainOptions, SearchTask, SummarizeOptions, SummarizeTask, TreeOptions
from lcagent.errors import UsageError
from lcagent.pipelines.registry import read_task, task_schema
from lcagent.tasks import Task, WriteTask

TASKS: tuple[Task, ...] = (
    AskTask(
        ("a.pdf", "b.md"), "Who?", strategy="chain", options=(ChainOptions.preset("thorough"),)
    ),
    AskTask(("a.pdf",), "Wer?", options=(ChainOptions(rereads=1), TreeOptions(beam=2))),
    SearchTask(("a.pdf",), "the light", top_k=3, pages="1-4"),
    SummarizeTask(("a.pdf",), focus="tides", options=(SummarizeOptions(words=60),)),
    WriteTask("A report", (), options=(lcagent.WriteOptions(paragraph_words=(50, 90)),)),
)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: f"{task.verb} {len(task.options)}")
def test_json_gives_the_same_task_back_and_fits_the_schema(task: Task) -> None:
    written = json.loads(json.dumps(task.as_json()))
    assert read_task(written) == task
    jsonschema.validate(written, task_schema(task.verb))


@given(st.integers(1, 1000), st.booleans(), st.none() | st.floats(0, 9), st.text(min_size=1))
def test_any_task_that_makes_sense_comes_back(
    top_k: int, use_cache: bool, max_usd: float | None, question: str
) -> None:
    if not question.strip().strip("\ufeff").strip():
        return
    task = AskTask(("a",), question, top_k=top_k, use_cache=use_cache, max_usd=max_usd)
    assert read_task(json.loads(json.dumps(task.as_json()))) == task


def test_what_json_leaves_out_has_its_default() -> None:
    assert read_task({"verb": "ask", "documents": ["a"], "question": "Who?"}) == AskTask(
        ("a",), "Who?"
    )


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"topk": 3}, "no 'topk'; did you mean 'top_k'?"),
        ({"top_k": 0}, "top_k is 1 to 1,000, not 0"),
        ({"top_k": "12"}, "top_k is a whole number, not '12'"),
        ({"top_k": True}, "top_k is a whole number, not True"),
        ({"max_usd": -1}, "max_usd is 0 or more, not -1"),
        ({"use_cache": 1}, "use_cache is true or false, not 1"),
        ({"vectors": "all"}, "is one of auto, none, stored, needed, not 'all'"),
        ({"strategy": "guess"}, "no strategy 'guess'; there are: auto, quote"),
        ({"documents": []}, "no document is named"),
        ({"question": " "}, "the question is empty"),
        ({"options": {"chains": {}}}, "did you mean 'chain'?"),
        ({"options": {"chain": {"reread": 1}}}, "did you mean 'rereads'?"),
        ({"options": {"chain": {"combine": "toss"}}}, "one of 'vote', 'judge', not 'toss'"),
        ({"strategy": "rag", "options": {"chain": {}}}, "for -s chain and -s auto, not for -s rag"),
        ({"verb": "asks"}, "did you mean 'ask'?"),
        ({"schema": "lcagent.task/9"}, "expected lcagent.task/1 ask"),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_would(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError) as error:
        read_task({"verb": "ask", "documents": ["a"], "question": "Who?", **fields})
    assert words in str(error.value)


def test_a_missing_field_is_named() -> None:
    with pytest.raises(UsageError, match="the task ask lacks 'question'"):
        read_task({"verb": "ask", "documents": ["a"]})


def test_options_of_one_method_cannot_be_given_twice() -> None:
    with pytest.raises(UsageError, match="given twice"):
        AskTask(("a",), "Who?", options=(ChainOptions(), ChainOptions()))


def test_a_schema_describes_each_field_and_the_options_of_its_methods() -> None:
    schema = task_schema("ask")
    fields = schema["properties"]
    assert schema["required"] == ["documents", "question"]
    assert fields["strategy"]["enum"] == ["auto", "quote", "whole", "rag", "chain", "tree"]
    assert fields["top_k"] | {"description": ""} == {
        "type": "integer", "description": "", "default": 12, "minimum": 1, "maximum": 1000,
    }  # fmt: skip
    assert set(fields["options"]["properties"]) == {"chain", "tree"}
    assert all("description" in fields[name] for name in fields if name not in (
        "schema", "verb", "options", "documents", "question"
    ))  # fmt: skip


def test_the_beam_of_the_options_is_as_wide_as_the_search_allows() -> None:
    from lcagent.agents.probtree.beam_search import MAX_BEAM_WIDTH  # noqa: PLC0415 -- heavy
    from lcagent.pipelines.methods.tree.options import MAX_BEAM  # noqa: PLC0415

    assert MAX_BEAM == MAX_BEAM_WIDTH
