"""LlamaIndex: our retrievers as theirs, and theirs as ours.

Imported only by who wants it, since `llama_index.core` takes more processor time to import than
a question takes to answer. Embeddings and readers of LlamaIndex are plugged in by class path;
see `embedding/llama_index_embedder.py` and `reading/llama_index_reader.py`.
"""

from collections.abc import Iterator, Sequence

from llama_index.core.retrievers import BaseRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

from lcagent.concurrency import run_sync
from lcagent.documents import Document, Page, Passage, Span
from lcagent.retrieval.search.retriever import (
    InMemoryCorpus,
    Retriever,
    SearchResults,
    VectorUse,
)
from lcagent.selection import ALL_PAGES, PageSelection


class LlamaIndexRetriever(BaseRetriever):
    """One of our retrievers as one of LlamaIndex: nodes with their page in the metadata."""

    def __init__(
        self, retriever: Retriever, *, top_k: int = 10, vectors: VectorUse = "needed"
    ) -> None:
        super().__init__()
        self._retriever = retriever
        self._top_k = top_k
        self._use: VectorUse = vectors

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return run_sync(self._aretrieve(query_bundle))

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        found = await self._retriever.search(
            query_bundle.query_str, top_k=self._top_k, vectors=self._use
        )
        return [_node(passage) for passage in found.passages]


class LlamaIndexBackend:
    """A retriever of LlamaIndex as one of ours, over documents that lcagent has read.

    What it returns is looked up in the documents, since only what stands on a page can be cited: a
    node whose text does not is left out, and the notes say how many were. A node is looked for on
    the page that its metadata names (`document_id` or `file_name`, `page_label` or `page`), else
    on all pages.
    """

    def __init__(self, retriever: BaseRetriever, documents: Sequence[Document]) -> None:
        self._retriever = retriever
        self._documents = documents
        self._words = InMemoryCorpus(documents)

    async def search(
        self,
        query: str,
        *,
        top_k: int = 10,
        pages: PageSelection = ALL_PAGES,
        vectors: VectorUse = "stored",  # noqa: ARG002 -- the other side decides how it searches
    ) -> SearchResults:
        """Return what the other retriever finds, in its order, `top_k` passages at most."""
        nodes = await self._retriever.aretrieve(query)
        placed = [(node, self._place(node)) for node in nodes]
        passages = [
            _passage(node, *place, rank)
            for rank, (node, place) in enumerate(placed, 1)
            if place is not None and place[1].index + 1 in pages
        ]
        lost = sum(place is None for _, place in placed)
        plain = f"{lost} of the {len(nodes)} passages found stand on no page and were left out"
        return self._words.results(query, passages[:top_k], pages, notes=(plain,) if lost else ())

    def _place(self, node: NodeWithScore) -> tuple[Document, Page, int] | None:
        """Return the document and page that a node's text stands on, and where it begins there."""
        text = node.get_content().strip()
        for document, page in sorted(self._pages(), key=lambda place: not _is_named(node, *place)):
            start = page.text.find(text) if text else -1
            if start >= 0:
                return document, page, start
        return None

    def _pages(self) -> Iterator[tuple[Document, Page]]:
        for document in self._documents:
            for page in document.pages:
                yield document, page


def _is_named(node: NodeWithScore, document: Document, page: Page) -> bool:
    """Say whether the metadata of a node names a page; not all of it has to be there."""
    metadata = node.metadata
    owner = metadata.get("document_id", metadata.get("file_name"))
    if owner is not None and owner not in (document.id, document.name):
        return False
    number = metadata.get("page", metadata.get("page_label"))
    return number is not None and str(number) in (str(page.number), page.label)


def _passage(node: NodeWithScore, document: Document, page: Page, start: int, rank: int) -> Passage:
    text = node.get_content().strip()
    return Passage(
        span=Span(document.id, page.index, start, start + len(text)),
        text=text,
        document_name=document.name,
        page=page,
        score=1 / rank if node.score is None else float(node.score),
    )


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
