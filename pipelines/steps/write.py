"""The steps of writing: the plan, a chapter's plan, and a paragraph."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from lcagent.agents.answering import LabelledPassage, pack_passages
from lcagent.agents.token_budget import (
    count_fitting_from_end,
    token_counter,
    truncate_end,
    truncate_start,
)
from lcagent.agents.write.article_plan import ArticlePlan
from lcagent.agents.write.article_planner import CheckedPlan
from lcagent.agents.write.paragraph_draft import Paragraph, ParagraphTask
from lcagent.agents.write.paragraph_writer import NO_EVIDENCE, ParagraphWriter
from lcagent.pipelines.context import RunContext
from lcagent.pipelines.files.saving import save_text
from lcagent.pipelines.writing.body import body_of
from lcagent.pipelines.writing.options import Assignment
from lcagent.pipelines.writing.run import Recorded, WriteRun
from lcagent.storage.run_store import StoredStep

MATERIAL_SHARE = 4
"""A planner is told about the sources in this part of the window, at most."""

MOST_TITLES = 200


async def plan(assignment: Assignment, run: RunContext) -> int:
    """Make the plan, or that of the chapters; return how many chapters are still to be planned."""
    writing = WriteRun(assignment, run.record)
    if assignment["plan"]:
        await writing.keep_plan("plan", CheckedPlan(writing.users_plan()), [])
        return 0
    model = run.metered()
    planner = writing.planner(model, material_of(run))
    if not writing.has_chapters:
        await writing.keep_plan("plan", await planner.plan(), model.calls)
        return 0
    chapters = ArticlePlan(tuple(await planner.plan_chapters()))
    await writing.keep_plan("chapters", CheckedPlan(chapters), model.calls)
    return len(chapters.paragraphs)


async def plan_chapter(assignment: Assignment, place: int, run: RunContext) -> bool:
    """Plan the paragraphs of one chapter; say whether the plan is complete with it."""
    writing = WriteRun(assignment, run.record)
    chapters = writing.plan_at("chapters").plan.paragraphs
    model = run.metered()
    planner = writing.planner(model, "")
    planned = await planner.plan_chapter(chapters, place)
    await writing.keep_plan(f"chapter/{place}", CheckedPlan(planned), model.calls)
    if place + 1 < len(chapters):
        return False
    parts = [writing.plan_at(f"chapter/{number}").plan for number in range(len(chapters))]
    await writing.keep_plan("plan", planner.join_chapters(parts), [])
    return True


async def paragraph(assignment: Assignment, place: int, run: RunContext) -> str:
    """Write one paragraph; return its main point."""
    writing = WriteRun(assignment, run.record)
    model = run.metered()
    writer = writing.writer(run, model)
    point = writing.planned.plan.paragraphs[place].point
    sources, chunks, chunks_read = await _evidence(point, place, writer, run)
    if writer.is_grounded and not sources:
        written = Paragraph("", flags=(NO_EVIDENCE,))
    else:
        task = await _task(place, [source.text for source in sources], writing, run)
        written = await writer.write(task, writing.calls_for(place))
    pages = {source.label: source.page for source in sources}
    recorded = Recorded(written, pages, chunks, chunks_read)
    await run.record.add(StoredStep(f"paragraph/{place}", recorded.as_detail(), model.calls))
    if assignment["output"]:
        text, _ = body_of(writing)
        await asyncio.to_thread(save_text, assignment["output"], text)
    return point


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
    if writing.assignment["is_parallel"]:
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
    room = writing.writer(run, run.chat_model).prior_text_tokens(place, sources)
    summary, folded = _last_fold(writing)
    rest = [text for text in earlier[folded:] if text]
    whole = "\n\n".join(rest)
    if count(summary) + count(whole) <= room:
        return summary, whole
    kept = max(1, count_fitting_from_end(rest, room // 2, count))
    if kept < len(rest):
        model = run.metered()
        writer = writing.writer(run, model)
        summary = await writer.fold_prior_text(summary, "\n\n".join(rest[:-kept]), room // 3)
        detail = {"reply": summary, "folded": len(earlier) - kept}
        await run.record.add(StoredStep(f"fold/{place}", detail, model.calls))
    summary = truncate_end(summary, room // 2, count)
    return summary, truncate_start("\n\n".join(rest[-kept:]), room - count(summary), count)


def _last_fold(writing: WriteRun) -> tuple[str, int]:
    """Return the newest summary of the text so far, and how many paragraphs it is of."""
    folds = [step.detail for step in writing.record.steps("fold/")]
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
    return LabelledPassage(label, source.page, label + source.text.removeprefix(source.label))
