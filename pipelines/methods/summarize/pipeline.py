"""Summarizing as a pipeline: what is checked, what it costs, what runs, and what comes of it."""

import asyncio
from dataclasses import replace
from functools import cache
from math import ceil
from typing import TypedDict, cast

from lcagent.agents.summarize.abstractive import MAX_SUMMARY_REPAIRS
from lcagent.agents.summarize.book_chapters import Chapter, merge_chapters
from lcagent.agents.summarize.extractive import (
    WORDS_PER_CHAPTER,
    ExtractedSentence,
    extract_sentences,
)
from lcagent.agents.token_budget import prose_reply_tokens
from lcagent.pipelines.context import RunContext
from lcagent.pipelines.cost import Cost
from lcagent.pipelines.method import Graph
from lcagent.pipelines.methods.summarize.options import SummarizeOptions
from lcagent.pipelines.methods.summarize.result import (
    BASELESS,
    as_markdown,
    extracted,
    summary_of,
    written,
)
from lcagent.pipelines.methods.summarize.run import (
    SummaryState,
    chain_of_readers,
    chapters,
    focus_of,
)
from lcagent.pipelines.text_files import check_output
from lcagent.results import Plan, Summary
from lcagent.tasks import QUOTE, SummarizeTask


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


class ExtractState(TypedDict):
    """What was quoted without a model."""

    chosen: list[ExtractedSentence]
    parts: list[Chapter]


class SummarizePipeline:
    """A chain without a question; without a model, an extract_sentences of central sentences."""

    def check(self, task: SummarizeTask, *, has_model: bool) -> None:  # noqa: ARG002 -- goes without
        """Refuse an output that cannot be written."""
        output = task.method_options(SummarizeOptions).output
        if output is not None:
            check_output(output)

    def title(self, run: RunContext) -> str:
        """Return the names of the documents, and the focus."""
        names = ", ".join(document.name for document in run.collection.documents)
        focus = focus_of(run)
        return f"{names}: {focus}" if focus else names

    def strategy(self, task: SummarizeTask) -> str:
        """Return how the parts are read."""
        return "parallel" if task.method_options(SummarizeOptions).is_parallel else "chain"

    async def plan(self, run: RunContext) -> Plan:
        """Return what the summary will take."""
        return await plan_of(run)

    def graph(self) -> Graph:
        """Return the graph."""
        return _graph()

    def initial_state(self, run: RunContext) -> SummaryState:  # noqa: ARG002 -- as all pipelines
        """Return the state before the first part."""
        return SummaryState(position=0, ended=[])

    async def without_graph(self, run: RunContext) -> ExtractState | None:
        """Return the sentences of an extract_sentences; None where a model summarizes."""
        if run.model is not None:
            return None
        return await asyncio.to_thread(self._extract, run)

    def result(
        self, state: SummaryState | ExtractState, run: RunContext, timings_s: dict[str, float]
    ) -> Summary:
        """Return the summary, and save it where it was asked for."""
        if "parts" in state:
            extract = cast("ExtractState", state)
            made = extracted(extract["chosen"], extract["parts"], run)
        else:
            made = written(run.shared["summary"].result(), run)
            # Where it states nothing, a focus may well be on what the text does not say.
            if made.is_baseless and (made.cited.claims or not focus_of(run)):
                extract = self._extract(run)
                quoted = extracted(extract["chosen"], extract["parts"], run, BASELESS)
                made = replace(quoted, notes=(*quoted.notes, *made.notes), unread=made.unread)
        summary = summary_of(made, run, timings_s)
        if run.output is not None:
            run.output.save(as_markdown(summary))
        return summary

    def _extract(self, run: RunContext) -> ExtractState:
        options, documents = run.options(SummarizeOptions), run.collection.documents
        parts = merge_chapters(chapters(run), documents, max(1, options.words // WORDS_PER_CHAPTER))
        chosen = extract_sentences(
            documents, parts, run.pages, words=options.words, focus=focus_of(run)
        )
        return ExtractState(chosen=list(chosen), parts=list(parts))


@cache
def _graph() -> Graph:
    """Return the compiled graph; compiling takes far longer than a run through it."""
    from lcagent.pipelines.methods.summarize.graph import summary_graph  # noqa: PLC0415

    return summary_graph()
