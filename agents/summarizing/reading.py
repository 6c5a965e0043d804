"""Reading for a summary: a chain without a question, whose workers note the points that matter.

Zhang et al., Chain of Agents, https://arxiv.org/abs/2406.02818, section 3 and table 12. Unlike the
paper, what is handed on are points with quotes, each looked up in the part when it is noted.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil

from lcagent.agents.agent_write.room import prompt_room
from lcagent.agents.chain_of_agents.budget import ChainBudget, plan_budget
from lcagent.agents.chain_of_agents.chain import Chain
from lcagent.agents.chain_of_agents.notes import Fact, as_line
from lcagent.agents.prompting import Prompt
from lcagent.agents.summarizing.roles import (
    SummaryReaderPrompt,
    SummaryReviserPrompt,
    SummaryWriterPrompt,
)
from lcagent.models.base import ChatModel

WORDS_PER_POINT = 12
"""Of a summary; so many points are noted that its writer can choose."""

FEWEST_POINTS, MOST_POINTS = 1, 12


@dataclass(frozen=True, slots=True)
class SummaryChain(Chain):
    """The readers of a summary; `question` is its focus, which may be empty.

    Attributes:
        points: How many each notes, at most.
    """

    points: int = MOST_POINTS

    def prompt(self, notes: str, chunk: str) -> Prompt:
        """Return what a reader is shown."""
        return SummaryReaderPrompt(self.question, notes, chunk, self.points)


def summary_budget(focus: str, model: ChatModel) -> ChainBudget:
    """Return how many tokens the parts of the prompts may have."""
    return plan_budget(
        model,
        worker=SummaryReaderPrompt(focus, "", "", MOST_POINTS).messages(),
        manager=SummaryWriterPrompt(focus, "", 0).messages(),
    )


def room_for_points(focus: str, model: ChatModel) -> int:
    """Return how many tokens of points its writer is shown: so many that a summary fits beside."""
    empty = model.count_tokens(SummaryReviserPrompt(focus, "", "", False, 0).messages())
    return max(0, prompt_room(model) - empty) * 3 // 5


def points_per_part(words: int, parts: int) -> int:
    """Return how many points each of the parts should give for a summary of so many words."""
    return min(MOST_POINTS, max(FEWEST_POINTS, ceil(words / WORDS_PER_POINT / max(1, parts))))


def shown_points(
    parts: Sequence[tuple[str, Sequence[Fact]]], budget_tokens: int, count: Callable[[str], int]
) -> tuple[str, int]:
    """Return the points of all parts under their titles as far as they fit, and how many do not.

    The first point of each part goes before the second of any: no part is lost for coming late.
    """
    shown: set[str] = set()
    left = budget_tokens - sum(count(f"== {title}") + 1 for title in {title for title, _ in parts})
    depth = max((len(facts) for _, facts in parts), default=0)
    for rank in range(depth):
        for _, facts in parts:
            if rank < len(facts):
                size = count(as_line(facts[rank], with_quote=True)) + 1
                if size <= left:
                    left -= size
                    shown.add(facts[rank].label)
    lines: list[str] = []
    heading = ""
    for title, facts in parts:
        here = [as_line(fact, with_quote=True) for fact in facts if fact.label in shown]
        if here and title != heading:
            lines.append(f"== {title}")
            heading = title
        lines.extend(here)
    return "\n".join(lines), sum(len(facts) for _, facts in parts) - len(shown)
