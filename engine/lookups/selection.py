"""The blocks that a layer looks at now, copied beside the model.

A block that is chosen again stays where it is: a query like the last one copies nothing.
"""

import torch
from torch import Tensor

from lcagent.engine.store.slabs import BlockStore


class Selection:
    """Slots of looked-up blocks; keys and values (num_kv_heads, slots * block_tokens, head_dim)."""

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
        """Keys of the chosen blocks, as they are stored."""
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
            self._blocks = [_keep_places(old, new) for old, new in pairs]
        self.age = 0

    def load(self, store: BlockStore, like: Tensor, block_tokens: int) -> None:
        """Copy chosen blocks that are not in their slots; `like` (num_kv_heads, n, head_dim)."""
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

    def fork(self) -> "Selection":
        """Return the same choice; its blocks are copied when they are next needed."""
        copy = Selection(self.slots, is_in_order=self.is_in_order)
        copy.restore(self._blocks, self.age)
        return copy

    def restore(self, blocks: list[list[int]], age: int) -> None:
        """Take over a choice with its places, so that results stay the same to the last bit."""
        self._blocks, self.age = [list(row) for row in blocks], age

    def _width(self) -> int:
        return len(self._blocks[0]) * self._block_tokens if self._blocks else 0


def _keep_places(old: list[int], new: list[int]) -> list[int]:
    """Return `new` in an order that leaves blocks of `old` in their slots."""
    wanted = set(new)
    placed = [block if block in wanted else None for block in old[: len(new)]]
    placed += [None] * (len(new) - len(placed))
    kept = {block for block in placed if block is not None}
    others = iter(block for block in new if block not in kept)
    return [block if block is not None else next(others) for block in placed]
