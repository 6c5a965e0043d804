"""What answering a question will take: the method, and the most it can cost."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from lcagent.agents.answering import ReaderPrompt, whole_text
from lcagent.agents.chain_of_agents.budget import MARGIN_TOKENS, ChainBudget, text_counter
from lcagent.agents.probtree.roles import (
    MULTI_HOP,
    ChildAggregatingPrompt,
    ClosedBookPrompt,
    DecomposerPrompt,
    OpenBookPrompt,
)
from lcagent.agents.probtree.trees import MAX_NODES
from lcagent.documents import Page
from lcagent.pipelines.context import RunContext
from lcagent.pipelines.routing import QUOTE, Route, choose
from lcagent.pipelines.steps.chain import budget_for
from lcagent.pipelines.steps.passages import room_for_passages
from lcagent.pipelines.steps.state import AskState
from lcagent.pipelines.steps.tree import answer_tokens
from lcagent.pipelines.steps.tree import room_for_passages as room_for_tree_passages
from lcagent.results import Plan

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


def route(state: AskState, run: RunContext) -> Route:
    """Choose the method for a question on the documents of a run."""
    if run.model is None:
        return choose(state["wanted"], QUOTE, state["question"], fits_window=False)
    fits = state["wanted"] in ("auto", "whole") and _fits(state["question"], run)
    return choose(state["wanted"], state["model"], state["question"], fits_window=fits)


def plan(state: AskState, run: RunContext) -> Plan:
    """Return what answering will take. Nothing is paid for; counting a book takes seconds."""
    chosen = route(state, run)
    cost = _COSTS[chosen.strategy](state["question"], run)
    texts = [page.text for page in _pages(run)]
    card = run.model.card if run.model is not None else None
    usd = card.usd(cost.prompt_tokens, cost.completion_tokens) if card is not None else 0.0
    return Plan(
        question=state["question"],
        strategy=chosen.strategy,
        reason=chosen.reason,
        model=state["model"],
        window_tokens=card.window_tokens if card is not None else 0,
        documents=len(run.collection.documents),
        pages=len(texts),
        document_tokens=_estimate(texts, run),
        calls=cost.calls,
        depth=cost.depth,
        prompt_tokens=cost.prompt_tokens,
        completion_tokens=cost.completion_tokens,
        usd=None if usd is None else round(usd, 6),
        notes=(*_notes(run, usd), *_notes_on(chosen.strategy, run)),
    )


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
    tokens = _estimate([page.text for page in _pages(run)], run)
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
        OpenBookPrompt(question, (), MULTI_HOP),
        ChildAggregatingPrompt(question, ()),
    )
    each = sum(count(prompt.messages()) for prompt in prompts) + evidence + MAX_NODES * reply
    is_lazy = run.tree.accept_at is not None
    return Cost(
        calls=3 * MAX_NODES,
        depth=1 + MAX_NODES * (2 if is_lazy else 1),
        prompt_tokens=count(DecomposerPrompt(question).messages()) + MAX_NODES * each,
        completion_tokens=3 * MAX_NODES * reply,
    )


def _condensing(workers: int, run: RunContext, budget: ChainBudget) -> int:
    """Return how many calls make one of all messages that were written at the same time."""
    messages = workers * budget.reply_tokens
    if not run.chain.reads_at_once or messages <= budget.notes_tokens:
        return 0
    return ceil(messages / budget.chunk_tokens)


_COSTS = {
    "quote": _cost_of_quoting,
    "whole": _cost_of_whole,
    "rag": _cost_of_rag,
    "chain": _cost_of_chain,
    "tree": _cost_of_tree,
}


def _pages(run: RunContext) -> Iterator[Page]:
    return (
        page
        for document in run.collection.documents
        for page in document.pages
        if page.index + 1 in run.pages and page.text.strip()
    )


def _fits(question: str, run: RunContext) -> bool:
    window = run.chat_model.card.window_tokens
    characters = sum(len(page.text) for page in _pages(run))
    if characters > window * CHARACTERS_PER_TOKEN_AT_MOST:
        return False
    return _whole_prompt(question, run) + run.reply_tokens + MARGIN_TOKENS <= window


def _whole_prompt(question: str, run: RunContext) -> int:
    sources = whole_text(run.collection.documents, run.pages)
    prompt = ReaderPrompt(question, tuple(source.text for source in sources))
    return run.chat_model.count_tokens(prompt.messages())


def _estimate(texts: list[str], run: RunContext) -> int:
    """Return the tokens of the texts, by those of a part of them if they are long."""
    total = sum(map(len, texts))
    if run.model is None or not total:
        return ceil(total / 4)
    every = max(1, total // SAMPLE_CHARACTERS)
    sample = "\n".join(texts[::every])[:SAMPLE_CHARACTERS]
    return ceil(text_counter(run.model)(sample) * total / max(1, len(sample)))


def _notes_on(strategy: str, run: RunContext) -> tuple[str, ...]:
    if strategy != "tree":
        return ()
    more = f"asked up to {run.tree.samples or 1} more times for each answer"
    largest = "these are the calls of the largest tree there may be"
    return (f"{largest}; a server that tells no log-probabilities is {more}",)


def _notes(run: RunContext, usd: float | None) -> tuple[str, ...]:
    if run.model is None or usd is not None:
        return ()
    return (f"the price of {run.model.card.name} is not known (see: docs/models.md)",)
