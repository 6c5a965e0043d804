"""Lookup by all keys: the highest dot product that a key of a block has with the query.

The most exact and the most expensive lookup, the yardstick for the others. It keeps a second copy
of the keys beside the model, as int8 with a scale per channel if asked to; `stored` does without
one where the blocks themselves are there.
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from lcagent.engine.attention.grouping import grouped
from lcagent.engine.lookups.rows import GrowingRows
from lcagent.engine.store.quantizing import quantize, restore
from lcagent.engine.store.slabs import BlockStore

BLOCKS_AT_ONCE = 256


@dataclass(slots=True)
class ExactKeys:
    """Keys of each block, rows of (num_kv_heads, tokens, head_dim)."""

    is_int8: bool = False
    num_scored_heads: int = 0
    is_vote: bool = True
    _keys: GrowingRows = field(default_factory=GrowingRows)
    _scales: GrowingRows = field(default_factory=GrowingRows)

    def add(self, keys: Tensor, received: Tensor) -> None:  # noqa: ARG002
        """Take in the keys of a block."""
        if self.is_int8:
            levels, scales = quantize(keys)
            self._keys.append(levels)
            self._scales.append(scales)
        else:
            self._keys.append(keys)

    def scores(self, query: Tensor, blocks: BlockStore) -> Tensor:  # noqa: ARG002
        """Return the highest q k of each block, some blocks at a time."""
        starts = range(0, len(self._keys), BLOCKS_AT_ONCE)
        best = [self._best(query, slice(start, start + BLOCKS_AT_ONCE)) for start in starts]
        return torch.cat(best, dim=1)

    def fork(self) -> "ExactKeys":
        """Return an index of the same blocks."""
        return ExactKeys(self.is_int8, _keys=self._keys.fork(), _scales=self._scales.fork())

    def state(self) -> dict[str, Tensor]:
        """Return the keys, and their scales if they have any."""
        tensors = {"keys": self._keys.rows}
        return tensors | ({"scales": self._scales.rows} if self.is_int8 else {})

    def restore(self, tensors: dict[str, Tensor], blocks: BlockStore) -> None:
        """Take keys over, from the blocks where none were saved (see `stored`)."""
        if "keys" not in tensors:
            for block in range(len(blocks)):
                keys = blocks.keys(block, blocks.dtype)
                self._keys.append(keys.to(blocks.allocator.device))
            return
        self._keys.adopt(tensors["keys"])
        if self.is_int8:
            self._scales.adopt(tensors["scales"])

    def _best(self, query: Tensor, blocks: slice) -> Tensor:
        keys = self._keys.rows[blocks]
        if self.is_int8:
            keys = restore(keys, self._scales.rows[blocks], torch.float32)
        return best_products(query, keys)


def best_products(query: Tensor, keys: Tensor) -> Tensor:
    """Return the highest q k of each block, (num_heads, blocks), float32.

    Shapes: query (num_heads, head_dim); keys (blocks, num_kv_heads, tokens, head_dim).
    """
    wide = keys.float()
    rows = grouped(query.float(), keys.shape[1])  # (Hk, G, D)
    if wide.is_contiguous():
        logits: Tensor = rows @ wide.transpose(-1, -2)  # (N, Hk, G, tokens)
        return logits.amax(-1).flatten(1).T
    # One product for all heads would copy keys that have values between them.
    best = [
        (row.expand(len(wide), -1, -1) @ of_head.transpose(1, 2)).amax(-1)  # (N, G)
        for row, of_head in zip(rows, wide.unbind(1), strict=True)
    ]
    return torch.cat(best, dim=1).T
