"""The LangGraph graphs, compiled, for use inside somebody's own graph or LangGraph's tools.

Importing this module imports LangGraph; the verbs import it only where a run has steps to
checkpoint (see docs/decisions/0003).
"""

from lcagent.pipelines.ask_graph import AskGraph
from lcagent.pipelines.ask_graph import build as ask_graph

__all__ = ["AskGraph", "ask_graph"]
