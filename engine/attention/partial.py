"""Attention of queries over some of their keys, with what is needed to merge it with the rest.

The log-sum-exp of a part's logits tells how much the part weighs (Dao et al., FlashAttention,
https://arxiv.org/abs/2205.14135, section 3.1). Query heads share key-value heads by views, so no
key is ever repeated, and no matrix of queries times keys is held in memory.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from lcagent.engine.attention import tiled
from lcagent.engine.attention.patches import Shape


@dataclass(frozen=True, slots=True)
class Scoring:
    """How a layer turns queries and keys into weights.

    Attributes:
        scale: Of the logits.
        softcap: Logits are bent to lie within it (Gemma 2), after the scale; None for no cap.
        sinks: Logit of each head that takes weight and gives nothing (GPT-OSS), shape (heads,).
    """

    scale: float
    softcap: float | None = None
    sinks: Tensor | None = None


@dataclass(frozen=True, slots=True)
class Partial:
    """Shapes: values (heads, q_len, head_dim); lse, float32 or wider, (heads, q_len)."""

    values: Tensor
    lse: Tensor


def attend(queries: Tensor, keys: Tensor, values: Tensor, shape: Shape, how: Scoring) -> Partial:
    """Return the attention of queries over these keys alone.

    Shapes: queries (num_heads, q_len, head_dim); keys and values (num_kv_heads, k_len, head_dim);
    k_len is q_len unless the shape is FULL.
    """
    if shape is Shape.ANTI:
        part = attend(queries.flip(1), keys.flip(1), values.flip(1), Shape.CAUSAL, how)
        return Partial(part.values.flip(1), part.lse.flip(1))
    if how.softcap is not None or not _has_kernel(queries):
        return Partial(*tiled.attend(queries, keys, values, shape, how.scale, how.softcap))
    if shape is Shape.FULL:
        return _unmasked(queries, keys, values, how.scale)
    return _causal(queries, keys, values, how.scale)


def _unmasked(queries: Tensor, keys: Tensor, values: Tensor, scale: float) -> Partial:
    """Let all heads of a group be rows of one, so that each key is read once."""
    num_kv_heads, head_dim = keys.shape[0], keys.shape[2]
    rows = queries.reshape(num_kv_heads, 1, -1, head_dim)  # (Hk, 1, G * L, D)
    out, lse = _kernel(rows, keys[:, None], values[:, None], scale, is_causal=False)
    return Partial(out.reshape(queries.shape), lse.reshape(queries.shape[:2]))


def _causal(queries: Tensor, keys: Tensor, values: Tensor, scale: float) -> Partial:
    num_kv_heads, length, head_dim = keys.shape
    grouped = queries.reshape(num_kv_heads, -1, length, head_dim)  # (Hk, G, L, D)
    shared = (num_kv_heads, grouped.shape[1], length, head_dim)
    each, its = keys[:, None].expand(shared), values[:, None].expand(shared)
    out, lse = _kernel(grouped, each, its, scale, is_causal=True)
    return Partial(out.reshape(queries.shape), lse.reshape(queries.shape[:2]))


def _has_kernel(queries: Tensor) -> bool:
    if queries.device.type == "cuda":
        return queries.dtype is not torch.float64 and queries.shape[-1] % 8 == 0
    return queries.device.type == "cpu"


def _kernel(
    queries: Tensor, keys: Tensor, values: Tensor, scale: float, *, is_causal: bool
) -> tuple[Tensor, Tensor]:
    """Call what torch's own scaled_dot_product_attention calls: it alone drops the log-sum-exp."""
    aten = torch.ops.aten
    if queries.device.type == "cpu":
        out, lse = aten._scaled_dot_product_flash_attention_for_cpu(  # noqa: SLF001
            queries, keys, values, 0.0, is_causal, scale=scale
        )
        return out, lse
    if queries.dtype is torch.float32:
        found = aten._scaled_dot_product_efficient_attention(  # noqa: SLF001
            queries, keys, values, None, True, 0.0, is_causal, scale=scale
        )
        return found[0], found[1][..., : queries.shape[2]]
    found = aten._scaled_dot_product_flash_attention(  # noqa: SLF001
        queries, keys, values, 0.0, is_causal, False, scale=scale
    )
    return found[0], found[1]
