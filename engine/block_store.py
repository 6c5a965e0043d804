"""The blocks of one layer: keys and values that left the window, beside the model or elsewhere.

Blocks lie in slabs, tensors of shape (blocks, 2, Hk, block_tokens, D). They never change once they
are formed, so forks share slabs. A slab is written by whoever was first to need its next row; a
fork that comes later starts a slab of its own.

As int8, a block has one scale per channel. Keys have channels that are large throughout a text
(Liu et al., KIVI, https://arxiv.org/abs/2402.02750, section 3), so that little of them is lost.
"""

import os
import tempfile
from bisect import bisect_right
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import Tensor

from lcagent.engine.config import BlockPlace, KVCacheConfig
from lcagent.errors import StorageError

SMALLEST_SLAB = 4
LARGEST_SLAB_TOKENS = 8192
INT8_LEVELS = 127


@dataclass(frozen=True, slots=True)
class Allocator:
    """Makes tensors that hold zeros: on the model's device, in memory, or in a mapped file.

    Attributes:
        folder: Where mapped files are made; None for where temporary files go.
    """

    place: BlockPlace
    device: torch.device
    folder: Path | None = None

    def zeros(self, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
        """Return a tensor of zeros.

        Raises:
            StorageError: The disk is full or cannot be written.
        """
        if self.place == "device":
            return torch.zeros(shape, dtype=dtype, device=self.device)
        if self.place == "disk":
            return self._mapped(shape, dtype)
        # Copies to a GPU run beside the computation from pinned memory only.
        return torch.zeros(shape, dtype=dtype, pin_memory=self.device.type == "cuda")

    def _mapped(self, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
        """Map a file without a name: its space is free again when the tensor is."""
        count = torch.Size(shape).numel()
        try:
            number, name = tempfile.mkstemp(".slab", "lcagent-", self.folder)
            try:
                # Taken now, as a full disk behind a mapped file would kill the process later.
                os.posix_fallocate(number, 0, count * dtype.itemsize)
                return torch.from_file(name, shared=True, size=count, dtype=dtype).view(shape)
            finally:
                os.close(number)
                Path(name).unlink()
        except (OSError, RuntimeError) as error:
            raise StorageError(f"a memory cannot be kept on this disk: {error}") from error


@dataclass(slots=True)
class Slab:
    """Room for blocks, and how many rows are taken, by any fork."""

    states: Tensor
    scales: Tensor | None
    taken: int = 0


@dataclass(frozen=True, slots=True)
class BlockSpan:
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
    _spans: list[BlockSpan] = field(default_factory=list[BlockSpan])

    def __len__(self) -> int:
        """Return the number of blocks."""
        last = self._spans[-1] if self._spans else None
        return 0 if last is None else last.first + last.high - last.low

    def fork(self) -> "BlockStore":
        """Return a store of the same blocks; what is appended to one is not in the other."""
        return replace(self, _spans=list(self._spans))

    def append(self, keys: Tensor, values: Tensor) -> None:
        """Add a block; keys and values (Hk, block_tokens, D)."""
        states = torch.stack([keys, values])  # (2, Hk, block_tokens, D)
        span = self._take_row(tuple(states.shape))
        slab, row = span.slab, span.high - 1
        if slab.scales is None:
            slab.states[row].copy_(states)
        else:
            levels, scales = quantize_int8(states)
            slab.states[row].copy_(levels)
            slab.scales[row].copy_(scales)

    def keys(self, block: int, dtype: torch.dtype) -> Tensor:
        """Return the keys of a block, (Hk, block_tokens, D), where they are kept."""
        return self._read(block, 0, slice(None), dtype)

    def copy_into(self, block: int, keys: Tensor, values: Tensor, head: int | None = None) -> None:
        """Copy a block, or what one key-value head has of it, into tensors beside the model.

        Shapes: keys and values (Hk, block_tokens, D), or (block_tokens, D) of one head.
        """
        heads = slice(None) if head is None else head
        keys.copy_(self._read(block, 0, heads, keys.dtype), non_blocking=True)
        values.copy_(self._read(block, 1, heads, values.dtype), non_blocking=True)

    def spans(self) -> list[tuple[Tensor, Tensor | None]]:
        """Return all blocks as they are kept, in views of as many as lie together.

        Shapes: states (blocks, 2, Hk, block_tokens, D); scales, if any, (blocks, 2, Hk, 1, D).
        """
        return [
            (
                span.slab.states[span.low : span.high],
                None if span.slab.scales is None else span.slab.scales[span.low : span.high],
            )
            for span in self._spans
        ]

    def adopt(self, states: Tensor, scales: Tensor | None) -> None:
        """Add blocks that `spans` gave, without copying them."""
        slab = Slab(states, scales, taken=len(states))
        self._spans.append(BlockSpan(slab, 0, len(states), len(self)))

    def _read(self, block: int, part: int, heads: slice | int, dtype: torch.dtype) -> Tensor:
        span = self._spans[bisect_right(self._spans, block, key=lambda span: span.first) - 1]
        slab, row = span.slab, span.low + block - span.first
        states = slab.states[row, part, heads]
        if slab.scales is None:
            return states
        return restore_int8(states, slab.scales[row, part, heads], dtype)

    def _take_row(self, shape: tuple[int, ...]) -> BlockSpan:
        """Take the row after our last one, in a slab of our own if a fork has taken it."""
        last = self._spans[-1] if self._spans else None
        if last is None or last.high != last.slab.taken or last.high == len(last.slab.states):
            self._spans.append(BlockSpan(self._new_slab(shape), 0, 1, len(self)))
        else:
            self._spans[-1] = replace(last, high=last.high + 1)
        self._spans[-1].slab.taken += 1
        return self._spans[-1]

    def _new_slab(self, shape: tuple[int, ...]) -> Slab:
        """Return a slab as large as what there is, within limits: a text grows by doublings."""
        largest = max(1, LARGEST_SLAB_TOKENS // shape[2])
        blocks = min(largest, max(SMALLEST_SLAB, len(self)))
        states = self.allocator.zeros((blocks, *shape), self.dtype)
        scales = None
        if self.dtype is torch.int8:
            scales = self.allocator.zeros((blocks, *shape[:2], 1, shape[3]), torch.float32)
        return Slab(states, scales)


def block_dtype(config: KVCacheConfig, model_dtype: torch.dtype) -> torch.dtype:
    """Return the type that blocks are kept in."""
    named = {"bfloat16": torch.bfloat16, "float32": torch.float32, "int8": torch.int8}
    return named.get(config.store_dtype, model_dtype)


def are_keys_in_place(
    config: KVCacheConfig, device: torch.device, model_dtype: torch.dtype
) -> bool:
    """Return whether blocks keep their keys as they were, on the device that computes."""
    is_here = config.place == "device" or (config.place == "cpu" and device.type == "cpu")
    return is_here and block_dtype(config, model_dtype) is model_dtype


def quantize_int8(states: Tensor) -> tuple[Tensor, Tensor]:
    """Return int8 levels like `states` (..., tokens, D) and scales (..., 1, D)."""
    wide = states.float()
    scales = wide.abs().amax(-2, keepdim=True) / INT8_LEVELS
    safe = torch.where(scales == 0, 1.0, scales)  # a channel of zeros
    return (wide / safe).round().to(torch.int8), scales


def restore_int8(levels: Tensor, scales: Tensor, dtype: torch.dtype) -> Tensor:
    """Return the states again, each off by half a scale at most."""
    return (levels.float() * scales).to(dtype)
