"""Any embedding of llama-index, by the dotted path of its class.

The reference is `llama-index:package.module:Class`, with the arguments of its constructor after
a question mark: `llama-index:llama_index.core.embeddings:MockEmbedding?embed_dim=8`.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from typing import Protocol, cast
from urllib.parse import parse_qsl

import numpy as np

from lcagent.errors import ModelError, UsageError
from lcagent.retrieval.embedding.embedder import EmbeddingProgress, Tokenizer, Vectors, unit
from lcagent.retrieval.embedding.wordpiece_estimate import WordPieceEstimate


class TextEmbedding(Protocol):
    """What is used of llama-index's `BaseEmbedding`."""

    model_name: str

    def get_query_embedding(self, query: str) -> list[float]:
        """Return the vector of a question."""
        ...

    def get_text_embedding_batch(self, texts: list[str]) -> list[list[float]]:
        """Return the vectors of texts."""
        ...


@dataclass(frozen=True)
class LlamaIndexEmbedder:
    """An embedding of llama-index; `reference` names it in the store, arguments included."""

    reference: str
    embedding: TextEmbedding
    tokenizer: Tokenizer = field(default_factory=WordPieceEstimate)
    batch_texts: int = 64

    @property
    def id(self) -> str:
        """The class, the model's name and its limit; llama-index tells no weights.

        The arguments are in it as a hash: one of them may be a key.
        """
        path, _, arguments = self.reference.partition("?")
        told_apart = hashlib.sha256(arguments.encode()).hexdigest()[:8]
        return f"{path}/{told_apart}/{self.embedding.model_name}/{self.max_tokens}"

    @property
    def dimension(self) -> int:
        """The length of a vector, found by embedding a word once."""
        return self._dimension

    @property
    def max_tokens(self) -> int:
        """The limit of the tokenizer."""
        return self.tokenizer.max_tokens

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return what the tokenizer counts."""
        return self.tokenizer.count_tokens(texts)

    def embed_query(self, text: str) -> Vectors:
        """Return the vector of a question; some models embed questions unlike texts."""
        reply = [self.embedding.get_query_embedding(text)]
        vector: Vectors = _unit_vectors(reply, (1, self.dimension), self.id)[0]
        return vector

    def embed(self, texts: Sequence[str], progress: EmbeddingProgress | None = None) -> Vectors:
        """Return one vector per text."""
        rows: list[list[float]] = []
        for start in range(0, len(texts), self.batch_texts):
            batch = list(texts[start : start + self.batch_texts])
            rows += self.embedding.get_text_embedding_batch(batch)
            if progress:
                progress(len(rows), len(texts))
        if not texts:
            return np.empty((0, self.dimension), np.float32)
        return _unit_vectors(rows, (len(texts), self.dimension), self.id)

    @cached_property
    def _dimension(self) -> int:
        return len(self.embedding.get_query_embedding("dimension"))


def _unit_vectors(reply: list[list[float]], shape: tuple[int, int], name: str) -> Vectors:
    """Return the vectors of a reply as an array of `shape`, each of length 1.

    Raises:
        ModelError: They have another shape, are not numbers, or one of them is zero.
    """
    try:
        vectors: Vectors = np.asarray(reply, np.float32)
    except ValueError as error:
        raise ModelError(f"{name} replied with vectors of unequal length") from error
    if vectors.shape != shape:
        raise ModelError(f"{name} replied with vectors of shape {vectors.shape}, expected {shape}")
    if not (np.isfinite(vectors).all() and vectors.any(axis=-1).all()):
        raise ModelError(f"{name} replied with a vector that has no direction")
    return unit(vectors)


def load_llama_index(reference: str) -> LlamaIndexEmbedder:
    """Import the class that `reference` names and make one with the arguments it gives.

    Raises:
        UsageError: There is no such module or class, or it refuses the arguments.
    """
    path, _, arguments = reference.partition("?")
    module_name, _, class_name = path.removeprefix("llama-index:").partition(":")
    try:
        make = getattr(import_module(module_name), class_name)
        embedding = make(**dict(parse_qsl(arguments)))
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise UsageError(f"cannot make the embedder {reference!r}: {error}") from error
    if not hasattr(embedding, "get_text_embedding_batch"):
        raise UsageError(f"{class_name} of {module_name} is not an embedding of llama-index")
    return LlamaIndexEmbedder(reference, cast("TextEmbedding", embedding))
