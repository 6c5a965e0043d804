"""Full: all keys at their true positions, as the model itself would do it. The yardstick."""

from dataclasses import dataclass

from torch import Tensor

from lcagent.engine.attention import AttentionParams, SoftmaxMerger
from lcagent.engine.policies.policy import UNBOUNDED, LayerView


@dataclass(frozen=True, slots=True)
class FullPolicy:
    """Forgets nothing; beyond the model's window, positions are those it never saw."""

    init_tokens: int = 0
    window_tokens: int = UNBOUNDED
    plain_tokens: int = UNBOUNDED
    positions: int = UNBOUNDED
    is_bounded: bool = False
    has_blocks: bool = False
    is_in_order: bool = False

    def attend_distant(
        self,
        layer: LayerView,
        queries: Tensor,
        first: int,
        params: AttentionParams,
        merger: SoftmaxMerger,
    ) -> None:
        """See nothing more: all is in the window."""
