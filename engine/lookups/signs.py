"""Lookup by signs: of each key one bit a channel, after a random rotation.

Gao and Long, RaBitQ, https://arxiv.org/abs/2405.12497, section 3. A block keeps the mean m of its
keys and, for each key k, the signs s of c = R (k - m) and a scale, where R is one fixed random
rotation. Then q k is estimated as

    q m + (R q) s |c|^2 / |c|_1

which is right on average over R, and off by about 0.76 |q| |k - m| / sqrt(head_dim - 1). Unlike the
paper's, queries stay floats, and the center is that of the block. A block's score is the best of
its estimates: of many keys, one that was estimated too high.
"""

from dataclasses import dataclass, field
from functools import cache

import torch
from torch import Tensor
from torch.nn.functional import embedding, pad

from lcagent.engine.attention import group_heads
from lcagent.engine.block_store import BlockStore
from lcagent.engine.lookups.block_index import GrowableTensor

BLOCKS_AT_ONCE = 256
SCALE_DTYPE = torch.bfloat16


@dataclass(slots=True)
class SignIndex:
    """Signs of each block's keys, rows of (Hk, tokens, D / 8), uint8."""

    num_scored_heads: int = 0
    is_vote: bool = True
    _signs: GrowableTensor = field(default_factory=GrowableTensor)
    _scales: GrowableTensor = field(default_factory=GrowableTensor)  # rows of (Hk, tokens)
    _means: GrowableTensor = field(default_factory=GrowableTensor)  # rows of (Hk, D), float32
    _rotation: Tensor = field(default_factory=lambda: torch.empty(0))

    def add(self, keys: Tensor, received: Tensor) -> None:  # noqa: ARG002
        """Take in the signs of a block."""
        if not len(self._signs):
            self._rotation = random_rotation(keys.shape[-1]).to(keys.device)
        wide = keys.float()
        mean = wide.mean(1, keepdim=True)  # (Hk, 1, D)
        signs, scales = quantize_to_signs((wide - mean) @ self._rotation)
        self._signs.append(signs)
        self._scales.append(scales.to(SCALE_DTYPE))
        self._means.append(mean[:, 0])

    def scores(self, query: Tensor, blocks: BlockStore) -> Tensor:  # noqa: ARG002
        """Return the highest estimate of q k of each block, some blocks at a time."""
        rows = group_heads(query.float(), self._means.rows.shape[1])  # (Hk, G, D)
        rotated = rows @ self._rotation
        starts = range(0, len(self._signs), BLOCKS_AT_ONCE)
        best = [self._best(rotated, slice(start, start + BLOCKS_AT_ONCE)) for start in starts]
        of_means: Tensor = rows @ self._means.rows.permute(1, 2, 0)  # (Hk, G, N)
        return torch.cat(best, dim=1) + of_means.flatten(0, 1)

    def fork(self) -> "SignIndex":
        """Return an index of the same blocks."""
        signs, scales, means = self._signs.fork(), self._scales.fork(), self._means.fork()
        return SignIndex(_signs=signs, _scales=scales, _means=means, _rotation=self._rotation)

    def state(self) -> dict[str, Tensor]:
        """Return signs, scales and means, and the rotation: another torch may draw another."""
        return {
            "signs": self._signs.rows,
            "scales": self._scales.rows,
            "means": self._means.rows,
            "rotation": self._rotation,
        }

    def restore(self, tensors: dict[str, Tensor], blocks: BlockStore) -> None:  # noqa: ARG002
        """Take them over."""
        self._signs.adopt(tensors["signs"])
        self._scales.adopt(tensors["scales"])
        self._means.adopt(tensors["means"])
        self._rotation = tensors["rotation"]

    def _best(self, rotated: Tensor, blocks: slice) -> Tensor:
        signs = unpack_signs(self._signs.rows[blocks])  # (N, Hk, tokens, D)
        rows = pad(rotated, (0, signs.shape[-1] - rotated.shape[-1]))
        products: Tensor = rows @ signs.transpose(-1, -2)  # (N, Hk, G, tokens)
        estimates = products * self._scales.rows[blocks][:, :, None]
        return estimates.amax(-1).flatten(1).T


@cache
def random_rotation(width: int) -> Tensor:
    """Return an orthogonal matrix, drawn uniformly, always the same; (width, width), float32."""
    generator = torch.Generator().manual_seed(0)
    drawn = torch.randn(width, width, dtype=torch.float64, generator=generator)
    rotation, upper = torch.linalg.qr(drawn)
    # Only with these signs is the matrix unique, and uniform (Mezzadri, arXiv math-ph/0609050).
    unique: Tensor = rotation * upper.diagonal().sign()
    return unique.float()


def quantize_to_signs(states: Tensor) -> tuple[Tensor, Tensor]:
    """Return packed signs of states (..., head_dim), and scales (...) that make them unbiased."""
    length = states.abs().sum(-1)
    scales = states.square().sum(-1) / torch.where(length == 0, 1.0, length)
    return pack_signs(states), scales


def pack_signs(states: Tensor) -> Tensor:
    """Return a bit for each channel, 1 where it is not negative; (..., head_dim / 8), uint8."""
    bits = pad((states >= 0).to(torch.uint8), (0, -states.shape[-1] % 8))
    eights = bits.view(*bits.shape[:-1], bits.shape[-1] // 8, 8)
    packed: Tensor = (eights * _bit_values(states.device)).sum(-1, dtype=torch.uint8)
    return packed


def unpack_signs(packed: Tensor) -> Tensor:
    """Return 1 or -1 for each bit, float32: a whole byte at a time, from a table."""
    every = torch.arange(256, device=packed.device)[:, None]
    table = torch.where(every & _bit_values(packed.device) > 0, 1.0, -1.0)  # (256, 8)
    signs: Tensor = embedding(packed.int(), table)  # (..., head_dim / 8, 8)
    return signs.flatten(-2)


def _bit_values(device: torch.device) -> Tensor:
    return torch.tensor([1, 2, 4, 8, 16, 32, 64, 128], dtype=torch.uint8, device=device)
