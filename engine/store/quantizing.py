"""Blocks as int8 with one scale per channel and block: half the memory of bfloat16.

Keys have channels that are large throughout a text (Liu et al., KIVI,
https://arxiv.org/abs/2402.02750, section 3), so that a scale per channel loses little of them.
"""

import torch
from torch import Tensor

LEVELS = 127


def quantize(states: Tensor) -> tuple[Tensor, Tensor]:
    """Return int8 levels like `states` (..., tokens, head_dim) and scales (..., 1, head_dim)."""
    wide = states.float()
    scales = wide.abs().amax(-2, keepdim=True) / LEVELS
    safe = torch.where(scales == 0, 1.0, scales)  # a channel of zeros
    return (wide / safe).round().to(torch.int8), scales


def restore(levels: Tensor, scales: Tensor, dtype: torch.dtype) -> Tensor:
    """Return the states again, each off by half a scale at most."""
    return (levels.float() * scales).to(dtype)
