"""What every embedder offers."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Vectors: TypeAlias = NDArray[np.float32]
EmbeddingProgress: TypeAlias = Callable[[int, int], None]
"""Called with the texts embedded so far and the texts in all."""


class Tokenizer(Protocol):
    """The part of an embedder that the chunker needs."""

    @property
    def id(self) -> str:
        """Names the way of counting: chunks cut by another are cut again."""
        ...

    @property
    def max_tokens(self) -> int:
        """The longest text that is read in full, special tokens included."""
        ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return how many tokens each text takes, special tokens included."""
        ...


class Embedder(Tokenizer, Protocol):
    """Turns texts into vectors of length 1, so that their dot product is the cosine.

    Everything blocks: async code calls it through `asyncio.to_thread`.
    """

    @property
    def id(self) -> str:
        """Name, weights and limits: vectors compare only when this is the same."""
        ...

    @property
    def dimension(self) -> int:
        """The length of a vector."""
        ...

    def embed_query(self, text: str) -> Vectors:
        """Return the vector of a question, shape (dimension,)."""
        ...

    def embed(self, texts: Sequence[str], progress: EmbeddingProgress | None = None) -> Vectors:
        """Return one vector per text, shape (len(texts), dimension).

        Raises:
            UsageError: A text is longer than `max_tokens`; nothing is cut silently.
        """
        ...


def unit(vectors: Vectors) -> Vectors:
    """Return the vectors (along the last axis) scaled to length 1."""
    lengths: Vectors = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / lengths
