"""The steps of a question tree: preparing it, looking things up for it, and the answer."""

from lcagent.agents.probtree.candidate_drafts import MULTI_HOP_TASK, OpenBookPrompt
from lcagent.agents.probtree.passage_retriever import BudgetedRetriever
from lcagent.agents.token_budget import (
    MARGIN_TOKENS,
    answer_reply_tokens,
    token_counter,
)
from lcagent.models.chat_model import OnText
from lcagent.pipelines.context import RunContext
from lcagent.pipelines.methods.tree_run import TreeRun
from lcagent.pipelines.steps.passages import ANSWER
from lcagent.pipelines.steps.proofs import Findings
from lcagent.pipelines.steps.state import Written
from lcagent.storage.run_store import StoredStep

LONGEST_ANSWER = 512
"""Tokens of an answer with its explanation; the paper allows 256, without quotes."""


def prepared(question: str, run: RunContext) -> TreeRun:
    """Return the tree for a question, the same throughout a run."""
    if question not in run.trees:
        run.trees[question] = TreeRun(
            question,
            run.chat_model,
            _passages(run),
            run.tree,
            run.record,
            answer_tokens(run),
        )
    return run.trees[question]


async def answer(question: str, run: RunContext, on_text: OnText | None = None) -> Written:
    """Make the answer of the answers to all questions of the tree."""
    findings = Findings.of(prepared(question, run).known)
    reply = findings.reply()
    if on_text is not None and reply:
        on_text(reply)
    await run.record.add(StoredStep(ANSWER, {"reply": reply}, []))
    searched = await run.retriever.search(question, top_k=1, pages=run.pages, vectors=run.vectors)
    return Written(
        reply=reply,
        sources=findings.sources(),
        unread=[],
        notes=[*findings.notes(), *searched.notes],
        chunks=searched.chunks,
        chunks_read=searched.chunks_read,
    )


def _passages(run: RunContext) -> BudgetedRetriever:
    return BudgetedRetriever(
        run.retriever,
        run.documents,
        room=lambda question: min(run.evidence_tokens, room_for_passages(question, run)),
        count=token_counter(run.chat_model),
        pages=run.pages,
        vectors=run.vectors,
    )


def room_for_passages(question: str, run: RunContext) -> int:
    """Return how many tokens of passages fit the window beside the question and the reply."""
    model = run.chat_model
    empty = model.count_tokens(OpenBookPrompt(question, (), MULTI_HOP_TASK).messages())
    return model.card.window_tokens - empty - answer_tokens(run) - MARGIN_TOKENS


def answer_tokens(run: RunContext) -> int:
    """Return what is reserved for the answer to one question."""
    return answer_reply_tokens(run.chat_model, LONGEST_ANSWER)
