"""How a chain works: the switches of Chain-of-Agents, and presets of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeAlias

from lcagent.errors import UsageError
from lcagent.fields import Flag, Option, option
from lcagent.tasks import MethodOptions

ReadingOrder: TypeAlias = Literal["ltr", "rtl", "random", "similarity"]
"""From the beginning, from the end, shuffled, the chunks most like the question first."""


@dataclass(frozen=True)
class ChainOptions(MethodOptions):
    """The switches of Chain-of-Agents.

    Zhang et al., https://arxiv.org/abs/2406.02818: section 3 for the chain, table 8 for several
    paths, table 6 for the baselines. Notes, re-reading and asking again are ours.

    Attributes:
        takes_notes: Workers hand on notes with quotes instead of a summary.
        reasks: A worker whose reply carries nothing is asked once more.
        rereads: How many chunks are read again for a question that is still open at the end.
        is_parallel: Workers read at the same time, each without the notes of the others.
        orders: One path for each; "random" is seeded, so a run can be repeated.
        combine: How several paths make one answer.
        baseline: The paper's "merge" (each chunk answers, they vote) or "hierarchical" (chunks
            are read at the same time, the manager gets all summaries), for comparison.
    """

    method: ClassVar[str] = "chain"

    takes_notes: bool = option(True, "Workers hand on notes with quotes, not a summary.")
    reasks: bool = option(True, "Ask a worker once more whose reply carries nothing.")
    rereads: int = option(2, "Chunks read again for what is still open.", minimum=0)
    is_parallel: bool = option(False, "Workers read at the same time.")
    orders: tuple[ReadingOrder, ...] = option(("ltr",), "The orders of reading, a path for each.")
    temperature: float = option(0.0, "Of the workers' sampling.", minimum=0, maximum=2)
    combine: Literal["vote", "judge"] = option("judge", "How several paths make one answer.")
    baseline: Literal["", "merge", "hierarchical"] = option("", "A baseline of the paper.")

    def __post_init__(self) -> None:
        """Refuse orders that do not exist."""
        super().__post_init__()
        wrong = [each for each in self.orders if each not in ("ltr", "rtl", "random", "similarity")]
        if wrong or not self.orders:
            raise UsageError(f"orders of reading are ltr, rtl, random, similarity, not {wrong}")

    @property
    def reads_at_once(self) -> bool:
        """Say whether workers read at the same time, without each other's notes."""
        return self.is_parallel or self.baseline != ""

    @property
    def notes_with_quotes(self) -> bool:
        """Say whether what is handed on are notes; the baselines know summaries only."""
        return self.takes_notes and not self.baseline

    @classmethod
    def preset(cls, name: str) -> "ChainOptions":
        """Return the switches of a preset.

        Raises:
            UsageError: There is none of that name.
        """
        if name not in PRESETS:
            raise UsageError(f"no preset {name!r}; there are: {', '.join(PRESETS)}")
        return PRESETS[name]

    @classmethod
    def flags(cls) -> Sequence[Flag]:
        """Return `--preset`, which sets all switches."""
        return (_PRESET,)

    @classmethod
    def from_flags(cls, given: Mapping[str, Any]) -> "ChainOptions":
        """Return the switches of the preset."""
        return cls.preset(given.get("preset", "default"))


PRESETS: dict[str, ChainOptions] = {
    "default": ChainOptions(),
    "fast": ChainOptions(is_parallel=True, rereads=0),
    "thorough": ChainOptions(orders=("ltr", "rtl"), rereads=4),
    "faithful": ChainOptions(takes_notes=False, reasks=False, rereads=0),
}
"""What `--preset` knows: the usual way; workers at once; two ways through the text and a judge;
the paper as it is printed."""

_PRESET = Flag(
    "preset",
    str,
    "default",
    Option(
        "How a chain reads: one after the other; all at once; twice, with a judge; as in the "
        "paper.",
        metavar="|".join(PRESETS),
    ),
)
