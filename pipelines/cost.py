"""What a task can cost at most, in calls and tokens, and how much text there is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil

from lcagent.agents.token_budget import token_counter
from lcagent.documents import Page
from lcagent.pipelines.context import RunContext

SAMPLE_CHARACTERS = 50_000


@dataclass(frozen=True, slots=True)
class Cost:
    """Calls and tokens, at most.

    Attributes:
        depth: How many of the calls have to wait for another.
    """

    calls: int = 0
    depth: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def __add__(self, then: "Cost") -> "Cost":
        """Return the cost of one after the other."""
        return Cost(
            calls=self.calls + then.calls,
            depth=self.depth + then.depth,
            prompt_tokens=self.prompt_tokens + then.prompt_tokens,
            completion_tokens=self.completion_tokens + then.completion_tokens,
        )

    def usd(self, run: RunContext) -> float | None:
        """Return its price with the model of a run; None where that is not known."""
        if run.model is None:
            return 0.0
        return run.model.card.usd(self.prompt_tokens, self.completion_tokens)


def most_expensive(costs: Sequence[Cost]) -> Cost:
    """Return the most of each figure."""
    return Cost(
        calls=max(cost.calls for cost in costs),
        depth=max(cost.depth for cost in costs),
        prompt_tokens=max(cost.prompt_tokens for cost in costs),
        completion_tokens=max(cost.completion_tokens for cost in costs),
    )


def asked_pages(run: RunContext) -> Iterator[Page]:
    """Yield the pages of a run that were asked and have text."""
    selected = run.pages
    return (
        page
        for document in run.collection.documents
        for page in document.pages
        if page.index + 1 in selected and page.text.strip()
    )


def estimated_tokens(texts: list[str], run: RunContext) -> int:
    """Return the tokens of texts, by those of a part of them if they are long."""
    total = sum(map(len, texts))
    if run.model is None or not total:
        return ceil(total / 4)
    every = max(1, total // SAMPLE_CHARACTERS)
    sample = "\n".join(texts[::every])[:SAMPLE_CHARACTERS]
    return ceil(token_counter(run.model)(sample) * total / max(1, len(sample)))
