"""Lookup by all keys without a copy of them: they are scored where the store keeps them.

The scores are those of `exact`. It can be used where the store's keys are at hand: unquantised, on
the device that computes; see `slabs.are_keys_at_hand`.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from lcagent.engine.lookups.exact import best_products
from lcagent.engine.store.slabs import BlockStore


@dataclass(frozen=True, slots=True)
class StoredKeys:
    """Remembers nothing itself, so that forks need no other."""

    num_scored_heads: int = 0
    is_vote: bool = True

    def add(self, keys: Tensor, received: Tensor) -> None:
        """Leave the keys to the store."""

    def scores(self, query: Tensor, blocks: BlockStore) -> Tensor:
        """Return the highest q k of each block, one run of blocks at a time."""
        best = [best_products(query, states[:, 0]) for states, _ in blocks.runs()]
        return torch.cat(best, dim=1)

    def fork(self) -> "StoredKeys":
        """Return itself."""
        return self

    def state(self) -> dict[str, Tensor]:
        """Return nothing: the blocks are saved by the store."""
        return {}

    def restore(self, tensors: dict[str, Tensor], blocks: BlockStore) -> None:
        """Take nothing over, also where a copy of the keys was saved."""
