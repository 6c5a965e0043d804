"""What every lookup offers."""

from typing import Protocol

from torch import Tensor

from lcagent.engine.store.slabs import BlockStore


class BlockIndex(Protocol):
    """Knows enough of each block of a layer to tell how much it matters to a query."""

    @property
    def num_scored_heads(self) -> int:
        """Heads whose received attention `add` needs; 0 for none."""
        ...

    @property
    def is_vote(self) -> bool:
        """Heads vote: each spreads one vote over the blocks. Else their scores are added."""
        ...

    def add(self, keys: Tensor, received: Tensor) -> None:
        """Take in a block that was just put into the store.

        Shapes: keys, at position 0, (num_kv_heads, tokens, head_dim); received
        (num_scored_heads, tokens).
        """
        ...

    def scores(self, query: Tensor, blocks: BlockStore) -> Tensor:
        """Return each block's score for each head, (num_heads, blocks), float32.

        Shapes: query (num_heads, head_dim), turned to where distant keys are seen from.
        `blocks` are those that were added: an index need not keep what they hold.
        """
        ...

    def fork(self) -> "BlockIndex":
        """Return an index of the same blocks that grows on its own."""
        ...

    def state(self) -> dict[str, Tensor]:
        """Return what `restore` needs to become this index again."""
        ...

    def restore(self, tensors: dict[str, Tensor], blocks: BlockStore) -> None:
        """Become the index of these blocks that `state` described."""
        ...
