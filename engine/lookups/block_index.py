"""What every lookup offers, and the growing tensor in which most keep what they know of blocks."""

from dataclasses import dataclass, field, replace
from typing import Protocol

import torch
from torch import Tensor

from lcagent.engine.block_store import BlockStore

SMALLEST = 16


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

        Shapes: keys, at position 0, (Hk, block_tokens, D); received (num_scored_heads,
        block_tokens), the attention that each key received in the window.
        """
        ...

    def scores(self, query: Tensor, blocks: BlockStore) -> Tensor:
        """Return each block's score for each head, higher is more; (H, blocks), float32.

        Shapes: query (H, D), rotated to the window's last position, from where distant keys are
        seen. `blocks` are those that were added: an index need not keep what they hold.
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


@dataclass(slots=True)
class Buffer:
    """Room for rows, and how many of them are taken, by any fork."""

    rows: Tensor
    taken: int = 0


@dataclass(slots=True)
class GrowableTensor:
    """A tensor beside the model that grows by rows, shared by forks for as long as they agree."""

    _buffer: Buffer = field(default_factory=lambda: Buffer(torch.empty(0)))
    _count: int = 0

    def __len__(self) -> int:
        """Return the number of rows."""
        return self._count

    @property
    def rows(self) -> Tensor:
        """All rows, (rows, ...)."""
        return self._buffer.rows[: self._count]

    def fork(self) -> "GrowableTensor":
        """Return the same rows; what is appended to one is not in the other."""
        return replace(self)

    def append(self, row: Tensor) -> None:
        """Add a row."""
        buffer = self._buffer
        # Another fork may have taken the next row: then this one continues in a copy.
        if self._count != buffer.taken or self._count == len(buffer.rows):
            room = row.new_empty((max(SMALLEST, 2 * self._count), *row.shape))
            if self._count:
                room[: self._count] = self.rows
            self._buffer = buffer = Buffer(room, self._count)
        buffer.rows[self._count] = row
        buffer.taken += 1
        self._count += 1

    def adopt(self, rows: Tensor) -> None:
        """Become these rows."""
        self._buffer, self._count = Buffer(rows, len(rows)), len(rows)
