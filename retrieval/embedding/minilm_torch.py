"""all-MiniLM-L6-v2 in torch: for the chunks of a whole document.

The same network as `minilm_numpy.py`, arranged for few CPU seconds: texts of like length
together, so that little is padded; bfloat16 where the CPU multiplies it natively (mean cosine
to float32 0.99995); one thread per batch, because OpenMP threads that wait for each other
spin, which doubled the CPU seconds on a busy machine. int8 gained nothing over bfloat16 until
it lost fidelity (mean cosine 0.998): its conversions eat what its products save.
"""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from lcagent.retrieval.embedding.embedder import EmbeddingProgress, Vectors
from lcagent.retrieval.embedding.minilm_numpy import (
    HEAD_DIM,
    HIDDEN,
    LAYER_NORM_EPS,
    NUM_HEADS,
    NUM_LAYERS,
)

BATCH_TOKENS = 2048
"""Padded word pieces in a batch: its activations stay in the caches, and under 50 MB."""


def native_dtype() -> torch.dtype:
    """Return bfloat16 where this CPU has instructions for it, else float32."""
    read = getattr(torch.cpu, "get_capabilities", dict[str, object])  # torch < 2.10 has it not
    found = read()
    is_native = bool(found.get("avx512_bf16") or found.get("amx_bf16"))
    return torch.bfloat16 if is_native else torch.float32


class TorchMiniLM:
    """The network, with its layers copied once into `dtype`; the embeddings stay mapped."""

    def __init__(self, weights: dict[str, Vectors], dtype: torch.dtype) -> None:
        tensors = {name: torch.as_tensor(array) for name, array in weights.items()}
        self._embeddings = {n: t for n, t in tensors.items() if n.startswith("embeddings.")}
        layers = {n: t for n, t in tensors.items() if n.startswith("encoder.")}
        self._layers = {name: tensor.to(dtype) for name, tensor in _fuse(layers).items()}
        self._dtype = dtype

    def embed_ids(
        self, ids: Sequence[Sequence[int]], progress: EmbeddingProgress | None = None
    ) -> Vectors:
        """Return the normalised vectors of texts given as word pieces, shape (len(ids), 384)."""
        vectors = np.empty((len(ids), HIDDEN), np.float32)
        embedded = 0
        # The initialiser sets the threads of the pool's own threads; the caller's stay.
        with ThreadPoolExecutor(
            _num_workers(), initializer=torch.set_num_threads, initargs=(1,)
        ) as pool:
            batches = list(batches_of_like_length([len(text) for text in ids]))
            started = {pool.submit(self._embed_batch, [ids[i] for i in b]): b for b in batches}
            for finished in as_completed(started):
                batch = started[finished]
                vectors[batch] = finished.result()
                embedded += len(batch)
                if progress:
                    progress(embedded, len(ids))
        return vectors

    @torch.inference_mode()
    def _embed_batch(self, ids: list[Sequence[int]]) -> Vectors:
        lengths = torch.tensor([len(text) for text in ids])
        is_real = torch.arange(int(lengths.max())) < lengths[:, None]  # (B, T)
        mask = None if is_real.all() else is_real[:, None, None, :]
        hidden = self._embed_words(ids, is_real)  # (B, T, 384)
        for layer in range(NUM_LAYERS):
            hidden = self._apply_layer(f"encoder.layer.{layer}.", hidden, mask)
        summed = (hidden.float() * is_real[:, :, None]).sum(dim=1)  # (B, 384)
        vectors: Vectors = functional.normalize(summed, dim=1).numpy()
        return vectors

    def _embed_words(self, ids: list[Sequence[int]], is_real: Tensor) -> Tensor:
        padded = torch.zeros(is_real.shape, dtype=torch.long)
        padded[is_real] = torch.tensor([piece for text in ids for piece in text])
        table = self._embeddings
        words = functional.embedding(padded, table["embeddings.word_embeddings.weight"])
        positions = table["embeddings.position_embeddings.weight"][: padded.shape[1]]
        segment = table["embeddings.token_type_embeddings.weight"][0]
        hidden = _normalise(table, "embeddings.LayerNorm", words + (positions + segment))
        return hidden.to(self._dtype)

    def _apply_layer(self, layer: str, hidden: Tensor, mask: Tensor | None) -> Tensor:
        weights = self._layers
        attended = self._attend(layer + "attention.self", hidden, mask)
        attended = _project(weights, layer + "attention.output.dense", attended)
        hidden = _normalise(weights, layer + "attention.output.LayerNorm", attended.add_(hidden))
        inner = functional.gelu(_project(weights, layer + "intermediate.dense", hidden))
        outer = _project(weights, layer + "output.dense", inner)
        return _normalise(weights, layer + "output.LayerNorm", outer.add_(hidden))

    def _attend(self, name: str, hidden: Tensor, mask: Tensor | None) -> Tensor:
        fused = _project(self._layers, name, hidden)  # (B, T, 3 * 384)
        heads = fused.view(*hidden.shape[:2], 3, NUM_HEADS, HEAD_DIM).permute(2, 0, 3, 1, 4)
        query, key, value = heads.unbind()  # (B, H, T, D) each
        attended = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        return attended.transpose(1, 2).flatten(2)  # (B, T, 384)


def batches_of_like_length(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Yield the indices of `lengths`, longest first, as many as `BATCH_TOKENS` allows."""
    batch: list[int] = []
    for index in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        if batch and (len(batch) + 1) * lengths[batch[0]] > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def _fuse(layers: dict[str, Tensor]) -> dict[str, Tensor]:
    fused = {name: tensor for name, tensor in layers.items() if ".attention.self." not in name}
    for layer in range(NUM_LAYERS):
        name = f"encoder.layer.{layer}.attention.self."
        for kind in ("weight", "bias"):
            parts = [layers[f"{name}{part}.{kind}"] for part in ("query", "key", "value")]
            fused[name + kind] = torch.cat(parts)
    return fused


def _project(weights: dict[str, Tensor], name: str, x: Tensor) -> Tensor:
    return functional.linear(x, weights[name + ".weight"], weights[name + ".bias"])


def _normalise(weights: dict[str, Tensor], name: str, x: Tensor) -> Tensor:
    scale, shift = weights[name + ".weight"], weights[name + ".bias"]
    return functional.layer_norm(x, (HIDDEN,), scale, shift, LAYER_NORM_EPS)


def _num_workers() -> int:
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
