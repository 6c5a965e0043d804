"""Rotary positions: turning queries and keys to a place in the text.

Su et al., RoFormer, https://arxiv.org/abs/2104.09864. The engine keeps keys un-rotated, and turns
them with the family's own function and tables. Tables of scaled kinds (YaRN, LongRoPE) carry a
factor, so that a key at position 0 is not the key itself: see `Rotation.still`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from torch import Tensor

Tables: TypeAlias = tuple[Tensor, Tensor]
"""Cosines and sines, each (positions, width)."""
MakeTables: TypeAlias = Callable[[int], Tables]
"""Returns the tables of positions 0 to n - 1."""
Turn: TypeAlias = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Turns (heads, n, head_dim) by cosines and sines (n, width)."""


@dataclass(slots=True)
class Rotation:
    """The positions of one kind of layer; all sequences share it.

    Attributes:
        make_tables: None where the layer knows no positions (NoPE).
    """

    make_tables: MakeTables | None
    turn: Turn
    _tables: Tables | None = field(default=None)

    def rotate(self, states: Tensor, start: int) -> Tensor:
        """Return states at positions `start`, `start` + 1, ...; shape (heads, n, head_dim)."""
        count = states.shape[1]
        if self.make_tables is None or count == 0:
            return states
        cos, sin = self._tables_of(start + count)
        return self.turn(states, cos[start : start + count], sin[start : start + count])

    def rotate_all_to(self, states: Tensor, position: int) -> Tensor:
        """Return states that all stand at one position; shape (heads, n, head_dim)."""
        if self.make_tables is None:
            return states
        cos, sin = self._tables_of(position + 1)
        shape = (states.shape[1], cos.shape[1])
        return self.turn(states, cos[position].expand(shape), sin[position].expand(shape))

    def still(self, keys: Tensor) -> Tensor:
        """Return keys at position 0: themselves, unless the tables carry a factor."""
        if self.make_tables is None or self._is_without_factor():
            return keys
        return self.rotate_all_to(keys, 0)

    def prepare(self, positions: int) -> None:
        """Ask for all tables at once: some kinds change them when asked for more."""
        if self.make_tables is not None:
            self._tables_of(positions)

    def _is_without_factor(self) -> bool:
        return float(self._tables_of(1)[0][0, 0]) == 1.0

    def _tables_of(self, positions: int) -> Tables:
        assert self.make_tables is not None
        if self._tables is None or len(self._tables[0]) < positions:
            grown = positions if self._tables is None else max(positions, 2 * len(self._tables[0]))
            self._tables = self.make_tables(grown)
        return self._tables
