"""The verbs of lcagent, the session they run in, and the orchestrator behind them.

`ask`, `search`, `summarize` and `write` are the verbs, each with an `_async` form; `Session` is
what they run in; `graphs` holds the LangGraph graphs, and is imported only by who wants one. Names
are looked up when first used, so that a command that needs one of them does not wait for all.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lcagent.pipelines.documents import (
        add_documents,
        add_documents_async,
        list_documents,
        verify_documents,
    )
    from lcagent.pipelines.forgetting import remove_documents
    from lcagent.pipelines.registry import read_task, task_schema
    from lcagent.pipelines.session import Session
    from lcagent.pipelines.verbs import (
        ask,
        ask_async,
        plan,
        plan_async,
        resume,
        resume_async,
        run,
        run_async,
        search,
        search_async,
        summarize,
        summarize_async,
        summarize_each,
        summarize_each_async,
        write,
        write_async,
    )

__all__ = [
    "Session",
    "add_documents",
    "add_documents_async",
    "ask",
    "ask_async",
    "list_documents",
    "plan",
    "plan_async",
    "read_task",
    "remove_documents",
    "resume",
    "resume_async",
    "run",
    "run_async",
    "search",
    "search_async",
    "summarize",
    "summarize_async",
    "summarize_each",
    "summarize_each_async",
    "task_schema",
    "verify_documents",
    "write",
    "write_async",
]


_HOMES = {
    "documents": (
        "add_documents",
        "add_documents_async",
        "list_documents",
        "verify_documents",
    ),
    "forgetting": ("remove_documents",),
    "registry": (
        "read_task",
        "task_schema",
    ),
    "session": ("Session",),
    "verbs": (
        "ask",
        "ask_async",
        "plan",
        "plan_async",
        "resume",
        "resume_async",
        "run",
        "run_async",
        "search",
        "search_async",
        "summarize",
        "summarize_async",
        "summarize_each",
        "summarize_each_async",
        "write",
        "write_async",
    ),
}
"""The module that each name lives in: a module of the same name as a verb must not hide it."""


def __getattr__(name: str) -> Any:
    """Return a public name from the module that it lives in."""
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"lcagent.pipelines.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the public names; without it, who looks for one would import nothing."""
    return __all__
