"""How a question tree is answered: the switches of ProbTree."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from lcagent.errors import UsageError
from lcagent.fields import Flag, Option, option
from lcagent.tasks import MethodOptions

MAX_BEAM = 8
"""Of a beam; its calls grow with its square (see `agents.probtree.beam_search`)."""


@dataclass(frozen=True)
class TreeOptions(MethodOptions):
    """The switches of ProbTree.

    Cao et al., https://arxiv.org/abs/2311.13982, sections 3.2 and 4; the paper looks up 5 passages
    for a question and 3 for each below it. Lazy mode and what takes the place of
    log-probabilities are ours, and so is beam mode.

    Attributes:
        accept_at: Lazy mode: an answer from passages that is at least as sure as this is taken,
            and nothing is asked below it or besides. A logarithm, so 0 or less; the right one
            differs from model to model. None to ask everything.
        samples: How many replies are drawn where the server tells no log-probabilities; with none,
            the model is asked how sure it is.
        temperature: Of the samples.
        top_k: How many passages are looked up for a question.
        top_k_below: How many more for each question below it.
        beam: Beam mode: how many assignments of answers are kept for a list of questions, for the
            question above to choose from. With 1, each question has one answer.
    """

    method: ClassVar[str] = "tree"

    accept_at: float | None = option(None, "Lazy mode: take an answer as sure as this.")
    samples: int = option(4, "Replies drawn without log-probabilities.", minimum=0)
    temperature: float = option(0.7, "Of the samples.", minimum=0, maximum=2)
    top_k: int = option(5, "Passages for a question.", minimum=1)
    top_k_below: int = option(3, "More for each question below it.", minimum=0)
    beam: int = option(1, "Assignments of answers that are kept.", minimum=1, maximum=MAX_BEAM)

    def __post_init__(self) -> None:
        """Refuse what makes no sense together.

        Raises:
            UsageError: A number is too small or too large, or lazy mode and a beam are wanted.
        """
        super().__post_init__()
        if self.beam > 1 and self.accept_at is not None:
            raise UsageError(
                "lazy mode takes an answer without asking for others, which leaves a beam nothing "
                "to keep: leave one of the two out"
            )

    @classmethod
    def flags(cls) -> Sequence[Flag]:
        """Return `--tree`, which holds all switches."""
        return (_TREE,)

    @classmethod
    def from_flags(cls, given: Mapping[str, Any]) -> "TreeOptions":
        """Return the switches that `--tree` says."""
        text = given.get("tree")
        return cls() if text is None else parse_switches(text)


def parse_switches(text: str) -> TreeOptions:
    """Return the switches that are written like "beam=2,samples=0".

    Raises:
        UsageError: A part is unknown, given twice or makes no sense, alone or with the others.
    """
    given: dict[str, float] = {}
    for part in text.split(","):
        name, value = _parse_part(part)
        if name in given:
            raise UsageError(f"--tree has {name} twice: {text}")
        given[name] = value
    if given.get("samples") == 0 and "temperature" in given:
        raise UsageError("--tree: with samples=0 there is nothing that a temperature is for")
    if given.get("lazy", 0) > 0:
        raise UsageError(f"--tree: lazy is a logarithm, so 0 or less, not {given['lazy']:g}")
    return TreeOptions.from_json({_FIELDS.get(name, name): each for name, each in given.items()})


def _parse_part(part: str) -> tuple[str, float]:
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

_TREE = Flag(
    "tree",
    str | None,
    None,
    Option(
        "How a tree is answered: lazy=-0.1 or beam=2; samples, temperature, top_k, top_k_below.",
        metavar="NAME=N,...",
    ),
)
