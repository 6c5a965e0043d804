"""LongHeads: each head looks up chunks of its own, which stand in order as one short text.

Lu et al., LongHeads, https://arxiv.org/abs/2402.10685, section 2. Positions are contiguous: init
tokens, looked-up blocks in the order of the text, then the whole window cache. A chunk is
represented as the configured lookup does it, not by the paper's flag-token attention.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from lcagent.engine.attention import AttentionParams, MaskKind, SoftmaxMerger, attend
from lcagent.engine.config import KVCacheConfig
from lcagent.engine.policies.policy import LayerView, select_blocks


@dataclass(frozen=True, slots=True)
class LongHeadsPolicy:
    """Looks blocks up per key-value head; all that is seen has a position of its own."""

    config: KVCacheConfig
    is_bounded: bool = True
    has_blocks: bool = True
    is_in_order: bool = True

    @property
    def init_tokens(self) -> int:
        """First tokens that stay visible."""
        return self.config.init_tokens

    @property
    def window_tokens(self) -> int:
        """The whole window cache: a window, less than a block, and the chunk being prefilled."""
        return self.config.window_tokens + self.config.block_tokens + self.config.chunk_tokens

    @property
    def plain_tokens(self) -> int:
        """The longest text that is read as the model itself would."""
        return self.config.plain_tokens

    @property
    def positions(self) -> int:
        """Init tokens, blocks, and a window that may wait a chunk for its origin to move."""
        blocks = self.config.looked_up_blocks * self.config.block_tokens
        window = self.window_tokens + self.config.chunk_tokens
        return max(self.init_tokens + blocks + window, self.plain_tokens)

    def attend_distant(
        self,
        layer: LayerView,
        queries: Tensor,
        first: int,
        params: AttentionParams,
        merger: SoftmaxMerger,
    ) -> None:
        """See init tokens and looked-up blocks where they would stand in a text without gaps."""
        keys, values = [layer.init_keys], [layer.init_values]
        if len(layer.store):
            window_end = self.config.window_tokens - 1
            select_blocks(layer, layer.rotation.rotate_all_to(queries, window_end), params)
            keys.append(layer.selection.keys)
            values.append(layer.selection.values)
        kept = [part for part in keys if part.dim() == 3]  # init tokens may be none
        if not kept:
            return
        # What is looked up has other positions at every choice, so it is rotated anew each time;
        # the window follows it, and its queries move by as many tokens as are seen before it.
        seen_keys = layer.rotation.rotate(torch.cat(kept, dim=1), 0)  # (Hk, init + K * block, D)
        seen_values = torch.cat([part for part in values if part.dim() == 3], dim=1)
        distant = layer.rotation.rotate(queries, seen_keys.shape[1] + first)  # (H, L, D)
        part = attend(distant, seen_keys, seen_values, MaskKind.FULL, params)
        merger.add(part, 0, queries.shape[1])
