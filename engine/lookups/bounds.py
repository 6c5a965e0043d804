"""Lookup by bounds: the highest dot product that any key of a block could have with the query.

Tang et al., Quest, https://arxiv.org/abs/2406.10774, section 3.3. Per block and key-value head, two
vectors are kept, the smallest and the largest value of each channel. Unlike Quest, which gives each
head pages of its own, the heads vote: see `block_selection`.
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from lcagent.engine.attention import group_heads
from lcagent.engine.block_store import BlockStore
from lcagent.engine.lookups.block_index import GrowableTensor


@dataclass(slots=True)
class BoundsIndex:
    """Bounds of each block, rows of (2, Hk, D), float32."""

    num_scored_heads: int = 0
    is_vote: bool = True
    _bounds: GrowableTensor = field(default_factory=GrowableTensor)

    def add(self, keys: Tensor, received: Tensor) -> None:  # noqa: ARG002
        """Take in the bounds of a block."""
        low, high = keys.float().aminmax(dim=1)
        self._bounds.append(torch.stack([low, high]))

    def scores(self, query: Tensor, blocks: BlockStore) -> Tensor:  # noqa: ARG002
        """Return the bounds on q k: what a channel adds is largest at one of its two ends."""
        low, high = self._bounds.rows.permute(1, 2, 3, 0)  # (Hk, D, N) each
        rows = group_heads(query.float(), low.shape[0])  # (Hk, G, D)
        best: Tensor = rows.clamp(min=0) @ high + rows.clamp(max=0) @ low
        return best.flatten(0, 1)

    def fork(self) -> "BoundsIndex":
        """Return an index of the same blocks."""
        return BoundsIndex(_bounds=self._bounds.fork())

    def state(self) -> dict[str, Tensor]:
        """Return the bounds."""
        return {"bounds": self._bounds.rows}

    def restore(self, tensors: dict[str, Tensor], blocks: BlockStore) -> None:  # noqa: ARG002
        """Take bounds over."""
        self._bounds.adopt(tensors["bounds"])
