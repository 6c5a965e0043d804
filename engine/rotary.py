"""A family's own rotary embedding: kept still while the model runs, and called by the engine."""

import sys
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from lcagent.engine.rotation import MakeTables, Turn
from lcagent.errors import ModelNotUsable


class StillRotary(nn.Module):
    """Stands where the model's rotary embedding stood and turns nothing: cosine 1, sine 0."""

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

    def make(positions: int) -> tuple[Tensor, Tensor]:
        reach = torch.arange(positions, device=device)[None]
        cos, sin = original(like, reach, *extra)
        return cos[0], sin[0]

    return make


def make_turn(module: Any, head_dim: int, tables: tuple[Tensor, Tensor]) -> Turn:
    """Return the family's own way of turning; where it turns a part only, the rest is kept."""
    apply: Callable[..., tuple[Tensor, Tensor]] | None = getattr(
        sys.modules[type(module).__module__], "apply_rotary_pos_emb", None
    )
    if apply is None:
        raise ModelNotUsable(f"{type(module).__name__} turns its keys in a way of its own")
    cos, sin = tables
    whole = cos.new_zeros(1, 1, 1, head_dim)
    try:
        width = apply(whole, whole, cos[None], sin[None])[0].shape[-1]
    except RuntimeError:  # it wants only the channels that it turns
        width = cos.shape[-1]

    def turn(states: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        part = states[None, ..., :width]
        turned, _ = apply(part, part[:, :0], cos[None], sin[None])
        if width == head_dim:
            return turned[0]
        return torch.cat([turned[0], states[..., width:]], dim=-1)

    return turn


def no_turn(states: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Return states of a layer that knows no positions."""
    del cos, sin
    return states
