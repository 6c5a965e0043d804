"""What a summary will take, and the most it can cost."""

from math import ceil

from lcagent.agents.quoting_model import QUOTE
from lcagent.agents.summarize.abstractive import MAX_SUMMARY_REPAIRS
from lcagent.agents.token_budget import prose_reply_tokens
from lcagent.pipelines.context import RunContext
from lcagent.pipelines.methods.summary_options import Order
from lcagent.pipelines.steps.summarize import chapters, prepared
from lcagent.results import Plan


async def plan_of(order: Order, run: RunContext) -> Plan:
    """Return what a summary will take, if each message and reply is as long as it may be."""
    texts = [page.text for document in run.collection.documents for page in document.pages]
    characters = sum(map(len, texts))
    if run.model is None:
        reason = f"no language model: sentences of {len(chapters(run))} chapters are quoted"
        return _plan(order, run, reason, (0, 0, 0, 0), ceil(characters / 4))
    chain = await prepared(order, run)
    budget, parts = chain.chain.budget, len(chain.chunks)
    tokens = sum(chunk.tokens for chunk in chain.chunks)
    frame = run.model.card.window_tokens - budget.chunk_tokens - budget.reply_tokens
    writing = 1 + MAX_SUMMARY_REPAIRS
    room = run.model.card.window_tokens
    prompt = tokens + parts * frame + writing * min(room, frame + parts * budget.reply_tokens)
    reply = parts * budget.reply_tokens + writing * prose_reply_tokens(run.model, ())
    depth = (1 if order["is_parallel"] else parts) + 1
    how = "at the same time" if order["is_parallel"] else "one after the other"
    reason = f"{parts} parts by {order['by']}, {how}"
    return _plan(order, run, reason, (parts + 1, depth, prompt, reply), tokens)


def _plan(
    order: Order, run: RunContext, reason: str, cost: tuple[int, int, int, int], tokens: int
) -> Plan:
    card = run.model.card if run.model is not None else None
    calls, depth, prompt, reply = cost
    usd = card.usd(prompt, reply) if card is not None else 0.0
    return Plan(
        question=order["focus"],
        strategy="summarize",
        reason=reason,
        model=QUOTE if card is None else card.name,
        window_tokens=0 if card is None else card.window_tokens,
        documents=len(run.collection.documents),
        pages=sum(len(document.pages) for document in run.collection.documents),
        document_tokens=tokens,
        calls=calls,
        depth=depth,
        prompt_tokens=prompt,
        completion_tokens=reply,
        usd=None if usd is None else round(usd, 6),
    )
