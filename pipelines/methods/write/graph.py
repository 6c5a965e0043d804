"""The graph of a text and its nodes: each paragraph is a step, logged, streamed and resumed.

START -> plan -> (plan_chapter, one after the other) -> paragraph, one after the other --+--> END
                                                  +-> paragraph_alone, at the same time -+
"""

import asyncio
import operator
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, TypeAlias, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from langgraph.types import Checkpointer, Send

from lcagent.agents.answering import LabelledPassage, pack_passages
from lcagent.agents.nearest import pack_nearest
from lcagent.agents.token_budget import (
    count_fitting_from_end,
    token_counter,
    truncate_end,
    truncate_start,
)
from lcagent.agents.write.article_plan import ArticlePlan
from lcagent.agents.write.article_planner import CheckedPlan
from lcagent.agents.write.paragraph_draft import Paragraph, ParagraphTask
from lcagent.agents.write.paragraph_proofs import add_proofs
from lcagent.agents.write.paragraph_writer import NO_EVIDENCE, ParagraphWriter
from lcagent.pipelines.context import RunContext
from lcagent.pipelines.events import AnswerText
from lcagent.pipelines.methods.write.run import GrowingText, Recorded, WriteRun, body_of, writing_of
from lcagent.pipelines.streaming import emit_step
from lcagent.storage.run_store import StoredStep

MATERIAL_SHARE = 4
"""A planner is told about the sources in this part of the window, at most."""

MOST_TITLES = 200

PLAIN_EVIDENCE_TOKENS = 512
"""Of sentences that a writer is shown that could not plan."""


class WriteState(TypedDict):
    """How far a text is; its plan and its paragraphs are in the log of the run.

    Attributes:
        chapters: How many chapters are to be planned.
        chapter, position: The chapter to plan next, the paragraph to write next.
        ended: Paragraphs that were written at the same time.
    """

    chapters: int
    chapter: int
    position: int
    ended: Annotated[list[int], operator.add]


async def plan(state: WriteState, runtime: Runtime[RunContext]) -> dict[str, int]:  # noqa: ARG001 -- as all nodes
    """Make the plan, or that of the chapters."""
    chapters = await _plan(runtime.context)
    emit_step(runtime, "plan", 1, 1, "")
    return {"chapters": chapters}


async def plan_chapter(state: WriteState, runtime: Runtime[RunContext]) -> dict[str, int]:
    """Plan the paragraphs of the next chapter; with the last the plan is complete."""
    place, total = state["chapter"], state["chapters"]
    await _plan_chapter(place, runtime.context)
    emit_step(runtime, "plan chapter", place + 1, total, "")
    return {"chapter": place + 1}


async def paragraph(state: WriteState, runtime: Runtime[RunContext]) -> dict[str, int]:
    """Write the next paragraph, unless an earlier process did."""
    run, place = runtime.context, state["position"]
    writing = writing_of(run)
    point = writing.planned.plan.paragraphs[place].point
    if f"paragraph/{place}" not in run.log:
        await _write_paragraph(point, place, writing, run)
    done = sum(1 for _ in run.log.steps("paragraph/"))
    emit_step(runtime, "paragraph", done, len(writing.planned.plan.paragraphs), point[:60])
    grown = run.once("text shown", lambda: GrowingText(writing)).next_piece()
    if grown:
        runtime.stream_writer(AnswerText(grown))
    return {"position": place + 1}


async def paragraph_alone(state: WriteState, runtime: Runtime[RunContext]) -> dict[str, list[int]]:
    """Write one of many paragraphs that are written at the same time."""
    await paragraph(state, runtime)
    return {"ended": [state["position"]]}


def next_step(state: WriteState, runtime: Runtime[RunContext]) -> list[Send] | str:
    """Return what comes after a plan or a paragraph."""
    writing = writing_of(runtime.context)
    if state["chapter"] < state["chapters"]:
        return "plan_chapter"
    if writing.options.plan_only:
        return END
    total = len(writing.planned.plan.paragraphs)
    if writing.options.is_parallel:
        return [Send("paragraph_alone", {**state, "position": at}) for at in range(total)]
    return "paragraph" if state["position"] < total else END


