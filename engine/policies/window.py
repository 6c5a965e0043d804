"""Window: the first tokens and the last ones; the rest is forgotten.

Han et al., LM-Infinite, https://arxiv.org/abs/2308.16137: the distance to the first tokens is
capped where the window ends. Without init tokens it is the sliding window that some models have by
themselves (Mistral 7B, every second layer of Gemma).
"""

from dataclasses import dataclass

from torch import Tensor

from lcagent.engine.attention import AttentionParams, MaskKind, SoftmaxMerger, attend
from lcagent.engine.policies.policy import LayerView


@dataclass(frozen=True, slots=True)
class WindowPolicy:
    """Sees `init_tokens` at the window's end, and the window."""

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
        """A window before the first query of a chunk, and the chunk."""
        return self.window_tokens + max(self.init_tokens, self.chunk_tokens)

    def attend_distant(
        self,
        layer: LayerView,
        queries: Tensor,
        first: int,
        params: AttentionParams,
        merger: SoftmaxMerger,
    ) -> None:
        """See the init tokens."""
        del first
        if self.init_tokens:
            distant = layer.rotation.rotate_all_to(queries, self.window_tokens - 1)
            part = attend(distant, layer.init_keys, layer.init_values, MaskKind.FULL, params)
            merger.add(part, 0, queries.shape[1])
