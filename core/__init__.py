"""lcagent: answers, summaries and long texts from documents that are too long to read.

The folder `core/` is the package `lcagent` itself: the values that travel between the layers,
the errors they raise, the settings, and nothing that needs a model or a database. The verbs
below are looked up when first used, so that `import lcagent` stays light.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lcagent.pipelines import ask, search, summarize, write

__all__ = ["ask", "search", "summarize", "write"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Return a verb of `lcagent.pipelines`."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from lcagent import pipelines  # noqa: PLC0415 -- the verbs need every layer; loaded on use

    return getattr(pipelines, name)
