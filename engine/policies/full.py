"""Full: all keys at their true positions, as the model itself would do it. The yardstick."""

from dataclasses import dataclass

from torch import Tensor

from lcagent.engine.attention.merging import Merger
from lcagent.engine.attention.partial import Scoring
from lcagent.engine.policies.base import UNBOUNDED, Remembered


@dataclass(frozen=True, slots=True)
class Full:
    """Forgets nothing; beyond the model's window, positions are those it never saw."""

    init_tokens: int = 0
    window_tokens: int = UNBOUNDED
    plain_tokens: int = UNBOUNDED
    positions: int = UNBOUNDED
    is_bounded: bool = False
    has_blocks: bool = False
    is_in_order: bool = False

    def see_distant(
        self, memory: Remembered, queries: Tensor, first: int, how: Scoring, merger: Merger
    ) -> None:
        """See nothing more: all is in the tail."""

    def settle(self, memory: Remembered) -> None:
        """Keep all."""
