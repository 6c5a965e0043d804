"""From scores to blocks, and the blocks that a layer looks at now, copied beside the model.

Blocks are chosen by a sum of the heads' scores or by their votes, for all heads or for each
key-value head. In a sum, one head with large logits decides for all. In a vote, each head spreads
one vote over the blocks by a softmax, so that a head that knows what it looks for is heard and one
that does not adds little to any block. Neighbours of a hit follow Fountas et al., EM-LLM,
https://arxiv.org/abs/2407.09450, section 3.3.
"""

import torch
from torch import Tensor

from lcagent.engine.attention import group_heads
from lcagent.engine.block_store import BlockStore
from lcagent.engine.config import KVCacheConfig


def choose_blocks(
    scores: Tensor, num_kv_heads: int, scale: float, config: KVCacheConfig, *, is_vote: bool
) -> list[list[int]]:
    """Return the blocks to look up, in order: one list for all heads, or one per key-value head.

    Args:
        scores: Of each head for each block, (H, blocks).
        scale: Of attention's logits: a vote is as sharp as attention is.

    A list has `looked_up_blocks`, or all blocks there are.
    """
    votes = torch.softmax(scores.float() * scale, dim=-1) if is_vote else scores  # (H, blocks)
    if config.is_per_head:
        votes = group_heads(votes, num_kv_heads).sum(1)  # (Hk, blocks)
    else:
        votes = votes.sum(0, keepdim=True)  # (1, blocks)
    count = min(config.looked_up_blocks, votes.shape[1])
    best = votes.topk(count, dim=1).indices.tolist()
    return [sorted(_with_neighbours(hits, votes.shape[1], config.neighbours)) for hits in best]


class BlockSelection:
    """Slots of looked-up blocks; keys and values (Hk, slots * block_tokens, D).

    A block that is chosen again stays in its slot: a query like the last one copies nothing.

    Attributes:
        is_in_order: Blocks must lie in the order of the text (LongHeads); slots move then.
        age: Decoded tokens since the blocks were chosen.
    """

    def __init__(self, slots: int, *, is_in_order: bool = False) -> None:
        self.slots = slots
        self.is_in_order = is_in_order
        self.age = 0
        self._blocks: list[list[int]] = []
        self._loaded: list[list[int]] = []
        self._keys = self._values = torch.empty(0)
        self._block_tokens = 0

    @property
    def blocks(self) -> list[list[int]]:
        """The block in each slot: one list for all heads, or one per key-value head."""
        return self._blocks

    @property
    def keys(self) -> Tensor:
        """Keys of the chosen blocks, at position 0."""
        return self._keys[:, : self._width()]

    @property
    def values(self) -> Tensor:
        """Values of the chosen blocks."""
        return self._values[:, : self._width()]

    def choose(self, chosen: list[list[int]]) -> None:
        """Choose other blocks, each list in order of the text; `load` then copies what is new."""
        if self.is_in_order or len(chosen) != len(self._blocks):
            self._blocks = chosen
        else:
            pairs = zip(self._blocks, chosen, strict=True)
            self._blocks = [_keep_slots(old, new) for old, new in pairs]
        self.age = 0

    def load(self, store: BlockStore, like: Tensor, block_tokens: int) -> None:
        """Copy chosen blocks that are not in their slots; `like` (Hk, n, D) has type and device.

        Choosing and copying are apart, since a fork takes over what was chosen but not what was
        loaded: its slots are filled here, when it first needs them. What is loaded is remembered
        block by block and head by head, because after a change of a few blocks, which is the rule
        while decoding, copying the others again would cost more than the attention itself where
        blocks are in the computer's memory or on disk.
        """
        if self._keys.dim() != 3:
            shape = (like.shape[0], self.slots * block_tokens, like.shape[2])
            self._keys, self._values = like.new_empty(shape), like.new_empty(shape)
            self._block_tokens = block_tokens
        is_shared = len(self._blocks) == 1
        for head, blocks in enumerate(self._blocks):
            loaded = self._loaded[head] if head < len(self._loaded) else []
            for slot, block in enumerate(blocks):
                if slot < len(loaded) and loaded[slot] == block:
                    continue
                part = slice(slot * block_tokens, (slot + 1) * block_tokens)
                if is_shared:
                    store.copy_into(block, self._keys[:, part], self._values[:, part])
                else:
                    keys, values = self._keys[head, part], self._values[head, part]
                    store.copy_into(block, keys, values, head)
        self._loaded = [list(blocks) for blocks in self._blocks]

    def fork(self) -> "BlockSelection":
        """Return the same choice; its blocks are copied when they are next needed."""
        copy = BlockSelection(self.slots, is_in_order=self.is_in_order)
        copy.restore(self._blocks, self.age)
        return copy

    def restore(self, blocks: list[list[int]], age: int) -> None:
        """Take over a choice with its slots, so that results stay the same to the last bit."""
        self._blocks, self.age = [list(row) for row in blocks], age

    def _width(self) -> int:
        return len(self._blocks[0]) * self._block_tokens if self._blocks else 0


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


def _keep_slots(old: list[int], new: list[int]) -> list[int]:
    """Return `new` in an order that leaves blocks of `old` in their slots."""
    wanted = set(new)
    placed = [block if block in wanted else None for block in old[: len(new)]]
    placed += [None] * (len(new) - len(placed))
    kept = {block for block in placed if block is not None}
    others = iter(block for block in new if block not in kept)
    return [block if block is not None else next(others) for block in placed]
