"""The blocks of one layer, in slabs: tensors of shape (blocks, 2, num_kv_heads, tokens, head_dim).

Blocks never change once they are formed, so that forks share slabs. A slab is written by whoever
was first to need its next row; a fork that comes later starts a slab of its own.
"""

from bisect import bisect_right
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from lcagent.engine.config import MemoryConfig
from lcagent.engine.store.places import Allocator
from lcagent.engine.store.quantizing import quantize, restore

SMALLEST_SLAB = 4
LARGEST_SLAB_TOKENS = 8192


@dataclass(slots=True)
class Slab:
    """Room for blocks, and how many rows are taken, by any fork."""

    states: Tensor
    scales: Tensor | None
    taken: int = 0


@dataclass(frozen=True, slots=True)
class Run:
    """Blocks that lie together: from block `first` on, rows `low` to `high` of a slab."""

    slab: Slab
    low: int
    high: int
    first: int


@dataclass(slots=True)
class BlockStore:
    """Keys and values of the blocks of one layer, in order."""

    allocator: Allocator
    dtype: torch.dtype
    _runs: list[Run] = field(default_factory=list[Run])

    def __len__(self) -> int:
        """Return the number of blocks."""
        last = self._runs[-1] if self._runs else None
        return 0 if last is None else last.first + last.high - last.low

    def fork(self) -> "BlockStore":
        """Return a store of the same blocks; what is appended to one is not in the other."""
        return replace(self, _runs=list(self._runs))

    def append(self, keys: Tensor, values: Tensor) -> None:
        """Add a block; keys and values (num_kv_heads, tokens, head_dim)."""
        states = torch.stack([keys, values])  # (2, Hk, tokens, D)
        run = self._take_row(tuple(states.shape))
        slab, row = run.slab, run.high - 1
        if slab.scales is None:
            slab.states[row].copy_(states)
        else:
            levels, scales = quantize(states)
            slab.states[row].copy_(levels)
            slab.scales[row].copy_(scales)

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
        return [
            (
                run.slab.states[run.low : run.high],
                None if run.slab.scales is None else run.slab.scales[run.low : run.high],
            )
            for run in self._runs
        ]

    def adopt(self, states: Tensor, scales: Tensor | None) -> None:
        """Add blocks that `runs` gave, without copying them."""
        slab = Slab(states, scales, taken=len(states))
        self._runs.append(Run(slab, 0, len(states), len(self)))

    def _read(self, block: int, part: int, heads: slice | int, dtype: torch.dtype) -> Tensor:
        run = self._runs[bisect_right(self._runs, block, key=lambda run: run.first) - 1]
        slab, row = run.slab, run.low + block - run.first
        states = slab.states[row, part, heads]
        if slab.scales is None:
            return states
        return restore(states, slab.scales[row, part, heads], dtype)

    def _take_row(self, shape: tuple[int, ...]) -> Run:
        """Take the row after our last one, in a slab of our own if a fork has taken it."""
        last = self._runs[-1] if self._runs else None
        if last is None or last.high != last.slab.taken or last.high == len(last.slab.states):
            self._runs.append(Run(self._new_slab(shape), 0, 1, len(self)))
        else:
            self._runs[-1] = replace(last, high=last.high + 1)
        self._runs[-1].slab.taken += 1
        return self._runs[-1]

    def _new_slab(self, shape: tuple[int, ...]) -> Slab:
        largest = max(1, LARGEST_SLAB_TOKENS // shape[2])
        blocks = min(largest, max(SMALLEST_SLAB, len(self)))
        states = self.allocator.zeros((blocks, *shape), self.dtype)
        scales = None
        if self.dtype is torch.int8:
            scales = self.allocator.zeros((blocks, *shape[:2], 1, shape[3]), torch.float32)
        return Slab(states, scales)


def store_dtype(config: MemoryConfig, model_dtype: torch.dtype) -> torch.dtype:
    """Return the type that blocks are kept in."""
    named = {"bfloat16": torch.bfloat16, "float32": torch.float32, "int8": torch.int8}
    return named.get(config.store_dtype, model_dtype)


def are_keys_at_hand(config: MemoryConfig, device: torch.device, model_dtype: torch.dtype) -> bool:
    """Return whether blocks keep their keys as they were, on the device that computes."""
    is_here = config.place == "device" or (config.place == "cpu" and device.type == "cpu")
    return is_here and store_dtype(config, model_dtype) is model_dtype
