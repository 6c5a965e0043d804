"""What every policy offers."""

from typing import Protocol

from torch import Tensor

from lcagent.engine.attention.merging import Merger
from lcagent.engine.attention.partial import Scoring
from lcagent.engine.config import MemoryConfig
from lcagent.engine.lookups.base import BlockIndex
from lcagent.engine.lookups.selection import Selection
from lcagent.engine.rotation import Rotation
from lcagent.engine.store.slabs import BlockStore
from lcagent.engine.tail import Tail

UNBOUNDED = 1 << 62


class Remembered(Protocol):
    """What one layer remembers of a text, as far as policies use it; see `layer.LayerMemory`.

    Attributes:
        init_keys, init_values: First tokens once they left the tail, at position 0,
            (num_kv_heads, init_tokens, head_dim).
    """

    config: MemoryConfig
    rotation: Rotation
    index: BlockIndex
    tail: Tail
    store: BlockStore
    selection: Selection
    init_keys: Tensor
    init_values: Tensor

    def fill_init(self) -> None:
        """Take the first tokens out of the tail, once it is longer than window and init."""
        ...

    def form_blocks(self) -> None:
        """Make blocks of the oldest tokens of the tail, as long as it keeps the window."""
        ...


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
        self, memory: Remembered, queries: Tensor, first: int, how: Scoring, merger: Merger
    ) -> None:
        """Merge what queries, whose own tokens begin at place `first` of the tail, see far away.

        Shapes: queries (num_heads, q_len, head_dim), un-rotated.
        """
        ...

    def settle(self, memory: Remembered) -> None:
        """Move what left the window out of the tail, after a chunk."""
        ...
