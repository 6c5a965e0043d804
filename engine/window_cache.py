"""The window's part of a layer's KV cache: its last tokens, their keys rotated to positions.

Tokens are appended to preallocated tensors and leave at the front. Decoding rotates one token, and
nothing is concatenated. Beside the window this holds what left it and is not in a block yet (the
remainder).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from lcagent.engine.rope import Rotation

SMALLEST = 64


@dataclass(frozen=True, slots=True)
class WindowSizes:
    """Limits of a window cache.

    Attributes:
        window_tokens: Keys that positions must stay true for.
        positions: Positions that may be used, from 0.
    """

    window_tokens: int
    positions: int


class WindowKVCache:
    """Keys, rotated keys and values (Hk, tokens, D), and the attention that each key received.

    A token's place counts from the oldest token that is kept, and moves when old ones are dropped.
    Its position, which its key is rotated to, is its distance from `origin`.
    """

    def __init__(self, sizes: WindowSizes, rotation: Rotation, num_scored_heads: int) -> None:
        self.sizes = sizes
        self.rotation = rotation
        self._num_scored_heads = num_scored_heads
        self._keys = self._rotated = self._values = torch.empty(0, 0, 0)
        self._received = torch.empty(num_scored_heads, 0)
        # All three are columns of the tensors; the origin may lie before the first column.
        self._start = self._end = self._origin = 0

    def __len__(self) -> int:
        """Return the number of tokens."""
        return self._end - self._start

    @property
    def keys(self) -> Tensor:
        """Un-rotated keys."""
        return self._keys[:, self._start : self._end]

    @property
    def rotated(self) -> Tensor:
        """Keys at their positions; right for the last `window_tokens` before each new token."""
        return self._rotated[:, self._start : self._end]

    @property
    def values(self) -> Tensor:
        """Values."""
        return self._values[:, self._start : self._end]

    @property
    def received(self) -> Tensor:
        """Attention that each key received, (num_scored_heads, tokens), float32."""
        return self._received[:, self._start : self._end]

    def position(self, place: int) -> int:
        """Return the position of the token at a place."""
        return self._start + place - self._origin

    def append(self, keys: Tensor, values: Tensor) -> int:
        """Add tokens and return the place of the first; shapes (Hk, n, D)."""
        count = keys.shape[1]
        self._make_room(count, keys)
        if self._end + count - self._origin > self.sizes.positions:
            self._move_origin()
        new = slice(self._end, self._end + count)
        self._keys[:, new], self._values[:, new] = keys, values
        self._rotated[:, new] = self.rotation.rotate(keys, self._end - self._origin)
        if self._num_scored_heads:
            self._received[:, new] = 0
        self._end += count
        return len(self) - count

    def drop(self, count: int) -> None:
        """Evict the first `count` tokens; their columns are reused when room is made."""
        self._start += count

    def fork(self) -> "WindowKVCache":
        """Return a copy of what is left."""
        copy = WindowKVCache(self.sizes, self.rotation, self._num_scored_heads)
        copy._keys, copy._rotated = self.keys.clone(), self.rotated.clone()
        copy._values, copy._received = self.values.clone(), self.received.clone()
        copy._end, copy._origin = len(self), self._origin - self._start
        return copy

    def state(self) -> tuple[dict[str, Tensor], int]:
        """Return tensors and origin, for `restore`."""
        tensors = {"keys": self.keys, "rotated": self.rotated, "values": self.values}
        if self._num_scored_heads:
            tensors["received"] = self.received
        return tensors, self._origin - self._start

    def restore(self, tensors: dict[str, Tensor], origin: int) -> None:
        """Become what `state` described."""
        self._keys, self._rotated = tensors["keys"], tensors["rotated"]
        self._values = tensors["values"]
        self._received = tensors.get("received", self._received)
        self._start, self._end, self._origin = 0, self._keys.shape[1], origin

    def _move_origin(self) -> None:
        """Let the next token's window begin at position 0, and rotate the kept keys anew.

        RoPE makes products depend on differences of positions only, so any origin is as good as
        another, as long as all keys of a window and its queries have the same. It has to move
        before positions grow past what the model was trained on: tables of some kinds (dynamic,
        LongRoPE) change there, and float32 angles lose precision. Rotating rotated keys back
        would add up errors; so keys are rotated from the un-rotated ones, which are kept for the
        blocks in any case. Older tokens than those of the window are left as they are: they are
        only seen as distant tokens, un-rotated.
        """
        self._origin = max(self._origin, self._end - self.sizes.window_tokens + 1)
        first = max(self._start, self._origin)
        kept = self._keys[:, first : self._end]
        self._rotated[:, first : self._end] = self.rotation.rotate(kept, first - self._origin)

    def _make_room(self, count: int, like: Tensor) -> None:
        """Move what is left to the front, of larger tensors where needed."""
        capacity = self._keys.shape[1]
        if self._end + count <= capacity:
            return
        length = len(self)
        size = max(SMALLEST, capacity)
        # At least a quarter is free then, so that no token is moved more than a few times.
        while size < length + count or size < length + length // 4:
            size += size // 2
        shape = (like.shape[0], size, like.shape[2])
        self._keys = _moved(self._keys, self._start, length, like.new_empty(shape))
        self._rotated = _moved(self._rotated, self._start, length, like.new_empty(shape))
        self._values = _moved(self._values, self._start, length, like.new_empty(shape))
        if self._num_scored_heads:
            room = torch.zeros(self._num_scored_heads, size, device=like.device)
            self._received = _moved(self._received, self._start, length, room)
        self._start, self._end, self._origin = 0, length, self._origin - self._start


def _moved(old: Tensor, start: int, length: int, new: Tensor) -> Tensor:
    if length:
        new[:, :length] = old[:, start : start + length]
    return new
