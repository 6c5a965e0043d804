"""How a chain works: the switches of Chain-of-Agents, and presets of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from pydantic import TypeAdapter

from lcagent.errors import UsageError

Order: TypeAlias = Literal["ltr", "rtl", "random", "similarity"]
"""From the beginning, from the end, shuffled, the chunks most like the question first."""


@dataclass(frozen=True, slots=True)
class ChainOptions:
    """The switches.

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

    takes_notes: bool = True
    reasks: bool = True
    rereads: int = 2
    is_parallel: bool = False
    orders: tuple[Order, ...] = ("ltr",)
    temperature: float = 0.0
    combine: Literal["vote", "judge"] = "judge"
    baseline: Literal["", "merge", "hierarchical"] = ""

    @property
    def reads_at_once(self) -> bool:
        """Say whether workers read at the same time, without each other's notes."""
        return self.is_parallel or self.baseline != ""

    @property
    def notes_with_quotes(self) -> bool:
        """Say whether what is handed on are notes; the baselines know summaries only."""
        return self.takes_notes and not self.baseline

    @classmethod
    def of(cls, preset: str) -> "ChainOptions":
        """Return the switches of a preset.

        Raises:
            UsageError: There is none of that name.
        """
        if preset not in PRESETS:
            raise UsageError(f"no preset {preset!r}; there are: {', '.join(PRESETS)}")
        return PRESETS[preset]

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> "ChainOptions":
        """Return the switches that were stored with a run."""
        return TypeAdapter(ChainOptions).validate_python(fields)


PRESETS: dict[str, ChainOptions] = {
    "default": ChainOptions(),
    "fast": ChainOptions(is_parallel=True, rereads=0),
    "thorough": ChainOptions(orders=("ltr", "rtl"), rereads=4),
    "faithful": ChainOptions(takes_notes=False, reasks=False, rereads=0),
}
"""What `--preset` knows: the usual way; workers at once; two ways through the text and a judge;
the paper as it is printed."""
