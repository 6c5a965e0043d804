"""The LangGraph graphs, compiled, for use inside somebody's own graph or LangGraph's tools.

Importing this package imports LangGraph; quoting does without (see docs/decisions/0003). What a
graph works with is its context, which `graph_context` makes.
"""

from lcagent.pipelines.graphs.ask_graph import AskGraph, ask_graph
from lcagent.pipelines.graphs.chain_graph import ChainGraph, chain_graph
from lcagent.pipelines.graphs.embedding import graph_context
from lcagent.pipelines.graphs.summary_graph import SummaryGraph, summary_graph
from lcagent.pipelines.graphs.tree_graph import TreeGraph, tree_graph
from lcagent.pipelines.graphs.write_graph import WriteGraph, write_graph

__all__ = [
    "AskGraph",
    "ChainGraph",
    "SummaryGraph",
    "TreeGraph",
    "WriteGraph",
    "ask_graph",
    "chain_graph",
    "graph_context",
    "summary_graph",
    "tree_graph",
    "write_graph",
]
