"""Traces of runs: sent nowhere, unless the setting `traces` says so.

LangGraph hands every step, with questions and replies, to a tracing service where variables of the
environment say so. People who use LangChain have these set, and do not mean lcagent by them.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from lcagent.settings import Settings

_OLD_TRACER = ("LANGCHAIN_TRACING", "LANGCHAIN_HANDLER")
"""Of a tracer that is no more: LangChain refuses to run anything where one is set."""


@contextmanager
def traced_as(settings: Settings) -> Iterator[None]:
    """Run graphs with their steps sent where the settings say, whatever the environment does."""
    for name in _OLD_TRACER:
        os.environ.pop(name, None)
    if settings.traces == "langsmith":
        yield
        return
    from langsmith import tracing_context  # noqa: PLC0415 -- comes with LangGraph, and as slowly

    with tracing_context(enabled=False):
        yield
