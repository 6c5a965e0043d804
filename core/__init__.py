"""lcagent: answers, summaries and long texts from documents that are too long to read.

    from lcagent import ask
    print(ask("book.pdf", "Who kept the light?"))

The folder `core/` is the package `lcagent` itself: the values that travel between the layers,
the errors they raise, the settings, and nothing that needs a model or a database. The verbs and the
session are looked up when first used, so that `import lcagent` stays light.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lcagent.documents import NamedText
    from lcagent.errors import (
        BudgetExceeded,
        LcagentError,
        ModelError,
        StorageError,
        UnreadableDocument,
        UsageError,
    )
    from lcagent.pipelines.methods.chain.options import ChainOptions
    from lcagent.pipelines.methods.summarize.options import SummarizeOptions
    from lcagent.pipelines.methods.tree.options import TreeOptions
    from lcagent.pipelines.methods.write.options import WriteOptions
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
    from lcagent.results import (
        Answer,
        Article,
        Citation,
        Claim,
        Coverage,
        Plan,
        Result,
        SearchResult,
        Summary,
        Usage,
    )
    from lcagent.settings import Settings
    from lcagent.tasks import AskTask, SearchTask, SummarizeTask, WriteTask

__all__ = [
    "Answer",
    "Article",
    "AskTask",
    "BudgetExceeded",
    "ChainOptions",
    "Citation",
    "Claim",
    "Coverage",
    "LcagentError",
    "ModelError",
    "NamedText",
    "Plan",
    "Result",
    "SearchResult",
    "SearchTask",
    "Session",
    "Settings",
    "StorageError",
    "SummarizeOptions",
    "SummarizeTask",
    "Summary",
    "TreeOptions",
    "UnreadableDocument",
    "Usage",
    "UsageError",
    "WriteOptions",
    "WriteTask",
    "ask",
    "ask_async",
    "plan",
    "plan_async",
    "read_task",
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
    "write",
    "write_async",
]
__version__ = "0.1.0"

_HOMES = {
    "documents": ("NamedText",),
    "errors": (
        "BudgetExceeded",
        "LcagentError",
        "ModelError",
        "StorageError",
        "UnreadableDocument",
        "UsageError",
    ),
    "pipelines.registry": (
        "read_task",
        "task_schema",
    ),
    "pipelines.session": ("Session",),
    "pipelines.verbs": (
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
    "pipelines.methods.chain.options": ("ChainOptions",),
    "pipelines.methods.summarize.options": ("SummarizeOptions",),
    "pipelines.methods.tree.options": ("TreeOptions",),
    "pipelines.methods.write.options": ("WriteOptions",),
    "results": (
        "Answer",
        "Article",
        "Citation",
        "Claim",
        "Coverage",
        "Plan",
        "Result",
        "SearchResult",
        "Summary",
        "Usage",
    ),
    "settings": ("Settings",),
    "tasks": (
        "AskTask",
        "SearchTask",
        "SummarizeTask",
        "WriteTask",
    ),
}
"""The module that each name lives in: a module of the same name as a verb must not hide it."""


def __getattr__(name: str) -> Any:
    """Return a public name from the module that it lives in."""
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"lcagent.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the public names, for completion."""
    return [*__all__, "__version__"]
