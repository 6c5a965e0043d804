"""InfLLM: blocks of the past, looked up, all at the distance where the window ends.

Xiao et al., InfLLM, https://arxiv.org/abs/2402.04617, section 3. Init tokens, looked-up blocks and
the remainder (tokens between blocks and window) have no order among themselves. Unlike the released
code, a query sees a token of the remainder only once that token left the query's own window.
"""

from dataclasses import dataclass

from torch import Tensor

from lcagent.engine.attention import (
    AttentionParams,
    MaskKind,
    SoftmaxMerger,
    attend,
    distant_patches,
)
from lcagent.engine.config import KVCacheConfig
from lcagent.engine.policies.policy import LayerView, select_blocks


@dataclass(frozen=True, slots=True)
class InfLLMPolicy:
    """Looks blocks up with the mean query of each chunk."""

    config: KVCacheConfig
    is_bounded: bool = True
    has_blocks: bool = True
    is_in_order: bool = False

    @property
    def init_tokens(self) -> int:
        """First tokens that stay visible."""
        return self.config.init_tokens

    @property
    def window_tokens(self) -> int:
        """Keys at true distances."""
        return self.config.window_tokens

    @property
    def plain_tokens(self) -> int:
        """The longest text that is read as the model itself would."""
        return self.config.plain_tokens

    @property
    def positions(self) -> int:
        """A window before the first query of a chunk, and the chunk."""
        return self.window_tokens + max(self.init_tokens, self.config.chunk_tokens)

    def attend_distant(
        self,
        layer: LayerView,
        queries: Tensor,
        first: int,
        params: AttentionParams,
        merger: SoftmaxMerger,
    ) -> None:
        """See init tokens, looked-up blocks and the remainder, all at one distance."""
        # Keys stay at position 0 and queries move instead: one rotation of L queries serves all
        # distant keys, and a block is never rotated, however often it is looked up.
        distant = layer.rotation.rotate_all_to(queries, self.window_tokens - 1)  # (H, L, D)
        count = queries.shape[1]
        if self.init_tokens:
            part = attend(distant, layer.init_keys, layer.init_values, MaskKind.FULL, params)
            merger.add(part, 0, count)
        if len(layer.store):
            select_blocks(layer, distant, params)
            chosen = layer.selection
            merger.add(attend(distant, chosen.keys, chosen.values, MaskKind.FULL, params), 0, count)
        for patch in distant_patches(first, first + count, 0, self.window_tokens):
            keys = layer.rotation.at_zero(layer.window.keys[:, patch.left : patch.right])
            values = layer.window.values[:, patch.left : patch.right]
            rows = distant[:, patch.top - first : patch.bottom - first]
            merger.add(attend(rows, keys, values, patch.mask, params), patch.top - first, count)
