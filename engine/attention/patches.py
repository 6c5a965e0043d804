"""What a chunk of queries sees of the keys before it, cut into rectangles and triangles.

A window that slides over a chunk is a band. Cut into patches that are full or triangular, it needs
no mask: every kernel can do a full or a causal patch, and no patch is larger than it must be.
Rows and columns count in tokens from one origin; a query sees itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum


class Shape(Enum):
    """Which keys of its patch a query sees; CAUSAL and ANTI are square."""

    FULL = "all of them"
    CAUSAL = "the first row the first key, each later row one more"
    ANTI = "the first row all, each later row one less, from the front"


@dataclass(frozen=True, slots=True)
class Patch:
    """Rows (queries) `top` to `bottom` and columns (keys) `left` to `right`, ends excluded."""

    top: int
    bottom: int
    left: int
    right: int
    shape: Shape = Shape.FULL


def window_patches(first: int, end: int, start: int, window: int) -> list[Patch]:
    """Return what queries `first` to `end` see of the keys from `start` in their windows.

    A query at i sees the keys j with i - window < j <= i. Every such pair is in one patch.
    """
    return [
        patch
        for top in range(first, end, window)
        for patch in _near(top, min(top + window, end), start, window)
        if patch.top < patch.bottom and patch.left < patch.right
    ]


def distant_patches(first: int, end: int, start: int, window: int) -> list[Patch]:
    """Return what those queries see of the keys from `start` that left their windows.

    A query at i sees the keys j with j <= i - window. Every such pair is in one patch.
    """
    return [
        patch
        for top in range(first, end, window)
        for patch in _far(top, min(top + window, end), start, window)
        if patch.top < patch.bottom and patch.left < patch.right
    ]


def _near(top: int, bottom: int, start: int, window: int) -> Iterator[Patch]:
    """Cut the band of at most `window` rows."""
    low = max(start, top - window + 1)
    if bottom == top + 1:  # a decoded token needs one kernel, not two
        yield Patch(top, bottom, low, bottom)
        return
    seen_by_all = max(low, bottom - window)
    yield Patch(top, bottom, top, bottom, Shape.CAUSAL)
    yield Patch(top, bottom, seen_by_all, top)
    yield Patch(low + window - 1, seen_by_all + window - 1, low, seen_by_all, Shape.ANTI)
    yield Patch(top, low + window - 1, low, seen_by_all)


def _far(top: int, bottom: int, start: int, window: int) -> Iterator[Patch]:
    low = max(start, top - window + 1)
    seen_by_all = max(low, bottom - window)
    yield Patch(top, bottom, start, low)
    yield Patch(low + window, seen_by_all + window, low, seen_by_all, Shape.CAUSAL)
