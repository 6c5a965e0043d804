"""What every policy offers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from torch import Tensor

from lcagent.engine.attention.merging import Merger
from lcagent.engine.attention.partial import Scoring

if TYPE_CHECKING:
    from lcagent.engine.layer import LayerMemory

UNBOUNDED = 1 << 62


class Policy(Protocol):
    """Decides what is kept of a text, and how far away it seems. It has no state of its own."""

    @property
    def init_tokens(self) -> int:
        """First tokens that stay visible."""
        ...

    @property
    def window_tokens(self) -> int:
        """Keys that a query sees at their true distances."""
        ...

    @property
    def plain_tokens(self) -> int:
        """The longest text that is read as the model itself would."""
        ...

    @property
    def positions(self) -> int:
        """Positions that are used, from 0: what the model's tables are asked for."""
        ...

    @property
    def is_bounded(self) -> bool:
        """Positions do not grow with the text."""
        ...

    @property
    def has_blocks(self) -> bool:
        """Tokens that leave the tail become blocks."""
        ...

    @property
    def is_in_order(self) -> bool:
        """Chosen blocks must stand in the order of the text."""
        ...

    def see_distant(
        self, memory: LayerMemory, queries: Tensor, first: int, how: Scoring, merger: Merger
    ) -> None:
        """Merge what queries, whose own tokens begin at place `first` of the tail, see far away.

        Shapes: queries (num_heads, q_len, head_dim), un-rotated.
        """
        ...

    def settle(self, memory: LayerMemory) -> None:
        """Move what left the window out of the tail, after a chunk."""
        ...
