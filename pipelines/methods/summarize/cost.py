"""What a summary will take, and the most it can cost."""

from math import ceil

from lcagent.agents.summarize.abstractive import MAX_SUMMARY_REPAIRS
from lcagent.agents.token_budget import prose_reply_tokens
from lcagent.pipelines.context import RunContext
from lcagent.pipelines.cost import Cost
from lcagent.pipelines.methods.summarize.options import SummarizeOptions
from lcagent.pipelines.methods.summarize.run import chain_of_readers, chapters, focus_of
from lcagent.results import Plan
from lcagent.tasks import QUOTE


async def plan_of(run: RunContext) -> Plan:
    """Return what a summary will take, if each message and reply is as long as it may be."""
    options = run.options(SummarizeOptions)
    texts = [page.text for document in run.collection.documents for page in document.pages]
    characters = sum(map(len, texts))
    if run.model is None:
        reason = f"no language model: sentences of {len(chapters(run))} chapters are quoted"
        return _plan(run, reason, Cost(), ceil(characters / 4))
    chain = await chain_of_readers(run)
    budget, parts = chain.chain.budget, len(chain.chunks)
    tokens = sum(chunk.tokens for chunk in chain.chunks)
    window = run.model.card.window_tokens
    frame = window - budget.chunk_tokens - budget.reply_tokens
    writing = 1 + MAX_SUMMARY_REPAIRS
    noted = parts * budget.reply_tokens
    cost = Cost(
        calls=parts + 1,
        depth=(1 if options.is_parallel else parts) + 1,
        prompt_tokens=tokens + parts * frame + writing * min(window, frame + noted),
        completion_tokens=noted + writing * prose_reply_tokens(run.model, ()),
    )
    how = "at the same time" if options.is_parallel else "one after the other"
    return _plan(run, f"{parts} parts by {options.by}, {how}", cost, tokens)


def _plan(run: RunContext, reason: str, cost: Cost, tokens: int) -> Plan:
    card = run.model.card if run.model is not None else None
    usd = cost.usd(run)
    return Plan(
        question=focus_of(run),
        strategy="summarize",
        reason=reason,
        model=QUOTE if card is None else card.name,
        window_tokens=0 if card is None else card.window_tokens,
        documents=len(run.collection.documents),
        pages=sum(len(document.pages) for document in run.collection.documents),
        document_tokens=tokens,
        calls=cost.calls,
        depth=cost.depth,
        prompt_tokens=cost.prompt_tokens,
        completion_tokens=cost.completion_tokens,
        usd=None if usd is None else round(usd, 6),
    )
