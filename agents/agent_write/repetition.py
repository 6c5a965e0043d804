"""Finding what a new paragraph says in the very words of an earlier one."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from lcagent.agents.agent_write.words import words_of
from lcagent.agents.marks import without_marks

GRAM = 8
"""So many words in a row are no accident."""

MOST_SHARED = 0.05
"""The share of a paragraph's rows of words that may stand in an earlier one."""


@dataclass(frozen=True, slots=True)
class Clash:
    """An earlier paragraph that a new one repeats, and the share of the new one that does."""

    earlier: int
    share: float


def find_clash(text: str, earlier: Sequence[str]) -> Clash | None:
    """Return the earlier paragraph that `text` repeats most, or None if it repeats none."""
    new = grams(text)
    if not new:
        return None
    shares = [len(new & grams(other)) / len(new) for other in earlier]
    worst = max(range(len(shares)), key=shares.__getitem__, default=None)
    if worst is None or shares[worst] <= MOST_SHARED:
        return None
    return Clash(worst, shares[worst])


@lru_cache(maxsize=512)
def grams(text: str) -> frozenset[tuple[str, ...]]:
    """Return the rows of eight words of a text, marks and letter case left out.

    Kept for the paragraphs of a text, each of which is compared with every later one.
    """
    words = [word.casefold() for word in words_of(without_marks(text))]
    return frozenset(tuple(words[start : start + GRAM]) for start in range(len(words) - GRAM + 1))
