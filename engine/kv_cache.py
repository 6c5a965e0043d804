"""The KV cache of one text: init tokens, blocks and window of each layer, and attention over them.

Up to `plain_tokens` a layer does what the model itself does. Then each query sees its window at
true distances, and of what left the window as much as the policy shows it. Every token is seen
at most once: InfLLM's released code lets the first queries of a chunk see some tokens twice.
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from lcagent.engine.attention import (
    AttentionParams,
    Patch,
    SoftmaxMerger,
    attend,
    attention_received,
    window_patches,
)
from lcagent.engine.block_store import Allocator, BlockStore, block_dtype
from lcagent.engine.config import KVCacheConfig
from lcagent.engine.lookups.block_selection import BlockSelection
from lcagent.engine.lookups.make_index import make_index
from lcagent.engine.policies.make_policy import make_policy
from lcagent.engine.policies.policy import Policy
from lcagent.engine.rope import Rotation
from lcagent.engine.window_cache import WindowKVCache, WindowSizes


@dataclass(frozen=True, slots=True)
class LayerDims:
    """What a layer's cache must know of its layer.

    Attributes:
        sliding_window: Of a layer that sees no further by itself; None for the others.
    """

    num_heads: int
    head_dim: int
    sliding_window: int | None = None


@dataclass(slots=True, eq=False)
class KVCache:
    """What all layers keep of one text; a layer's part is made when it is first prefilled."""

    config: KVCacheConfig
    allocator: Allocator
    layers: "dict[int, LayerKVCache]" = field(default_factory=dict[int, "LayerKVCache"])

    def fork(self) -> "KVCache":
        """Return an independent copy: blocks are shared, windows are copied."""
        layers = {number: layer.fork() for number, layer in self.layers.items()}
        return KVCache(self.config, self.allocator, layers)

    def move_growth_to(self, allocator: Allocator) -> None:
        """Keep what is still to be read in another place; what is there stays where it is."""
        self.allocator = allocator
        for layer in self.layers.values():
            layer.store.allocator = allocator


