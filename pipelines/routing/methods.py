"""The methods that answer questions, and the choice of one of them."""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

from lcagent.errors import UsageError

Strategy: TypeAlias = Literal["quote", "whole", "rag", "chain", "tree"]
"""A method that answers questions."""

AUTO: Final = "auto"
"""What a user says who leaves the choice to lcagent."""


@dataclass(frozen=True, slots=True)
class Route:
    """The method chosen, and why.

    Attributes:
        is_open: The words of the question do not tell; the model may be asked.
        caveat: What the user should know of the choice beside the answer, or an empty string.
    """

    strategy: Strategy
    reason: str
    is_open: bool = False
    caveat: str = ""


def check(wanted: str) -> None:
    """Refuse a method that there is not, before anything is read.

    Raises:
        UsageError: There is no such method.
    """
    known = (AUTO, *get_args(Strategy))
    if wanted not in known:
        raise UsageError(f"no strategy {wanted!r}; there are: {', '.join(known)}")
