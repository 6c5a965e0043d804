"""The LangGraph graphs, compiled, for use inside somebody's own graph or LangGraph's tools.

Importing this module imports LangGraph; quoting does without (see docs/decisions/0003). What a
graph works with is its context, which `Session.context` makes:

    context = await session.context(AskTask(("book.pdf",), "Who kept the light?", strategy="chain"))
    state = await ask_graph().ainvoke(initial_state(question, "chain"), context=context)
"""

from lcagent.pipelines.answering.graph import AskGraph, ask_graph
from lcagent.pipelines.methods.chain.graph import ChainGraph, chain_graph
from lcagent.pipelines.methods.summarize.graph import SummaryGraph, summary_graph
from lcagent.pipelines.methods.tree.graph import TreeGraph, tree_graph
from lcagent.pipelines.methods.write.graph import WriteGraph, write_graph
from lcagent.pipelines.state import initial_state

__all__ = [
    "AskGraph",
    "ChainGraph",
    "SummaryGraph",
    "TreeGraph",
    "WriteGraph",
    "ask_graph",
    "chain_graph",
    "initial_state",
    "summary_graph",
    "tree_graph",
    "write_graph",
]