class LayerKVCache:
    """Init tokens, blocks and window of one text in one layer.

    Attributes:
        length: Tokens read so far.
        init_keys, init_values: First tokens once they left the window, at position 0,
            (Hk, init_tokens, D); of no dimension before.
    """

    def __init__(
        self,
        config: KVCacheConfig,
        dims: LayerDims,
        rotation: Rotation,
        allocator: Allocator,
        dtype: torch.dtype,
    ) -> None:
        policy = make_policy(config, dims.sliding_window)
        self.config, self.dims, self.rotation = config, dims, rotation
        self.policy: Policy = policy
        self.length = 0
        self.index = make_index(config, dims.num_heads, allocator.device, dtype)
        scored = self.index.num_scored_heads if policy.has_blocks else 0
        sizes = WindowSizes(policy.window_tokens, policy.positions)
        rotation.prepare(min(sizes.positions, 1 << 20) if policy.is_bounded else 1)
        self.window = WindowKVCache(sizes, rotation, scored)
        self.init_keys = self.init_values = torch.empty(0)
        self.store = BlockStore(allocator, block_dtype(config, dtype))
        slots = config.looked_up_blocks
        self.selection = BlockSelection(slots, is_in_order=policy.is_in_order)

    def attend(
        self, queries: Tensor, keys: Tensor, values: Tensor, params: AttentionParams
    ) -> Tensor:
        """Take a chunk in and return its attention, (H, L, D).

        Shapes: queries (H, L, D); keys and values (Hk, L, D), un-rotated.
        """
        # Policies treat a chunk as a whole, so one that crosses the limit is cut there: its first
        # tokens still see all, and results do not depend on where chunks end.
        plain = self.policy.plain_tokens - self.length
        if not 0 < plain < queries.shape[1]:
            return self._attend(queries, keys, values, params)
        parts = [
            self._attend(queries[:, part], keys[:, part], values[:, part], params)
            for part in (slice(plain), slice(plain, None))
        ]
        return torch.cat(parts, dim=1)

    def fork(self) -> "LayerKVCache":
        """Return an independent copy: blocks are shared, the window is copied."""
        copy = object.__new__(LayerKVCache)
        copy.config, copy.policy, copy.rotation = self.config, self.policy, self.rotation
        copy.dims = self.dims
        copy.length = self.length
        copy.index, copy.store = self.index.fork(), self.store.fork()
        copy.window, copy.selection = self.window.fork(), self.selection.fork()
        copy.init_keys, copy.init_values = self.init_keys, self.init_values
        return copy

    def _attend(
        self, queries: Tensor, keys: Tensor, values: Tensor, params: AttentionParams
    ) -> Tensor:
        count = queries.shape[1]
        first = self.window.append(keys, values)
        self.length += count
        is_plain = self.length <= self.policy.plain_tokens
        window = len(self.window) if is_plain else min(self.policy.window_tokens, len(self.window))
        # Queries have the positions of their own keys; the origin that `append` may have moved is
        # the same for both.
        near = self.rotation.rotate(queries, self.window.position(first))  # (H, L, D)
        patches = window_patches(first, first + count, 0, window)
        merger = SoftmaxMerger()
        for patch in patches:
            self._attend_patch(patch, near, first, params, merger)
        if not is_plain:
            self.policy.attend_distant(self, queries, first, params, merger)
        out, lse = merger.finish(params.sinks)
        if self.index.num_scored_heads and self.policy.has_blocks:
            self._count_received(patches, near, first, lse, params)
        if self.length >= self.policy.plain_tokens:
            self._evict()
        return out

    def _attend_patch(
        self, patch: Patch, near: Tensor, first: int, params: AttentionParams, merger: SoftmaxMerger
    ) -> None:
        keys = self.window.rotated[:, patch.left : patch.right]
        values = self.window.values[:, patch.left : patch.right]
        rows = near[:, patch.top - first : patch.bottom - first]
        part = attend(rows, keys, values, patch.mask, params)
        merger.add(part, patch.top - first, near.shape[1])

    def _count_received(
        self, patches: list[Patch], near: Tensor, first: int, lse: Tensor, params: AttentionParams
    ) -> None:
        """Add up the attention that keys receive in the window, by which some lookups go.

        The log-sum-exp is that over all that a query saw, so this second pass over the patches
        gives true probabilities, which no kernel returns.
        """
        for patch in patches:
            rows = slice(patch.top - first, patch.bottom - first)
            keys = self.window.rotated[:, patch.left : patch.right]
            shares = attention_received(near[:, rows], keys, lse[:, rows], patch.mask, params)
            self.window.received[:, patch.left : patch.right] += shares

    def _evict(self) -> None:
        """Move what left the window to init tokens and blocks, or forget it."""
        if not self.policy.is_bounded:
            return
        self._fill_init()
        if self.policy.has_blocks:
            self._form_blocks()
        else:
            self.window.drop(len(self.window) - self.policy.window_tokens)

    def _fill_init(self) -> None:
        """Take the first tokens out of the window, once: here it is longer than both together."""
        count = self.config.init_tokens
        if self.init_keys.dim() == 3 or self.policy.init_tokens == 0:
            return
        self.init_keys = self.rotation.at_zero(self.window.keys[:, :count]).clone()
        self.init_values = self.window.values[:, :count].clone()
        self.window.drop(count)

    def _form_blocks(self) -> None:
        """Make blocks of the oldest tokens, as long as `window_tokens` are left."""
        size = self.config.block_tokens
        while len(self.window) - size >= self.config.window_tokens:
            keys = self.rotation.at_zero(self.window.keys[:, :size])
            self.store.append(keys, self.window.values[:, :size])
            self.index.add(keys, self.window.received[:, :size])
            self.window.drop(size)
