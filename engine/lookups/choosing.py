"""From scores to blocks: by a sum of the heads' scores or by their votes, for all or per head.

In a sum, one head with large logits decides for all. In a vote, each head spreads one vote over
the blocks by a softmax, so that a head that knows what it looks for is heard and one that does not
adds little to any block. Neighbours of a hit follow Fountas et al., EM-LLM,
https://arxiv.org/abs/2407.09450, section 3.3.
"""

import torch
from torch import Tensor

from lcagent.engine.attention.grouping import grouped
from lcagent.engine.config import MemoryConfig


def choose_blocks(
    scores: Tensor, num_kv_heads: int, scale: float, config: MemoryConfig, *, is_vote: bool
) -> list[list[int]]:
    """Return the blocks to look up, in order: one list for all heads, or one per key-value head.

    Shapes: scores (num_heads, blocks). A list has `looked_up_blocks`, or all blocks there are.
    """
    votes = torch.softmax(scores.float() * scale, dim=-1) if is_vote else scores
    if config.is_per_head:
        votes = grouped(votes, num_kv_heads).sum(1)  # (Hk, N)
    else:
        votes = votes.sum(0, keepdim=True)
    count = min(config.looked_up_blocks, votes.shape[1])
    best = votes.topk(count, dim=1).indices.tolist()
    return [sorted(_with_neighbours(hits, votes.shape[1], config.neighbours)) for hits in best]


def _with_neighbours(hits: list[int], blocks: int, reach: int) -> list[int]:
    """Return as many blocks as there are hits: the best hits, each with its neighbours."""
    if reach == 0:
        return hits
    chosen: dict[int, None] = {}
    for hit in hits:
        for block in (
            hit,
            *(hit + step * side for step in range(1, reach + 1) for side in (1, -1)),
        ):
            if 0 <= block < blocks and len(chosen) < len(hits):
                chosen.setdefault(block)
    return list(chosen)
