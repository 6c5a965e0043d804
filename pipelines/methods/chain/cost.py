"""What a chain costs at most."""

from math import ceil

from lcagent.agents.chain.chain_prompts import ChainBudget
from lcagent.pipelines.context import RunContext
from lcagent.pipelines.cost import Cost, asked_pages, estimated_tokens
from lcagent.pipelines.methods.chain.options import ChainOptions
from lcagent.pipelines.methods.chain.run import budget_for


def cost(question: str, run: RunContext) -> Cost:
    """Return the most that a chain takes: its workers, what they read again, and the answer."""
    budget, options = budget_for(question, run), run.options(ChainOptions)
    tokens = estimated_tokens([page.text for page in asked_pages(run)], run)
    chunks = ceil(tokens / (0.9 * budget.chunk_tokens))
    paths = 1 if options.reads_at_once else len(options.orders)
    rereads = options.rereads * paths if chunks > 1 else 0
    concluding = paths if paths > 1 and options.combine == "vote" else 1
    workers = chunks * paths
    if options.reads_at_once:
        concluding += _condensing_calls(workers, budget)
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


def _condensing_calls(workers: int, budget: ChainBudget) -> int:
    """Return how many calls make one of all messages that were written at the same time."""
    messages = workers * budget.reply_tokens
    return ceil(messages / budget.chunk_tokens) if messages > budget.notes_tokens else 0
