"""The blocks of one layer, in slabs: tensors of shape (blocks, 2, num_kv_heads, tokens, head_dim).

Blocks never change once they are formed, so that forks share slabs. A slab is written by whoever
was first to need its next row; a fork that comes later starts a slab of its own.
"""

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from lcagent.engine.config import MemoryConfig
from lcagent.engine.store.places import Allocator
from lcagent.engine.store.quantizing import quantize, restore

SMALLEST_SLAB, LARGEST_SLAB = 4, 64


@dataclass(slots=True)
class Slab:
    """Room for blocks, and how many rows are taken, by any fork."""

    states: Tensor
    scales: Tensor | None
    taken: int = 0


@dataclass(slots=True)
class BlockStore:
    """Keys and values of the blocks of one layer, in order."""

    allocator: Allocator
    dtype: torch.dtype
    _slabs: list[Slab] = field(default_factory=list[Slab])
    _rows: list[tuple[Slab, int]] = field(default_factory=list[tuple[Slab, int]])

    def __len__(self) -> int:
        """Return the number of blocks."""
        return len(self._rows)

    def fork(self) -> "BlockStore":
        """Return a store of the same blocks; what is appended to one is not in the other."""
        return replace(self, _slabs=list(self._slabs), _rows=list(self._rows))

    def append(self, keys: Tensor, values: Tensor) -> None:
        """Add a block; keys and values (num_kv_heads, tokens, head_dim)."""
        states = torch.stack([keys, values])  # (2, Hk, tokens, D)
        slab, row = self._next_row(tuple(states.shape))
        if slab.scales is None:
            slab.states[row].copy_(states)
        else:
            levels, scales = quantize(states)
            slab.states[row].copy_(levels)
            slab.scales[row].copy_(scales)
        self._rows.append((slab, row))

    def keys(self, block: int, dtype: torch.dtype) -> Tensor:
        """Return the keys of a block, (num_kv_heads, tokens, head_dim), where they are kept."""
        return self._read(block, 0, slice(None), dtype)

    def copy_into(self, block: int, keys: Tensor, values: Tensor, head: int | None = None) -> None:
        """Copy a block, or what one key-value head has of it, into tensors beside the model.

        Shapes: keys and values (num_kv_heads, tokens, head_dim), or (tokens, head_dim) of one head.
        """
        heads = slice(None) if head is None else head
        keys.copy_(self._read(block, 0, heads, keys.dtype), non_blocking=True)
        values.copy_(self._read(block, 1, heads, values.dtype), non_blocking=True)

    def runs(self) -> list[tuple[Tensor, Tensor | None]]:
        """Return all blocks as they are kept, in views of as many as lie together.

        Shapes: states (blocks, 2, num_kv_heads, tokens, head_dim); scales, if any, likewise.
        """
        spans: list[tuple[Slab, int, int]] = []
        for slab, row in self._rows:
            if spans and spans[-1][0] is slab and spans[-1][2] == row:
                spans[-1] = (slab, spans[-1][1], row + 1)
            else:
                spans.append((slab, row, row + 1))
        return [
            (slab.states[low:high], None if slab.scales is None else slab.scales[low:high])
            for slab, low, high in spans
        ]

    def adopt(self, states: Tensor, scales: Tensor | None) -> None:
        """Add blocks that `runs` gave, without copying them."""
        slab = Slab(states, scales, taken=len(states))
        self._slabs.append(slab)
        self._rows += [(slab, row) for row in range(len(states))]

    def _read(self, block: int, part: int, heads: slice | int, dtype: torch.dtype) -> Tensor:
        slab, row = self._rows[block]
        states = slab.states[row, part, heads]
        if slab.scales is None:
            return states
        return restore(states, slab.scales[row, part, heads], dtype)

    def _next_row(self, shape: tuple[int, ...]) -> tuple[Slab, int]:
        """Take the row after our last one, in a slab of our own if a fork has taken it."""
        last = self._rows[-1] if self._rows else None
        if last is None or last[1] + 1 != last[0].taken or last[0].taken == len(last[0].states):
            self._slabs.append(self._new_slab(shape))
        slab = self._slabs[-1]
        slab.taken += 1
        return slab, slab.taken - 1

    def _new_slab(self, shape: tuple[int, ...]) -> Slab:
        blocks = min(LARGEST_SLAB, max(SMALLEST_SLAB, len(self._rows)))
        states = self.allocator.zeros((blocks, *shape), self.dtype)
        scales = None
        if self.dtype is torch.int8:
            scales = self.allocator.zeros((blocks, *shape[:2], 1, shape[3]), torch.float32)
        return Slab(states, scales)


def store_dtype(config: MemoryConfig, model_dtype: torch.dtype) -> torch.dtype:
    """Return the type that blocks are kept in."""
    named = {"bfloat16": torch.bfloat16, "float32": torch.float32, "int8": torch.int8}
    return named.get(config.store_dtype, model_dtype)
