"""Choosing the method that answers a question, before any of it is run."""

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from lcagent.errors import UsageError

Strategy: TypeAlias = Literal["quote"]
"""A method that answers questions."""


@dataclass(frozen=True, slots=True)
class Route:
    """The method chosen, and why."""

    strategy: Strategy
    reason: str


def choose(wanted: str, model: str = "quote") -> Route:
    """Return the method for a question; `wanted` is a method's name or "auto".

    Raises:
        UsageError: There is no such method, or no such model.
    """
    if model != "quote":
        raise UsageError(
            f"no model {model!r}: this version answers by quoting, without a language model "
            "(-m quote)"
        )
    for strategy in get_args(Strategy):
        if wanted == strategy:
            return Route(strategy, "asked for")
    if wanted != "auto":
        known = ", ".join(("auto", *get_args(Strategy)))
        raise UsageError(f"no strategy {wanted!r}; there are: {known}")
    return Route("quote", "no language model is configured, so the answer is quoted")