async def _plan(run: RunContext) -> int:
    """Make what is missing of the plan; return how many chapters are still to be planned."""
    writing = writing_of(run)
    if "plan" in run.log:
        return 0
    if writing.options.plan is not None:
        await writing.keep_plan("plan", CheckedPlan(writing.users_plan()), [])
        return 0
    model = run.metered()
    planner = writing.planner(model, material_of(run))
    if not writing.has_chapters:
        await writing.keep_plan("plan", await planner.plan(), model.calls)
        return 0
    if "chapters" not in run.log:
        chapters = ArticlePlan(tuple(await planner.plan_chapters()))
        await writing.keep_plan("chapters", CheckedPlan(chapters), model.calls)
    return len(writing.plan_at("chapters").plan.paragraphs)


async def _plan_chapter(place: int, run: RunContext) -> None:
    writing = writing_of(run)
    chapters = writing.plan_at("chapters").plan.paragraphs
    model = run.metered()
    planner = writing.planner(model, "")
    if f"chapter/{place}" not in run.log:
        planned = await planner.plan_chapter(chapters, place)
        await writing.keep_plan(f"chapter/{place}", CheckedPlan(planned), model.calls)
    if place + 1 == len(chapters):
        parts = [writing.plan_at(f"chapter/{number}").plan for number in range(len(chapters))]
        await writing.keep_plan("plan", planner.join_chapters(parts), [])


async def _write_paragraph(point: str, place: int, writing: WriteRun, run: RunContext) -> None:
    model = run.metered()
    writer = writing.writer(model)
    sources, chunks, chunks_read = await _evidence(point, place, writer, run)
    if writer.is_grounded and not sources:
        written = Paragraph("", flags=(NO_EVIDENCE,))
    else:
        task = await _task(place, [source.text for source in sources], writing, run)
        written = await writer.write(task, writing.calls_for(place))
    texts = [run.documents[one.page.document_id].pages[one.page.page_index].text for one in sources]
    text, proofs = await asyncio.to_thread(add_proofs, written.text, sources, texts)
    pages = {source.label: source.page for source in sources}
    recorded = Recorded(replace(written, text=text), pages, chunks, chunks_read, proofs)
    await run.log.add(StoredStep(f"paragraph/{place}", recorded.as_detail(), model.calls))
    if run.output is not None:
        text, _ = body_of(writing)
        await asyncio.to_thread(run.output.save, text)


def material_of(run: RunContext) -> str:
    """Return what the sources are: their names, and the titles of their chapters."""
    lines: list[str] = []
    for document in run.collection.documents:
        lines.append(
            document.name if document.title is None else f"{document.name}: {document.title}"
        )
        top = sorted({entry.level for entry in document.outline})[:2]
        titles = [entry.title for entry in document.outline if entry.level in top]
        lines.extend(f"- {title}" for title in titles[:MOST_TITLES])
    if not lines:
        return ""
    most = run.chat_model.card.window_tokens // MATERIAL_SHARE
    return truncate_end("\n".join(lines), most, token_counter(run.chat_model))


async def _task(
    place: int, sources: Sequence[str], writing: WriteRun, run: RunContext
) -> ParagraphTask:
    task = ParagraphTask(
        place,
        writing.words_for(place),
        writing.ratio_before(place),
        sources=tuple(sources),
    )
    if writing.options.is_parallel:
        return task
    earlier = writing.earlier(place)
    summary, written = await _shown(place, earlier, sources, writing, run)
    return replace(task, earlier=earlier, summary=summary, written=written)


