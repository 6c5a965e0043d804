"""`--tree`: the switches of a question tree, all in one option ("beam=2,samples=0")."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from lcagent.errors import UsageError

if TYPE_CHECKING:
    from lcagent.pipelines.methods.tree_options import TreeOptions

STRATEGIES = ("tree", "auto")
"""Those that may take a tree."""


def tree_of(text: str, strategy: str) -> "TreeOptions":
    """Return the switches that are written in `text`.

    Raises:
        UsageError: A part is unknown, given twice or makes no sense, alone or with the others.
    """
    from lcagent.pipelines.methods.tree_options import (  # noqa: PLC0415 -- `--help` must not wait for it
        TreeOptions,
    )

    if strategy not in STRATEGIES:
        raise UsageError(f"--tree is for -s {' and -s '.join(STRATEGIES)}, not for {strategy}")
    given: dict[str, float] = {}
    for part in text.split(","):
        name, value = _read(part)
        if name in given:
            raise UsageError(f"--tree has {name} twice: {text}")
        given[name] = value
    if given.get("samples") == 0 and "temperature" in given:
        raise UsageError("--tree: with samples=0 there is nothing that a temperature is for")
    if given.get("lazy", 0) > 0:
        raise UsageError(f"--tree: lazy is a logarithm, so 0 or less, not {given['lazy']:g}")
    return TreeOptions.from_json({_FIELDS.get(name, name): one for name, one in given.items()})


def _read(part: str) -> tuple[str, float]:
    """Return the name and the number of one part."""
    name, _, value = (piece.strip() for piece in part.partition("="))
    if name not in _PARTS:
        raise UsageError(f"--tree has no part {part.strip()!r}: NAME=N with {', '.join(_PARTS)}")
    try:
        number = math.nan if "_" in value else _PARTS[name](value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        kind = "a whole number" if _PARTS[name] is int else "a number"
        raise UsageError(f"--tree: {name} takes {kind}, not {value!r}")
    return name, number


_PARTS: dict[str, Callable[[str], float]] = {
    "lazy": float,
    "beam": int,
    "samples": int,
    "temperature": float,
    "top_k": int,
    "top_k_below": int,
}
_FIELDS = {"lazy": "accept_at"}
