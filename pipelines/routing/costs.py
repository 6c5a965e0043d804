"""What each method of answering can cost at most, in calls and tokens."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil

from lcagent.agents.answering import ReaderPrompt, all_pages_as_sources
from lcagent.agents.chain.chain_prompts import ChainBudget
from lcagent.agents.probtree.beam_search import max_beam_calls
from lcagent.agents.probtree.candidate_drafts import (
    MULTI_HOP_TASK,
    ChildAggregatingPrompt,
    ClosedBookPrompt,
    DecomposerPrompt,
    OpenBookPrompt,
)
from lcagent.agents.probtree.question_tree import MAX_NODES
from lcagent.agents.question_classifier import classifier_request
from lcagent.agents.token_budget import MARGIN_TOKENS, token_counter
from lcagent.documents import Page
from lcagent.pipelines.context import RunContext
from lcagent.pipelines.routing.methods import Strategy
from lcagent.pipelines.steps.chain import budget_for
from lcagent.pipelines.steps.passages import room_for_passages
from lcagent.pipelines.steps.tree import answer_tokens
from lcagent.pipelines.steps.tree import room_for_passages as room_for_tree_passages

CHARACTERS_PER_TOKEN_AT_MOST = 12
"""No language has so few tokens; a longer text need not be counted to know that it is too long."""

SAMPLE_CHARACTERS = 50_000


@dataclass(frozen=True, slots=True)
class Cost:
    """Calls and tokens, at most."""

    calls: int = 0
    depth: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0


def dearest(costs: Sequence[Cost]) -> Cost:
    """Return the most of each figure."""
    return Cost(
        calls=max(cost.calls for cost in costs),
        depth=max(cost.depth for cost in costs),
        prompt_tokens=max(cost.prompt_tokens for cost in costs),
        completion_tokens=max(cost.completion_tokens for cost in costs),
    )


def together(first: Cost, then: Cost) -> Cost:
    """Return the cost of one after the other."""
    return Cost(
        calls=first.calls + then.calls,
        depth=first.depth + then.depth,
        prompt_tokens=first.prompt_tokens + then.prompt_tokens,
        completion_tokens=first.completion_tokens + then.completion_tokens,
    )


def usd_of(cost: Cost, run: RunContext) -> float | None:
    """Return the price of so many tokens; None where it is not known."""
    if run.model is None:
        return 0.0
    return run.model.card.usd(cost.prompt_tokens, cost.completion_tokens)


def cost_of_sorting(question: str, run: RunContext) -> Cost:
    """Return the cost of asking the model for the method."""
    request = classifier_request(question, run.chat_model)
    prompt = run.chat_model.count_tokens(request.messages)
    return Cost(1, 1, prompt, request.max_tokens)


def _cost_of_quoting(_: str, __: RunContext) -> Cost:
    return Cost()


def _cost_of_whole(question: str, run: RunContext) -> Cost:
    return Cost(1, 1, _whole_prompt(question, run), run.reply_tokens)


def _cost_of_rag(question: str, run: RunContext) -> Cost:
    evidence = min(run.evidence_tokens, room_for_passages(question, run))
    window = run.chat_model.card.window_tokens
    prompt = window - run.reply_tokens - MARGIN_TOKENS - room_for_passages(question, run)
    return Cost(1, 1, prompt + max(0, evidence), run.reply_tokens)


def _cost_of_chain(question: str, run: RunContext) -> Cost:
    budget, options = budget_for(question, run), run.chain
    tokens = estimate([page.text for page in pages_of(run)], run)
    chunks = ceil(tokens / (0.9 * budget.chunk_tokens))
    paths = 1 if options.reads_at_once else len(options.orders)
    rereads = options.rereads * paths if chunks > 1 else 0
    concluding = paths if paths > 1 and options.combine == "vote" else 1
    workers = chunks * paths
    concluding += _condensing(workers, run, budget)
    window = run.chat_model.card.window_tokens
    frame = window - budget.chunk_tokens - budget.reply_tokens
    noted = min(budget.notes_tokens, workers * budget.reply_tokens)
    prompt = tokens * paths + workers * frame
    prompt += rereads * (frame + min(tokens, budget.chunk_tokens)) + concluding * (frame + noted)
    return Cost(
        calls=workers + rereads + concluding,
        depth=(1 if options.reads_at_once else chunks) + rereads // paths + 1,
        prompt_tokens=prompt,
        completion_tokens=(workers + rereads + concluding) * budget.reply_tokens,
    )


def _cost_of_tree(question: str, run: RunContext) -> Cost:
    """Return the cost of the largest tree there may be; questions of the paper take about 10."""
    reply, count = answer_tokens(run), run.chat_model.count_tokens
    evidence = max(0, min(run.evidence_tokens, room_for_tree_passages(question, run)))
    prompts = (
        ClosedBookPrompt(question),
        OpenBookPrompt(question, (), MULTI_HOP_TASK),
        ChildAggregatingPrompt(question, ()),
    )
    each = sum(count(prompt.messages()) for prompt in prompts) + evidence + MAX_NODES * reply
    is_lazy, calls = run.tree.accept_at is not None, max_beam_calls(run.tree.beam)
    wordings = run.tree.beam * MAX_NODES
    return Cost(
        calls=calls,
        depth=1 + MAX_NODES * (2 if is_lazy else 1),
        prompt_tokens=count(DecomposerPrompt(question).messages()) + wordings * each,
        completion_tokens=calls * reply,
    )


def _condensing(workers: int, run: RunContext, budget: ChainBudget) -> int:
    """Return how many calls make one of all messages that were written at the same time."""
    messages = workers * budget.reply_tokens
    if not run.chain.reads_at_once or messages <= budget.notes_tokens:
        return 0
    return ceil(messages / budget.chunk_tokens)


COSTS: dict[Strategy, Callable[[str, RunContext], Cost]] = {
    "quote": _cost_of_quoting,
    "whole": _cost_of_whole,
    "rag": _cost_of_rag,
    "chain": _cost_of_chain,
    "tree": _cost_of_tree,
}


def pages_of(run: RunContext) -> Iterator[Page]:
    """Yield the pages of a run that were asked and have text."""
    return (
        page
        for document in run.collection.documents
        for page in document.pages
        if page.index + 1 in run.pages and page.text.strip()
    )


def fits_window(question: str, run: RunContext) -> bool:
    """Say whether the model can be shown all of the text at once, beside the question."""
    window = run.chat_model.card.window_tokens
    characters = sum(len(page.text) for page in pages_of(run))
    if characters > window * CHARACTERS_PER_TOKEN_AT_MOST:
        return False
    return _whole_prompt(question, run) + run.reply_tokens + MARGIN_TOKENS <= window


def _whole_prompt(question: str, run: RunContext) -> int:
    sources = all_pages_as_sources(run.collection.documents, run.pages)
    prompt = ReaderPrompt(question, tuple(source.text for source in sources))
    return run.chat_model.count_tokens(prompt.messages())


def estimate(texts: list[str], run: RunContext) -> int:
    """Return the tokens of the texts, by those of a part of them if they are long."""
    total = sum(map(len, texts))
    if run.model is None or not total:
        return ceil(total / 4)
    every = max(1, total // SAMPLE_CHARACTERS)
    sample = "\n".join(texts[::every])[:SAMPLE_CHARACTERS]
    return ceil(token_counter(run.model)(sample) * total / max(1, len(sample)))
