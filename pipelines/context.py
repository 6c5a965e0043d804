"""What the nodes of one run share.

It is not in the graph's state because a checkpointer saves the whole state after every step;
the state holds ids and offsets, the texts are here.
"""

from dataclasses import dataclass

from lcagent.retrieval.library import Collection
from lcagent.retrieval.search.retriever import Retriever, VectorUse
from lcagent.selection import PageSelection


@dataclass(frozen=True, slots=True)
class RunContext:
    """The documents of a run, and what searches them.

    Attributes:
        top_k: How many passages the answer may draw on.
    """

    collection: Collection
    retriever: Retriever
    pages: PageSelection
    top_k: int
    vectors: VectorUse
