"""The steps of a question tree: preparing it, looking things up for it, and the answer."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lcagent.agents.answering import LabelledPassage, make_source
from lcagent.agents.probtree.books import RetrievalQuery
from lcagent.agents.probtree.candidate_drafts import MULTI_HOP_TASK, OpenBookPrompt
from lcagent.agents.probtree.confidence import gather
from lcagent.agents.prompt_templates import fence
from lcagent.agents.token_budget import (
    MARGIN_TOKENS,
    answer_reply_tokens,
    token_counter,
    truncate_end,
)
from lcagent.documents import Passage
from lcagent.models.chat_model import OnText
from lcagent.pipelines.context import RunContext
from lcagent.pipelines.methods.tree_run import TreeRun
from lcagent.pipelines.steps.passages import ANSWER
from lcagent.pipelines.steps.proofs import Findings
from lcagent.pipelines.steps.state import Written
from lcagent.storage.run_store import StoredStep

LONGEST_ANSWER = 512
"""Tokens of an answer with its explanation; the paper allows 256, without quotes."""

LEAST_SHARE = 64
"""Tokens; a passage that has to be cut to fewer says nothing any more."""


def prepared(question: str, run: RunContext) -> TreeRun:
    """Return the tree for a question, the same throughout a run."""
    if question not in run.trees:
        run.trees[question] = TreeRun(
            question,
            run.chat_model,
            run.book or SearchedBook(run),
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
    searched = await run.retriever.search(
        question, run.collection.documents, top_k=1, pages=run.pages, vectors=run.vectors
    )
    return Written(
        reply=reply,
        sources=findings.sources(),
        unread=[],
        notes=[*findings.notes(), *searched.notes],
        chunks=searched.chunks,
        chunks_read=searched.chunks_read,
    )


def room_for_passages(question: str, run: RunContext) -> int:
    """Return how many tokens of passages fit the window beside the question and the reply."""
    model = run.chat_model
    empty = model.count_tokens(OpenBookPrompt(question, (), MULTI_HOP_TASK).messages())
    return model.card.window_tokens - empty - answer_tokens(run) - MARGIN_TOKENS


def answer_tokens(run: RunContext) -> int:
    """Return what is reserved for the answer to one question."""
    return answer_reply_tokens(run.chat_model, LONGEST_ANSWER)


@dataclass(frozen=True, slots=True)
class SearchedBook:
    """The documents of a run, searched as for any question.

    A passage comes with its whole page where that takes no more than its share of the room.
    """

    run: RunContext

    async def retrieve(self, queries: Sequence[RetrievalQuery]) -> list[LabelledPassage]:
        """Return the best passages for each of the queries, as many as there is room for."""
        found = await gather([self._passages(each) for each in queries])
        first: dict[tuple[str, int], Passage] = {}
        for passage in (one for passages in found for one in passages):
            first.setdefault((passage.span.document_id, passage.page.index), passage)
        return await asyncio.to_thread(self._sources, list(first.values()), queries[0].query)

    async def _passages(self, wanted: RetrievalQuery) -> tuple[Passage, ...]:
        run = self.run
        found = await run.retriever.search(
            wanted.query,
            run.collection.documents,
            top_k=wanted.top_k,
            pages=run.pages,
            vectors=run.vectors,
        )
        return found.passages

    def _sources(self, passages: Sequence[Passage], question: str) -> list[LabelledPassage]:
        run, count = self.run, token_counter(self.run.chat_model)
        left = min(run.evidence_tokens, room_for_passages(question, run))
        share = left // max(1, len(passages))
        sources: list[LabelledPassage] = []
        for passage in passages:
            source = self._source(len(sources) + 1, passage, share, count)
            if not sources and _size(source, count) > left:
                text = truncate_end(source.text, max(LEAST_SHARE, left - LEAST_SHARE), count)
                source = LabelledPassage(source.label, source.page, text)
            if not sources or _size(source, count) <= left:
                left -= _size(source, count)
                sources.append(source)
        return sources

    def _source(
        self, number: int, passage: Passage, share: int, count: Callable[[str], int]
    ) -> LabelledPassage:
        document = self.run.documents[passage.span.document_id]
        whole = make_source(number, document, passage.page, passage.page.text)
        if _size(whole, count) <= share:
            return whole
        return make_source(number, document, passage.page, passage.text)


def _size(source: LabelledPassage, count: Callable[[str], int]) -> int:
    return count(fence(source.text, "passage")) + 1
