"""How a question tree is answered: the switches of ProbTree."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from lcagent.agents.probtree.beam_search import MAX_BEAM_WIDTH
from lcagent.errors import UsageError


@dataclass(frozen=True, slots=True)
class TreeOptions:
    """The switches.

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

    accept_at: float | None = None
    samples: int = 4
    temperature: float = 0.7
    top_k: int = 5
    top_k_below: int = 3
    beam: int = 1

    def __post_init__(self) -> None:
        """Refuse what makes no sense.

        Raises:
            UsageError: A number is too small or too large, or lazy mode and a beam are wanted.
        """
        if self.samples < 0 or self.top_k < 1 or self.top_k_below < 0 or self.temperature < 0:
            raise UsageError(f"these options of a tree make no sense: {self}")
        if not 1 <= self.beam <= MAX_BEAM_WIDTH:
            raise UsageError(f"a beam is 1 to {MAX_BEAM_WIDTH} wide, not {self.beam}")
        if self.beam > 1 and self.accept_at is not None:
            raise UsageError(
                "lazy mode takes an answer without asking for others, which leaves a beam nothing "
                "to keep: leave one of the two out"
            )

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> "TreeOptions":
        """Return the switches that were stored with a run."""
        return TypeAdapter(TreeOptions).validate_python(fields)
