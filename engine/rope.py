"""Rotary positions: rotating queries and keys to a place in the text.

Su et al., RoFormer, https://arxiv.org/abs/2104.09864. The engine keeps keys un-rotated, and rotates
them with the family's own function and tables. So the model's own rotary embedding is replaced by
one that rotates nothing (`IdentityRotary`), and the original is called here, for its tables alone.
Tables of scaled kinds (YaRN, LongRoPE) carry a factor, so that a key at position 0 is not the key
itself: see `Rotation.at_zero`.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from lcagent.errors import ModelNotUsable

RotaryTables: TypeAlias = tuple[Tensor, Tensor]
"""Cosines and sines, each (positions, width)."""
MakeTables: TypeAlias = Callable[[int], RotaryTables]
"""Returns the tables of positions 0 to n - 1."""
ApplyRotary: TypeAlias = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Rotates (heads, n, head_dim) by cosines and sines (n, width)."""


@dataclass(slots=True)
class Rotation:
    """The positions of one kind of layer; all sequences share it.

    Attributes:
        make_tables: None where the layer knows no positions (NoPE).
    """

    make_tables: MakeTables | None
    apply: ApplyRotary
    _tables: RotaryTables | None = field(default=None)

    def rotate(self, states: Tensor, start: int) -> Tensor:
        """Return states at positions `start`, `start` + 1, ...; shape (heads, n, head_dim)."""
        count = states.shape[1]
        if self.make_tables is None or count == 0:
            return states
        cos, sin = self._tables_up_to(start + count)
        return self.apply(states, cos[start : start + count], sin[start : start + count])

    def rotate_all_to(self, states: Tensor, position: int) -> Tensor:
        """Return states that all stand at one position; shape (heads, n, head_dim)."""
        if self.make_tables is None:
            return states
        cos, sin = self._tables_up_to(position + 1)
        shape = (states.shape[1], cos.shape[1])
        return self.apply(states, cos[position].expand(shape), sin[position].expand(shape))

    def at_zero(self, keys: Tensor) -> Tensor:
        """Return keys at position 0: themselves, unless the tables carry a factor."""
        if self.make_tables is None or self._has_no_factor():
            return keys
        return self.rotate_all_to(keys, 0)

    def prepare(self, positions: int) -> None:
        """Ask for all tables at once: some kinds change them when asked for more."""
        if self.make_tables is not None:
            self._tables_up_to(positions)

    def _has_no_factor(self) -> bool:
        return float(self._tables_up_to(1)[0][0, 0]) == 1.0

    def _tables_up_to(self, positions: int) -> RotaryTables:
        assert self.make_tables is not None
        if self._tables is None or len(self._tables[0]) < positions:
            grown = positions if self._tables is None else max(positions, 2 * len(self._tables[0]))
            self._tables = self.make_tables(grown)
        return self._tables


class IdentityRotary(nn.Module):
    """Stands where the model's rotary embedding stood and rotates nothing: cosine 1, sine 0."""

    def __init__(self, original: nn.Module) -> None:
        super().__init__()
        self._original = (original,)  # not a submodule: the model's own still owns it
        self._widths: dict[tuple[Any, ...], int] = {}

    def forward(self, states: Tensor, position_ids: Tensor, *kind: Any, **named: Any) -> Any:
        """Return tables like the original's, (rows, n, width) each."""
        key = (*kind, *named.values())
        if key not in self._widths:
            cos, _ = self._original[0](states[:, :1], position_ids[:, :1] * 0, *kind, **named)
            self._widths[key] = cos.shape[-1]
        shape = (*position_ids.shape, self._widths[key])
        return states.new_ones(shape), states.new_zeros(shape)


def table_maker(
    original: nn.Module, kind: str | None, dtype: torch.dtype, device: torch.device
) -> MakeTables:
    """Return what asks the original for its tables; `kind` is the type of layer, if any."""
    like = torch.empty(0, dtype=dtype, device=device)
    extra = () if kind is None else (kind,)

    def make(positions: int) -> RotaryTables:
        reach = torch.arange(positions, device=device)[None]
        cos, sin = original(like, reach, *extra)
        return cos[0], sin[0]

    return make


def family_rotary(module: Any, head_dim: int, tables: RotaryTables) -> ApplyRotary:
    """Return the family's own way of rotating; where it rotates a part only, the rest is kept.

    Args:
        module: An attention layer; its Python module has the family's `apply_rotary_pos_emb`.
        tables: Of one position, to find how many channels it rotates.

    Raises:
        ModelNotUsable: The family has no such function.
    """
    apply: Callable[..., tuple[Tensor, Tensor]] | None = getattr(
        sys.modules[type(module).__module__], "apply_rotary_pos_emb", None
    )
    if apply is None:
        raise ModelNotUsable(f"{type(module).__name__} turns its keys in a way of its own")
    cos, sin = tables
    whole = cos.new_zeros(1, 1, 1, head_dim)
    try:
        width = apply(whole, whole, cos[None], sin[None])[0].shape[-1]
    except RuntimeError:  # it wants only the channels that it rotates
        width = cos.shape[-1]

    def rotate(states: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        part = states[None, ..., :width]
        rotated, _ = apply(part, part[:, :0], cos[None], sin[None])
        if width == head_dim:
            return rotated[0]
        return torch.cat([rotated[0], states[..., width:]], dim=-1)

    return rotate


def no_rotary(states: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Return states of a layer that knows no positions."""
    del cos, sin
    return states
