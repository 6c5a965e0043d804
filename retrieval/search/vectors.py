"""Search by meaning: vectors of chunks, computed when needed, stored, and compared by FAISS.

The store keeps vectors as plain arrays by the hash of their text, so that no index file is ever
read and equal chunks of two documents share one. An index takes from there what it compares, once;
what is computed later, by itself or by another process, is added to what it has.
"""

import hashlib
from collections.abc import Callable, Sequence
from functools import cached_property
from threading import Event, Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from lcagent.documents import Chunk
from lcagent.retrieval.embedding.embedder import Embedder, EmbeddingProgress
from lcagent.retrieval.search.bm25 import Floats, Ints
from lcagent.retrieval.search.retriever import VectorUse
from lcagent.storage.search_store import SearchStore

if TYPE_CHECKING:
    from numpy.typing import NDArray

STORE_EVERY = 128
"""Vectors computed between two visits to the store: a kill loses no more than these."""


class StoredVectors:
    """The vectors of texts under one embedder, as far as they are stored."""

    def __init__(self, store: SearchStore, embedder: Embedder) -> None:
        self.embedder = embedder
        self._store = store

    def load(self, keys: Sequence[str]) -> "dict[str, NDArray[np.float32]]":
        """Return the vectors that are stored among those of `keys` (see `text_hash`)."""
        stored = self._store.load_vectors(self.embedder.id, keys)
        return {key: np.frombuffer(packed, dtype="<f4") for key, packed in stored.items()}

    def compute(
        self,
        chunks: Sequence[Chunk],
        progress: EmbeddingProgress | None = None,
        stop: Event | None = None,
    ) -> None:
        """Compute and store the vectors that are missing, until `stop` is set."""
        missing = self._missing(chunks)
        for first in range(0, len(missing), STORE_EVERY):
            if stop is not None and stop.is_set():
                return
            batch = missing[first : first + STORE_EVERY]
            vectors = self.embedder.embed([chunk.text for chunk in batch])
            computed = {
                text_hash(chunk.text): vector.astype("<f4").tobytes()
                for chunk, vector in zip(batch, vectors, strict=True)
            }
            self._store.save_vectors(self.embedder.id, computed)
            if progress is not None:
                progress(first + len(batch), len(missing))

    def _missing(self, chunks: Sequence[Chunk]) -> list[Chunk]:
        by_key = {text_hash(chunk.text): chunk for chunk in chunks}
        known = self._store.load_vectors(self.embedder.id, list(by_key)).keys()
        return [chunk for key, chunk in by_key.items() if key not in known]


class ChunkVectors:
    """The vectors of the chunks of one index, as many as are known by now.

    May be used from several threads: one at a time embeds, one at a time compares.
    """

    def __init__(self, chunks: Sequence[Chunk], stored: StoredVectors) -> None:
        self._chunks = chunks
        self._stored = stored
        self._rows: Ints = np.full(len(chunks), -1, dtype=np.int32)
        """The row of each chunk in the FAISS index, -1 where its vector is not known."""
        self._index: Any = None
        self._embedding, self._comparing = Lock(), Lock()

    @property
    def nbytes(self) -> int:
        """The memory they take by now."""
        known = int((self._rows >= 0).sum())
        return self._rows.nbytes + known * self._stored.embedder.dimension * 4

    def compute(self, progress: EmbeddingProgress | None = None) -> None:
        """Compute and store the vectors of all chunks."""
        self._stored.compute(self._chunks, progress)

    def cosines(
        self, question: str, use: VectorUse, choose: Callable[[], list[int]]
    ) -> Floats | None:
        """Return the cosine of the question and each chunk, or None for words only.

        Where not all chunks have vectors and `use` is "needed", those that `choose` returns get
        theirs now, and the rest count as the least alike of them: they are ranked by words.
        """
        if use == "none" or not self._chunks:
            return None
        if self._is_complete():
            return self._compare(question)
        if use == "stored":
            return None
        chosen = choose()
        with self._embedding:
            unknown = [number for number in chosen if self._rows[number] < 0]
            self._stored.compute([self._chunks[number] for number in unknown])
            self._load(unknown)
        found = self._compare(question)[chosen]
        cosines = np.full(len(self._chunks), found.min() if len(found) else 0.0)
        cosines[chosen] = found
        return cosines

    @cached_property
    def _keys(self) -> list[str]:
        return [text_hash(chunk.text) for chunk in self._chunks]

    def _is_complete(self) -> bool:
        """Say whether all vectors are known, after a look for those stored meanwhile."""
        with self._embedding:
            unknown = np.flatnonzero(self._rows < 0).tolist()
            # One that is still missing settles it: a store of all chunks is not asked for each.
            if unknown and self._load(unknown[:1]):
                self._load(unknown[1:])
            return bool((self._rows >= 0).all())

    def _load(self, numbers: Sequence[int]) -> bool:
        """Take the vectors of some chunks from the store; say whether there were any."""
        import faiss  # noqa: PLC0415 -- only where vectors are

        found = self._stored.load([self._keys[number] for number in numbers])
        held = [number for number in numbers if self._keys[number] in found]
        if held:
            with self._comparing:
                if self._index is None:
                    self._index = faiss.IndexFlatIP(self._stored.embedder.dimension)
                first = self._index.ntotal
                self._index.add(np.stack([found[self._keys[number]] for number in held]))
                self._rows[held] = np.arange(first, first + len(held))
        return bool(held)

    def _compare(self, question: str) -> Floats:
        """Return the cosine of the question and each chunk; of those without a vector, -1."""
        query = self._stored.embedder.embed_query(question).reshape(1, -1)
        with self._comparing:
            _, found, rows = self._index.range_search(query, -2.0)  # all of them, unsorted
            by_row = np.empty(self._index.ntotal)
            by_row[rows] = found
            return np.where(self._rows >= 0, by_row[self._rows], -1.0)


def text_hash(text: str) -> str:
    """Return the key of a text's vector."""
    return hashlib.sha256(text.encode()).hexdigest()
