"""How much attention keys received: what the paper's lookup chooses representative tokens by.

Xiao et al., section 3.2, means dot products with later queries; the released code sums
probabilities, those of the key's own query among them. This follows the code.
"""

import torch
from torch import Tensor

from lcagent.engine.attention import tiled
from lcagent.engine.attention.grouping import grouped
from lcagent.engine.attention.partial import Scoring
from lcagent.engine.attention.patches import Shape


def received(queries: Tensor, keys: Tensor, lse: Tensor, shape: Shape, how: Scoring) -> Tensor:
    """Return the probability that each key received from these queries, summed over them.

    Shapes: queries (num_heads, q_len, head_dim); keys (num_kv_heads, k_len, head_dim); lse, over
    all that the queries see, (num_heads, q_len); the result (num_heads, k_len), float32.
    """
    rows = grouped(queries, keys.shape[0])  # (Hk, G, L, D)
    total = grouped(lse, keys.shape[0])[..., None]  # (Hk, G, L, 1)
    tiles: list[Tensor] = []
    for start in range(0, keys.shape[1], tiled.TILE):
        logits = tiled.tile_logits(rows, keys, start, shape, how.scale, how.softcap)
        tiles.append(torch.exp(logits - total).sum(2).flatten(0, 1))  # (H, tile)
    return torch.cat(tiles, dim=1)
