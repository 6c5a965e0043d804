"""Lookup by all keys: the highest dot product that a key of a block has with the query.

The most exact and the most expensive lookup, the yardstick for the others. Where the store's keys
are at hand (unquantised, on the device that computes: `block_store.are_keys_in_place`), they are
scored where they are. Elsewhere a second copy is kept beside the model, as int8 with a scale per
channel if asked to. Both give the same scores.
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from lcagent.engine.attention import group_heads
from lcagent.engine.block_store import BlockStore, quantize_int8, restore_int8
from lcagent.engine.lookups.block_index import GrowableTensor

BLOCKS_AT_ONCE = 256


@dataclass(slots=True)
class ExactIndex:
    """Keys of each block, rows of (Hk, tokens, D)."""

    is_int8: bool = False
    num_scored_heads: int = 0
    is_vote: bool = True
    _keys: GrowableTensor = field(default_factory=GrowableTensor)
    _scales: GrowableTensor = field(default_factory=GrowableTensor)

    def add(self, keys: Tensor, received: Tensor) -> None:  # noqa: ARG002
        """Take in the keys of a block."""
        if self.is_int8:
            levels, scales = quantize_int8(keys)
            self._keys.append(levels)
            self._scales.append(scales)
        else:
            self._keys.append(keys)

    def scores(self, query: Tensor, blocks: BlockStore) -> Tensor:  # noqa: ARG002
        """Return the highest q k of each block, some blocks at a time."""
        starts = range(0, len(self._keys), BLOCKS_AT_ONCE)
        best = [self._best(query, slice(start, start + BLOCKS_AT_ONCE)) for start in starts]
        return torch.cat(best, dim=1)

    def fork(self) -> "ExactIndex":
        """Return an index of the same blocks."""
        return ExactIndex(self.is_int8, _keys=self._keys.fork(), _scales=self._scales.fork())

    def state(self) -> dict[str, Tensor]:
        """Return the keys, and their scales if they have any."""
        tensors = {"keys": self._keys.rows}
        return tensors | ({"scales": self._scales.rows} if self.is_int8 else {})

    def restore(self, tensors: dict[str, Tensor], blocks: BlockStore) -> None:
        """Take keys over, from the blocks where none were saved (see `InPlaceKeyIndex`)."""
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
            keys = restore_int8(keys, self._scales.rows[blocks], torch.float32)
        return best_products(query, keys)


@dataclass(frozen=True, slots=True)
class InPlaceKeyIndex:
    """Scores keys where the store keeps them: it remembers nothing, so forks need no other."""

    num_scored_heads: int = 0
    is_vote: bool = True

    def add(self, keys: Tensor, received: Tensor) -> None:
        """Leave the keys to the store."""

    def scores(self, query: Tensor, blocks: BlockStore) -> Tensor:
        """Return the highest q k of each block, as many blocks at a time as lie together."""
        best = [best_products(query, states[:, 0]) for states, _ in blocks.spans()]
        return torch.cat(best, dim=1)

    def fork(self) -> "InPlaceKeyIndex":
        """Return itself."""
        return self

    def state(self) -> dict[str, Tensor]:
        """Return nothing: the blocks are saved by the store."""
        return {}

    def restore(self, tensors: dict[str, Tensor], blocks: BlockStore) -> None:
        """Take nothing over, also where a copy of the keys was saved."""


def best_products(query: Tensor, keys: Tensor) -> Tensor:
    """Return the highest q k of each block, (H, blocks), float32.

    Shapes: query (H, D); keys (blocks, Hk, tokens, D).
    """
    wide = keys.float()
    rows = group_heads(query.float(), keys.shape[1])  # (Hk, G, D)
    if wide.is_contiguous():
        logits: Tensor = rows @ wide.transpose(-1, -2)  # (N, Hk, G, tokens)
        return logits.amax(-1).flatten(1).T
    # One product for all heads would copy keys that have values between them.
    best = [
        (row.expand(len(wide), -1, -1) @ of_head.transpose(1, 2)).amax(-1)  # (N, G)
        for row, of_head in zip(rows, wide.unbind(1), strict=True)
    ]
    return torch.cat(best, dim=1).T
