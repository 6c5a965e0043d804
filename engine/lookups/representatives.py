"""Lookup by representative tokens: the paper's.

Xiao et al., InfLLM, https://arxiv.org/abs/2402.04617, section 3.2, as its released code does it:
of each block and query head, the keys that received most attention while they were in the window,
and of these the mean, which gives the same sum of dot products up to a factor. The paper adds the
heads' scores up; a vote of the heads is the other choice.
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from lcagent.engine.attention import group_heads
from lcagent.engine.block_store import BlockStore
from lcagent.engine.lookups.block_index import GrowableTensor


@dataclass(slots=True)
class RepresentativeIndex:
    """Mean representative key of each block, rows of (H, D), float32."""

    num_scored_heads: int
    count: int
    is_vote: bool = False
    _means: GrowableTensor = field(default_factory=GrowableTensor)

    def add(self, keys: Tensor, received: Tensor) -> None:
        """Take in a block by its most attended keys."""
        wide = keys.double() if keys.element_size() == 8 else keys.float()
        best = received.topk(self.count, dim=1).indices  # (H, r)
        heads = group_heads(best, keys.shape[0])  # (Hk, G, r)
        chosen = [head[group] for head, group in zip(wide, heads, strict=True)]  # (G, r, D) each
        means = [keys_of_head.mean(1) for keys_of_head in chosen]
        self._means.append(torch.cat(means))

    def scores(self, query: Tensor, blocks: BlockStore) -> Tensor:  # noqa: ARG002
        """Return the mean dot product with the representatives."""
        means = self._means.rows.transpose(0, 1)  # (H, N, D)
        return (means @ query.to(means.dtype)[:, :, None])[..., 0]

    def fork(self) -> "RepresentativeIndex":
        """Return an index of the same blocks."""
        return RepresentativeIndex(
            self.num_scored_heads, self.count, self.is_vote, self._means.fork()
        )

    def state(self) -> dict[str, Tensor]:
        """Return the means."""
        return {"means": self._means.rows}

    def restore(self, tensors: dict[str, Tensor], blocks: BlockStore) -> None:  # noqa: ARG002
        """Take means over."""
        self._means.adopt(tensors["means"])
