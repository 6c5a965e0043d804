"""LlamaIndex: lcagent's search as one of its retrievers.

Imported only by who wants it, since `llama_index.core` takes more processor time to import than
a question takes to answer. Embeddings and readers of LlamaIndex are plugged in by class path;
see `embedding/llama_index.py` and `reading/llama_index.py`.
"""

from collections.abc import Sequence

from llama_index.core.retrievers import BaseRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

from lcagent.concurrency import run_sync
from lcagent.documents import Document, Passage
from lcagent.retrieval.search.retriever import Retriever, VectorUse


class LlamaIndexRetriever(BaseRetriever):
    """Finds passages of some documents, as nodes with their page in the metadata."""

    def __init__(
        self,
        retriever: Retriever,
        documents: Sequence[Document],
        *,
        top_k: int = 10,
        vectors: VectorUse = "needed",
    ) -> None:
        super().__init__()
        self._retriever = retriever
        self._documents = documents
        self._top_k = top_k
        self._use: VectorUse = vectors

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return run_sync(self._aretrieve(query_bundle))

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        found = await self._retriever.search(
            query_bundle.query_str, self._documents, top_k=self._top_k, vectors=self._use
        )
        return [_node(passage) for passage in found.passages]


def _node(passage: Passage) -> NodeWithScore:
    span, page = passage.span, passage.page
    node = TextNode(
        id_=f"{span.document_id}:{span.page_index}:{span.start}",
        text=passage.text,
        start_char_idx=span.start,
        end_char_idx=span.end,
        metadata={
            "document": passage.document_name,
            "document_id": span.document_id,
            "page": page.number,
            "page_label": page.label,
            "section": page.section,
        },
    )
    return NodeWithScore(node=node, score=passage.score)
