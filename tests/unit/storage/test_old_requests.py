"""A run that an older version began can be resumed: what it kept becomes the task."""

from typing import Any

import pytest

from lcagent.pipelines.registry import read_task
from lcagent.storage.migrations.versions import m0006_tasks, m0009_credentials
from lcagent.tasks import AskTask, SummarizeTask, WriteTask

CHAIN: dict[str, Any] = {
    "takes_notes": False, "reasks": False, "rereads": 0, "is_parallel": False,
    "orders": ["ltr"], "temperature": 0.0, "combine": "judge", "baseline": "",
}  # fmt: skip
TREE: dict[str, Any] = {
    "accept_at": None, "samples": 4, "temperature": 0.7, "top_k": 5, "top_k_below": 3, "beam": 1,
}  # fmt: skip
KEPT = {"window": 1000, "max_calls": 3, "use_cache": True, "pages": None, "top_k": 12}


def _request(**fields: Any) -> dict[str, Any]:
    return {"documents": ["d1"], "model": "openai:m", "options": KEPT, **fields}


@pytest.mark.parametrize("strategy", ["auto", "chain", "tree", "rag"])
def test_a_question_keeps_its_method_and_its_limits(strategy: str) -> None:
    old = _request(strategy=strategy, chain=CHAIN, tree=TREE)
    task = read_task(m0006_tasks.task_of("ask", "How did it go?", old))
    assert isinstance(task, AskTask)
    assert (task.question, task.strategy, task.model) == ("How did it go?", strategy, "openai:m")
    assert (task.window, task.max_calls, task.documents) == (1000, 3, ("d1",))
    methods = {options.method: options for options in task.options}
    assert set(methods) == ({"chain", "tree"} if strategy == "auto" else {strategy} - {"rag"})
    if "chain" in methods:
        assert methods["chain"].as_json() == CHAIN


def test_a_text_and_a_summary_keep_what_was_ordered() -> None:
    assignment = {
        "instruction": "A report", "words": 0, "plan": "", "is_parallel": True,
        "plan_only": False, "output": "", "fewest_words": 100, "most_words": 300,
    }  # fmt: skip
    text = read_task(m0006_tasks.task_of("write", "A report", _request(assignment=assignment)))
    assert isinstance(text, WriteTask)
    (options,) = text.options
    assert options.as_json() | {"words": None} == {
        "words": None, "plan": None, "plan_only": False, "output": None,
        "is_parallel": True, "paragraph_words": [100, 300], "may_overwrite": False,
    }  # fmt: skip
    order = {"words": 90, "focus": "tides", "by": "chunks", "is_parallel": False, "output": ""}
    summary = read_task(m0006_tasks.task_of("summarize", "a.pdf: tides", _request(order=order)))
    assert isinstance(summary, SummarizeTask)
    assert summary.focus == "tides"
    assert summary.options[0].as_json()["by"] == "chunks"


def test_stored_runs_lose_the_credentials_of_their_base_urls() -> None:
    request = {"verb": "ask", "base_url": "http://user:PASSWORD99@host/v1?api-key=QSECRET77"}
    changed = m0009_credentials.without_credentials(request, "refused: QSECRET77")
    assert changed == {
        "request": {"verb": "ask", "base_url": "http://host/v1"},
        "error": "refused: ***",
    }
    harmless = {"base_url": "https://host/v1?api-version=1"}
    for untouched in (None, {}, {"base_url": None}, harmless):
        assert m0009_credentials.without_credentials(untouched, "refused") == {}
