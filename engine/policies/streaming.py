"""Streaming: the first tokens and the last ones, with positions inside the cache.

Xiao et al., StreamingLLM, https://arxiv.org/abs/2309.17453, section 3.2: what is kept stands
together as if nothing were missing, the first tokens right before the window.
"""

from dataclasses import dataclass

from torch import Tensor

from lcagent.engine.attention import AttentionParams, MaskKind, SoftmaxMerger, attend
from lcagent.engine.policies.policy import LayerView


@dataclass(frozen=True, slots=True)
class StreamingPolicy:
    """Sees `init_tokens` and the window, in order."""

    init_tokens: int
    window_tokens: int
    chunk_tokens: int
    is_bounded: bool = True
    has_blocks: bool = False
    is_in_order: bool = False

    @property
    def plain_tokens(self) -> int:
        """The longest text that is read as the model itself would."""
        return self.window_tokens + self.init_tokens

    @property
    def positions(self) -> int:
        """Init tokens, a window and a chunk."""
        return self.plain_tokens + self.chunk_tokens

    def attend_distant(
        self,
        layer: LayerView,
        queries: Tensor,
        first: int,
        params: AttentionParams,
        merger: SoftmaxMerger,
    ) -> None:
        """See the init tokens at positions 0, 1, ... of a cache whose last position is our own."""
        del first
        if not self.init_tokens:
            return
        distant = layer.rotation.rotate_all_to(queries, self.plain_tokens - 1)
        keys = layer.rotation.rotate(layer.init_keys, 0)
        part = attend(distant, keys, layer.init_values, MaskKind.FULL, params)
        merger.add(part, 0, queries.shape[1])
