"""The default embedder: all-MiniLM-L6-v2, in numpy for a few texts and in torch for many.

Both ways share one id: their vectors differ by a cosine of 0.9999 and rank chunks alike (see
`benchmarks/embedding.py`), so a store may mix them.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np

from lcagent.errors import UsageError
from lcagent.retrieval.embedding import minilm_numpy
from lcagent.retrieval.embedding.embedder import EmbeddingProgress, Vectors, unit
from lcagent.retrieval.embedding.minilm_weights import (
    TOKENIZER_SHA256,
    WEIGHTS_SHA256,
    ModelFiles,
    check_sha256,
    map_tensors,
)

if TYPE_CHECKING:
    import tokenizers

    from lcagent.retrieval.embedding.minilm_torch import TorchMiniLM

FEW_TEXTS = 16
"""Up to here numpy (0.15 CPU s a chunk) is cheaper than torch (0.04, and 1.7 to import)."""


@dataclass(frozen=True)
class MiniLM:
    """The model in `files`, checked and loaded when first used."""

    files: ModelFiles
    id: str = f"all-MiniLM-L6-v2/{WEIGHTS_SHA256[:12]}/256"
    dimension: int = minilm_numpy.HIDDEN
    max_tokens: int = 256

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return how many word pieces each text takes, [CLS] and [SEP] included."""
        return [len(ids) for ids in self.token_ids(texts)]

    def token_ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the word pieces of each text, [CLS] and [SEP] included."""
        return [encoding.ids for encoding in self._tokenizer.encode_batch_fast(list(texts))]

    def embed_query(self, text: str) -> Vectors:
        """Return the vector of a question; of a long one, the mean over all its parts."""
        pieces = self._tokenizer.encode(text).ids
        first, *inner, last = pieces
        step = self.max_tokens - 2
        parts = [inner[i : i + step] for i in range(0, len(inner), step)] or [[]]
        vectors = [minilm_numpy.embed_ids(self._weights, [first, *p, last]) for p in parts]
        mean: Vectors = np.stack(vectors).mean(axis=0)
        return unit(mean)

    def embed(self, texts: Sequence[str], progress: EmbeddingProgress | None = None) -> Vectors:
        """Return one vector per text; many texts take torch where it is installed."""
        ids = self.token_ids(texts)
        self._refuse_long(ids)
        if _is_worth_torch(len(texts)):
            return self._torch.embed_ids(ids, progress)
        vectors = np.empty((len(ids), self.dimension), np.float32)
        for index, text in enumerate(ids):
            vectors[index] = minilm_numpy.embed_ids(self._weights, text)
            if progress:
                progress(index + 1, len(ids))
        return vectors

    def _refuse_long(self, ids: list[list[int]]) -> None:
        for index, text in enumerate(ids):
            if len(text) > self.max_tokens:
                raise UsageError(
                    f"text {index} has {len(text)} word pieces; {self.id} reads {self.max_tokens}"
                )

    @cached_property
    def _tokenizer(self) -> tokenizers.Tokenizer:
        from tokenizers import Tokenizer  # noqa: PLC0415 -- optional

        check_sha256(self.files.tokenizer, TOKENIZER_SHA256)
        tokenizer = Tokenizer.from_file(str(self.files.tokenizer))
        # The published file cuts and pads at 128.
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return tokenizer

    @cached_property
    def _weights(self) -> dict[str, Vectors]:
        check_sha256(self.files.weights, WEIGHTS_SHA256)
        return map_tensors(self.files.weights)

    @cached_property
    def _torch(self) -> TorchMiniLM:
        from lcagent.retrieval.embedding import minilm_torch  # noqa: PLC0415 -- 1.5 CPU s

        return minilm_torch.TorchMiniLM(self._weights, minilm_torch.native_dtype())


def _is_worth_torch(num_texts: int) -> bool:
    is_loaded = "torch" in sys.modules
    return (is_loaded or num_texts > FEW_TEXTS) and find_spec("torch") is not None
