"""Graphs are compiled once: compiling takes most of the processor time of a short question."""

import pytest

from lcagent.pipelines.answering.pipeline import AskPipeline
from lcagent.pipelines.method import Method
from lcagent.pipelines.methods.summarize.pipeline import SummarizePipeline
from lcagent.pipelines.methods.write.pipeline import WritePipeline
from lcagent.pipelines.registry import METHODS


@pytest.mark.parametrize("kind", [AskPipeline, SummarizePipeline, WritePipeline])
def test_every_run_has_the_same_graph(kind: type) -> None:
    assert kind().graph() is kind().graph()


def test_a_method_that_is_added_is_in_the_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    before = AskPipeline().graph()

    def node() -> object:
        return lambda state: state

    echo = Method("echo", "ask", "Says it again.", lambda _: None, node=node)
    monkeypatch.setitem(METHODS, "echo", echo)
    assert "echo" in AskPipeline().graph().nodes
    assert "echo" not in before.nodes
