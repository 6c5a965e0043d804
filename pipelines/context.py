"""What the nodes of one run share.

It is not in the graph's state because a checkpointer saves the whole state after every step;
the state holds ids, offsets and short texts, the documents are here.
"""

import asyncio
from dataclasses import dataclass, field

from lcagent.agents.token_budget import answer_reply_tokens
from lcagent.documents import Document
from lcagent.errors import ModelNotUsable
from lcagent.models.chat_model import ChatModel
from lcagent.models.limits import Budget, Metered
from lcagent.pipelines.methods.chain_options import ChainOptions
from lcagent.pipelines.methods.chain_run import ChainRun
from lcagent.pipelines.methods.tree_options import TreeOptions
from lcagent.pipelines.methods.tree_run import TreeRun
from lcagent.pipelines.running.recording import Record
from lcagent.retrieval.library import Collection
from lcagent.retrieval.search.retriever import Retriever, VectorUse
from lcagent.selection import PageSelection

EVIDENCE_TOKENS = 8_000
"""The most passages that an answer is written from; a small window holds fewer."""


@dataclass(frozen=True, slots=True)
class RunContext:
    """The documents of a run, what searches them, and who answers.

    Attributes:
        retriever: Searches the documents of the collection.
        top_k: How many passages the answer may draw on.
        model: None for quoting.
        budget: What the run may spend, the same that bounds the model.
        evidence_tokens: The most tokens of passages that an answer is written from.
        chains: Chains that are under way, by their question.
        trees: Question trees that are under way, by their question.
    """

    collection: Collection
    retriever: Retriever
    pages: PageSelection
    top_k: int
    vectors: VectorUse
    model: ChatModel | None = None
    budget: Budget = field(default_factory=Budget)
    chain: ChainOptions = field(default_factory=ChainOptions)
    record: Record = field(default_factory=Record)
    evidence_tokens: int = EVIDENCE_TOKENS
    chains: dict[str, asyncio.Future[ChainRun]] = field(
        default_factory=dict[str, asyncio.Future[ChainRun]]
    )
    tree: TreeOptions = field(default_factory=TreeOptions)
    trees: dict[str, TreeRun] = field(default_factory=dict[str, TreeRun])

    @property
    def documents(self) -> dict[str, Document]:
        """The documents by their ids, in order."""
        return {document.id: document for document in self.collection.documents}

    @property
    def reply_tokens(self) -> int:
        """What is reserved for the answer."""
        return answer_reply_tokens(self.chat_model)

    @property
    def chat_model(self) -> ChatModel:
        """The model.

        Raises:
            ModelNotUsable: There is none.
        """
        if self.model is None:
            raise ModelNotUsable(
                "this method needs a language model: name one with --model or LCAGENT_MODEL"
            )
        return self.model

    def metered(self) -> Metered:
        """Return the model as one step uses it."""
        return Metered(self.chat_model)
