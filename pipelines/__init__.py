"""The verbs of lcagent, and the orchestrator behind them.

`ask`, `search`, `summarize` and `write` are the verbs, each with an `_async` form; `Runtime` is
what they run in; `graphs` holds the LangGraph graphs, and is imported only by who wants one.
"""

from lcagent.pipelines.ask import ask, ask_async, plan, plan_async
from lcagent.pipelines.documents import (
    add_documents,
    add_documents_async,
    list_documents,
    remove_documents,
    verify_documents,
)
from lcagent.pipelines.runs import find_runs, list_runs, resume, resume_async, steps_of
from lcagent.pipelines.runtime import Runtime
from lcagent.pipelines.search import search, search_async
from lcagent.pipelines.summarize import (
    plan_summary,
    plan_summary_async,
    summarize,
    summarize_async,
    summarize_each,
    summarize_each_async,
)
from lcagent.pipelines.write import plan_write, plan_write_async, write, write_async

__all__ = [
    "Runtime",
    "add_documents",
    "add_documents_async",
    "ask",
    "ask_async",
    "find_runs",
    "list_documents",
    "list_runs",
    "plan",
    "plan_async",
    "plan_summary",
    "plan_summary_async",
    "plan_write",
    "plan_write_async",
    "remove_documents",
    "resume",
    "resume_async",
    "search",
    "search_async",
    "steps_of",
    "summarize",
    "summarize_async",
    "summarize_each",
    "summarize_each_async",
    "verify_documents",
    "write",
    "write_async",
]
