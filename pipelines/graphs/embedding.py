"""What a graph of lcagent works with inside somebody else's graph."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Unpack

from lcagent.pipelines.chain_options import ChainOptions
from lcagent.pipelines.context import RunContext
from lcagent.pipelines.model_runs import context_of
from lcagent.pipelines.options import AskOptions
from lcagent.pipelines.recording import Record
from lcagent.pipelines.runtime import Runtime


async def graph_context(
    documents: str | Path | Sequence[str | Path], runtime: Runtime, **options: Unpack[AskOptions]
) -> RunContext:
    """Return the context for `ask_graph` and `chain_graph`: documents read, the model built.

    Replies are cached and limits hold as in `ask`; checkpoints are the caller's, and steps are
    kept in memory only.

    Raises:
        UsageError: As `ask`.
    """
    model = options.get("model") or runtime.settings.model
    name = model if isinstance(model, str) else model.card.name
    chain = options.get("chain") or ChainOptions.of(options.get("preset", "default"))
    context = await context_of(documents, name, options, runtime, chain=chain)
    return replace(context, record=Record())
