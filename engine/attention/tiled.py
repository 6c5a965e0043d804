"""Attention in plain matrix products, for what no kernel does: capped logits, any device, any type.

Keys are taken a tile at a time with a running maximum (Milakov and Gimelshein,
https://arxiv.org/abs/1805.02867), so that memory stays small.
"""

import torch
from torch import Tensor

from lcagent.engine.attention.grouping import grouped
from lcagent.engine.attention.patches import Shape

TILE = 1024


def attend(
    queries: Tensor, keys: Tensor, values: Tensor, shape: Shape, scale: float, softcap: float | None
) -> tuple[Tensor, Tensor]:
    """Return attention (num_heads, q_len, head_dim) and log-sum-exp (num_heads, q_len).

    Shapes: queries (num_heads, q_len, head_dim); keys, values (num_kv_heads, k_len, head_dim).
    """
    rows = grouped(queries, keys.shape[0])  # (Hk, G, L, D)
    wide = torch.promote_types(queries.dtype, torch.float32)
    highest = torch.full(rows.shape[:3], -torch.inf, dtype=wide, device=queries.device)
    total, summed = torch.zeros_like(highest), torch.zeros(rows.shape, dtype=wide).to(highest)
    for start in range(0, keys.shape[1], TILE):
        logits = tile_logits(rows, keys, start, shape, scale, softcap)
        now = torch.maximum(highest, logits.amax(-1))
        weights = torch.exp(logits - now[..., None])  # (Hk, G, L, tile)
        kept = torch.exp(highest - now)
        tile = values[:, None, start : start + TILE].to(wide)
        total = total * kept + weights.sum(-1)
        summed = summed * kept[..., None] + weights @ tile
        highest = now
    lse = highest + total.log()
    return (summed / total[..., None]).to(queries.dtype).flatten(0, 1), lse.flatten(0, 1)


def tile_logits(
    rows: Tensor, keys: Tensor, start: int, shape: Shape, scale: float, softcap: float | None
) -> Tensor:
    """Return the logits of one tile of keys, shape (num_kv_heads, group, q_len, tile), float32.

    Row i of a CAUSAL patch sees keys up to i, row i of an ANTI patch those from i.
    """
    tile = keys[:, None, start : start + TILE]
    wide = torch.promote_types(rows.dtype, torch.float32)
    logits = (rows @ tile.transpose(-1, -2)).to(wide) * scale
    if softcap is not None:
        logits = softcap * torch.tanh(logits / softcap)
    if shape is Shape.FULL:
        return logits
    row = torch.arange(rows.shape[2], device=rows.device)[:, None]
    column = torch.arange(start, start + tile.shape[2], device=rows.device)[None]
    hidden = column > row if shape is Shape.CAUSAL else column < row
    return logits.masked_fill(hidden, -torch.inf)
