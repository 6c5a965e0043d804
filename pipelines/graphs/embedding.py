"""What a graph of lcagent works with inside somebody else's graph."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Unpack

from lcagent.errors import UsageError
from lcagent.pipelines.ask_options import AskOptions
from lcagent.pipelines.context import RunContext
from lcagent.pipelines.methods.chain_options import ChainOptions
from lcagent.pipelines.methods.tree_options import TreeOptions
from lcagent.pipelines.model_runs import context_of
from lcagent.pipelines.running.recording import Record


async def graph_context(
    documents: str | Path | Sequence[str | Path], **options: Unpack[AskOptions]
) -> RunContext:
    """Return the context for the graphs of this package: documents read, the model built.

    Replies are cached and limits hold as in `ask`; checkpoints are the caller's, and steps are
    kept in memory only.

    Args:
        options: As those of `ask`; `runtime` is needed, and must stay open while the graph runs.

    Raises:
        UsageError: As `ask`.
    """
    runtime = options.get("runtime")
    if runtime is None:
        raise UsageError("a graph needs an open store: pass runtime=Runtime.open()")
    model = options.get("model") or runtime.settings.model
    name = model if isinstance(model, str) else model.card.name
    chain = options.get("chain") or ChainOptions.of(options.get("preset", "default"))
    context = await context_of(documents, name, options, runtime, chain=chain)
    return replace(context, record=Record(), tree=options.get("tree") or TreeOptions())
