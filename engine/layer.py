"""What one layer remembers of one text, and how a chunk of queries attends to it.

Up to `plain_tokens` the layer does what the model itself does. Then each query sees its window at
true distances, and of what left the window as much as the policy shows it. Every token is seen
at most once: the paper's released code lets the first queries of a chunk see some tokens twice.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from lcagent.engine.attention.merging import Merger
from lcagent.engine.attention.partial import Scoring, attend
from lcagent.engine.attention.patches import Patch, window_patches
from lcagent.engine.attention.received import received
from lcagent.engine.config import MemoryConfig
from lcagent.engine.lookups.make import make_index
from lcagent.engine.lookups.selection import Selection
from lcagent.engine.policies.base import Policy
from lcagent.engine.policies.make import make_policy
from lcagent.engine.rotation import Rotation
from lcagent.engine.store.places import Allocator
from lcagent.engine.store.slabs import BlockStore, store_dtype
from lcagent.engine.tail import Tail, TailSizes


@dataclass(frozen=True, slots=True)
class LayerShape:
    """What a layer's memory must know of its layer.

    Attributes:
        sliding_window: Of a layer that sees no further by itself; None for the others.
    """

    num_heads: int
    head_dim: int
    sliding_window: int | None = None


class LayerMemory:
    """Init tokens, blocks and tail of one text in one layer.

    Attributes:
        length: Tokens read so far.
        init_keys, init_values: First tokens once they left the tail, at position 0,
            (num_kv_heads, init_tokens, head_dim).
    """

    def __init__(
        self,
        config: MemoryConfig,
        shape: LayerShape,
        rotation: Rotation,
        allocator: Allocator,
        dtype: torch.dtype,
    ) -> None:
        policy = make_policy(config, shape.sliding_window)
        self.config, self.shape, self.rotation = config, shape, rotation
        self.policy: Policy = policy
        self.length = 0
        self.index = make_index(config, shape.num_heads, allocator.device, dtype)
        scored = self.index.num_scored_heads if policy.has_blocks else 0
        sizes = TailSizes(policy.window_tokens, policy.positions)
        rotation.prepare(min(sizes.positions, 1 << 20) if policy.is_bounded else 1)
        self.tail = Tail(sizes, rotation, scored)
        self.init_keys = self.init_values = torch.empty(0)
        self.store = BlockStore(allocator, store_dtype(config, dtype))
        slots = config.looked_up_blocks
        self.selection = Selection(slots, is_in_order=policy.is_in_order)

    def attend(self, queries: Tensor, keys: Tensor, values: Tensor, how: Scoring) -> Tensor:
        """Read a chunk and return its attention, (num_heads, q_len, head_dim).

        Shapes: queries (num_heads, q_len, head_dim); keys and values (num_kv_heads, q_len,
        head_dim), un-rotated.
        """
        plain = self.policy.plain_tokens - self.length
        if not 0 < plain < queries.shape[1]:
            return self._attend(queries, keys, values, how)
        parts = [
            self._attend(queries[:, part], keys[:, part], values[:, part], how)
            for part in (slice(plain), slice(plain, None))
        ]
        return torch.cat(parts, dim=1)

    def fork(self) -> "LayerMemory":
        """Return a memory that goes on on its own; it shares blocks and copies the tail."""
        copy = object.__new__(LayerMemory)
        copy.config, copy.policy, copy.rotation = self.config, self.policy, self.rotation
        copy.shape = self.shape
        copy.length = self.length
        copy.index, copy.store = self.index.fork(), self.store.fork()
        copy.tail, copy.selection = self.tail.fork(), self.selection.fork()
        copy.init_keys, copy.init_values = self.init_keys, self.init_values
        return copy

    def take_from(self, other: "LayerMemory", count: int) -> None:
        """Take the last `count` tokens of another memory over, at the positions they have there."""
        tail, start = other.tail, len(other.tail) - count
        self.tail.append_rotated(
            tail.keys[:, start:], tail.rotated[:, start:], tail.values[:, start:]
        )
        self.length += count

    def fill_init(self) -> None:
        """Take the first tokens out of the tail, once it is longer than window and init."""
        count = self.config.init_tokens
        if self.init_keys.dim() == 3 or self.policy.init_tokens == 0:
            return
        self.init_keys = self.rotation.still(self.tail.keys[:, :count]).clone()
        self.init_values = self.tail.values[:, :count].clone()
        self.tail.drop(count)

    def form_blocks(self) -> None:
        """Make blocks of the oldest tokens of the tail, as long as it keeps the window."""
        size = self.config.block_tokens
        while len(self.tail) - size >= self.config.window_tokens:
            keys = self.rotation.still(self.tail.keys[:, :size])
            self.store.append(keys, self.tail.values[:, :size])
            self.index.add(keys, self.tail.received[:, :size])
            self.tail.drop(size)

    def _attend(self, queries: Tensor, keys: Tensor, values: Tensor, how: Scoring) -> Tensor:
        count = queries.shape[1]
        first = self.tail.append(keys, values)
        self.length += count
        is_plain = self.length <= self.policy.plain_tokens
        window = len(self.tail) if is_plain else min(self.policy.window_tokens, len(self.tail))
        near = self.rotation.rotate(queries, self.tail.position(first))
        patches = window_patches(first, first + count, 0, window)
        merger = Merger()
        for patch in patches:
            self._see(patch, near, first, how, merger)
        if not is_plain:
            self.policy.see_distant(self, queries, first, how, merger)
        out, lse = merger.finish(how.sinks)
        if self.index.num_scored_heads and self.policy.has_blocks:
            self._count_received(patches, near, first, lse, how)
        if self.length >= self.policy.plain_tokens:
            self.policy.settle(self)
        return out

    def _see(self, patch: Patch, near: Tensor, first: int, how: Scoring, merger: Merger) -> None:
        keys = self.tail.rotated[:, patch.left : patch.right]
        values = self.tail.values[:, patch.left : patch.right]
        rows = near[:, patch.top - first : patch.bottom - first]
        part = attend(rows, keys, values, patch.shape, how)
        merger.add(part, patch.top - first, near.shape[1])

    def _count_received(
        self, patches: list[Patch], near: Tensor, first: int, lse: Tensor, how: Scoring
    ) -> None:
        for patch in patches:
            rows = slice(patch.top - first, patch.bottom - first)
            keys = self.tail.rotated[:, patch.left : patch.right]
            shares = received(near[:, rows], keys, lse[:, rows], patch.shape, how)
            self.tail.received[:, patch.left : patch.right] += shares
