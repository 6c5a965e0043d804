"""Search by meaning: vectors of chunks, computed when needed and kept, compared by FAISS.

Vectors are stored as plain arrays by the hash of their text; the FAISS index is built from them
at each use (milliseconds), so no index file is ever read.
"""

import hashlib
from collections.abc import Sequence
from threading import Event

import numpy as np

from lcagent.documents import Chunk
from lcagent.retrieval.embedding.base import Embedder, Progress, Vectors
from lcagent.retrieval.search.lexical import Floats
from lcagent.storage.search_store import SearchStore

STORE_EVERY = 128
"""Vectors computed between two visits to the store: a kill loses no more than these."""


class ChunkVectors:
    """The vectors of chunks under one embedder, as far as they are stored."""

    def __init__(self, store: SearchStore, embedder: Embedder) -> None:
        self._store = store
        self._embedder = embedder

    def missing(self, chunks: Sequence[Chunk]) -> list[Chunk]:
        """Return the chunks whose vectors are not stored."""
        hashes = [text_hash(chunk.text) for chunk in chunks]
        known = self._store.load_vectors(self._embedder.id, hashes).keys()
        pairs = zip(chunks, hashes, strict=True)
        return [chunk for chunk, key in pairs if key not in known]

    def compute(
        self,
        chunks: Sequence[Chunk],
        progress: Progress | None = None,
        stop: Event | None = None,
    ) -> None:
        """Compute and store the vectors that are missing, until `stop` is set."""
        missing = self.missing(chunks)
        for first in range(0, len(missing), STORE_EVERY):
            if stop is not None and stop.is_set():
                return
            batch = missing[first : first + STORE_EVERY]
            vectors = self._embedder.embed([chunk.text for chunk in batch])
            computed = {
                text_hash(chunk.text): vector.astype("<f4").tobytes()
                for chunk, vector in zip(batch, vectors, strict=True)
            }
            self._store.save_vectors(self._embedder.id, computed)
            if progress is not None:
                progress(first + len(batch), len(missing))

    def load(self, chunks: Sequence[Chunk]) -> Vectors:
        """Return the stored vectors of chunks, shape (len(chunks), dimension)."""
        hashes = [text_hash(chunk.text) for chunk in chunks]
        stored = self._store.load_vectors(self._embedder.id, hashes)
        packed = b"".join(stored[key] for key in hashes)
        return np.frombuffer(packed, dtype="<f4").reshape(len(chunks), self._embedder.dimension)

    def similarities(self, question: str, chunks: Sequence[Chunk]) -> Floats:
        """Return the cosine of the question and each chunk; all their vectors are stored."""
        import faiss  # noqa: PLC0415 -- only where vectors are

        vectors = self.load(chunks)
        index = faiss.IndexFlatIP(self._embedder.dimension)
        index.add(vectors)
        query = self._embedder.embed_query(question).reshape(1, -1)
        cosines, numbers = index.search(query, len(chunks))
        similarities = np.empty(len(chunks))
        similarities[numbers[0]] = cosines[0]
        return similarities


def text_hash(text: str) -> str:
    """Return the key of a text's vector."""
    return hashlib.sha256(text.encode()).hexdigest()
