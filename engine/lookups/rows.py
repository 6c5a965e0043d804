"""A tensor that grows by rows and is shared by forks for as long as they agree."""

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

SMALLEST = 16


@dataclass(slots=True)
class Buffer:
    """Room for rows, and how many of them are taken, by any fork."""

    rows: Tensor
    taken: int = 0


@dataclass(slots=True)
class GrowingRows:
    """Rows of one shape, beside the model."""

    _buffer: Buffer = field(default_factory=lambda: Buffer(torch.empty(0)))
    _count: int = 0

    def __len__(self) -> int:
        """Return the number of rows."""
        return self._count

    @property
    def rows(self) -> Tensor:
        """All rows, (rows, ...)."""
        return self._buffer.rows[: self._count]

    def fork(self) -> "GrowingRows":
        """Return the same rows; what is appended to one is not in the other."""
        return replace(self)

    def append(self, row: Tensor) -> None:
        """Add a row."""
        buffer = self._buffer
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