async def _shown(
    place: int, earlier: Sequence[str], sources: Sequence[str], writing: WriteRun, run: RunContext
) -> tuple[str, str]:
    """Return what the writer sees of the text so far: a summary of what has no room, and the rest.

    The summary is made by one call whenever the paragraphs since the last one have no room.
    """
    count = token_counter(run.chat_model)
    room = writing.writer(run.chat_model).prior_text_tokens(place, sources)
    summary, folded = _last_fold(writing)
    rest = [text for text in earlier[folded:] if text]
    whole = "\n\n".join(rest)
    if count(summary) + count(whole) <= room:
        return summary, whole
    kept = max(1, count_fitting_from_end(rest, room // 2, count))
    if kept < len(rest):
        model = run.metered()
        writer = writing.writer(model)
        summary = await writer.fold_prior_text(summary, "\n\n".join(rest[:-kept]), room // 3)
        detail = {"reply": summary, "folded": len(earlier) - kept}
        await run.log.add(StoredStep(f"fold/{place}", detail, model.calls))
    summary = truncate_end(summary, room // 2, count)
    return summary, truncate_start("\n\n".join(rest[-kept:]), room - count(summary), count)


def _last_fold(writing: WriteRun) -> tuple[str, int]:
    """Return the newest summary of the text so far, and how many paragraphs it is of."""
    folds = [step.detail for step in writing.log.steps("fold/")]
    if not folds:
        return "", 0
    newest = max(folds, key=lambda detail: int(detail["folded"]))
    return str(newest["reply"]), int(newest["folded"])


async def _evidence(
    point: str, place: int, writer: ParagraphWriter, run: RunContext
) -> tuple[list[LabelledPassage], int, int]:
    """Return the passages for a paragraph, labelled by their pages' places among all pages.

    There are none where no word of its main point stands in the sources.
    """
    if not writer.is_grounded:
        return [], 0, 0
    found = await run.retriever.search(
        point,
        top_k=run.top_k,
        pages=run.pages,
        vectors=run.vectors,
    )
    if not any(found.query.share_in(passage.page.text) for passage in found.passages):
        return [], found.chunks, found.chunks_read
    budget = min(run.evidence_tokens, writer.evidence_tokens(place))
    count = token_counter(run.chat_model)
    if writer.is_plain:  # whole pages drown what a small model is to write about
        budget = min(budget, PLAIN_EVIDENCE_TOKENS)
        packed = await asyncio.to_thread(pack_nearest, found, run.documents, budget, count)
    else:
        packed = await asyncio.to_thread(
            pack_passages, found.passages, run.documents, budget, count, run.pages
        )
    return [_relabelled(source, run) for source in packed], found.chunks, found.chunks_read


def _relabelled(source: LabelledPassage, run: RunContext) -> LabelledPassage:
    """Return a passage with a label that no other page has in any paragraph of the text."""
    before = 0
    for document in run.collection.documents:
        if document.id == source.page.document_id:
            break
        before += len(document.pages)
    label = f"S{before + source.page.page_index + 1}"
    is_shown = source.text.startswith(source.label)
    text = label + source.text.removeprefix(source.label) if is_shown else source.text
    return LabelledPassage(label, source.page, text)


WriteGraph: TypeAlias = CompiledStateGraph[WriteState, RunContext, WriteState, WriteState]


def write_graph(checkpointer: Checkpointer = None) -> WriteGraph:
    """Return the compiled graph.

    Args:
        checkpointer: Where each step is saved; by default where the graph round it saves.
    """
    targets = ["plan_chapter", "paragraph", "paragraph_alone", END]
    return (
        StateGraph(WriteState, context_schema=RunContext)
        .add_node("plan", plan)
        .add_node("plan_chapter", plan_chapter)
        .add_node("paragraph", paragraph)
        .add_node("paragraph_alone", paragraph_alone)
        .add_edge(START, "plan")
        .add_conditional_edges("plan", next_step, targets)
        .add_conditional_edges("plan_chapter", next_step, targets)
        .add_conditional_edges("paragraph", next_step, targets)
        .add_edge("paragraph_alone", END)
        .compile(checkpointer=checkpointer, name="write")
    )
