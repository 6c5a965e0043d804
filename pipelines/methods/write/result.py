"""From the log of a run to the text, its marks numbered and every quote of it checked."""

from collections.abc import Iterator, Sequence

from lcagent.agents.citations import cite_quotes, make_claim
from lcagent.agents.claim_judge import ClaimJudge
from lcagent.agents.marks import Mark, MarkNumbers, split_claims, strip_marks
from lcagent.agents.quote_context import NO_PAGE, AttributedQuote
from lcagent.agents.write.article_plan import ArticlePlan, PlannedParagraph
from lcagent.agents.write.paragraph_draft import count_text_words
from lcagent.agents.write.word_count import count_words_as_longbench, length_score
from lcagent.pipelines.context import RunContext
from lcagent.pipelines.coverage import coverage_of, notes_on
from lcagent.pipelines.methods.write.run import Recorded, WriteRun, body_of, writing_of
from lcagent.pipelines.text_files import source_list
from lcagent.rendering import unproved_in_words
from lcagent.results import Article, ArticleParagraph, Citation, Claim

PARALLEL = "written in parallel: no paragraph knows the others, so the text is less coherent"


def article_of(run: RunContext, timings_s: dict[str, float]) -> Article:
    """Return the text of a run that has ended."""
    writing = writing_of(run)
    planned = writing.planned
    recorded = list(writing.finished())
    body, numbers = body_of(writing)
    citations = _citations(numbers.marks(), writing, run)
    words = sum(count_text_words(one.written.text) for one in recorded)
    target = writing.target_words or planned.plan.words
    prose = "\n".join(strip_marks(one.written.text) for one in recorded)
    parallel = writing.options.is_parallel
    grounded = bool(run.collection.documents)
    found = recorded[0] if recorded else None
    judge = ClaimJudge(run.collection.documents)
    claims = _claims(recorded, numbers, citations, judge) if grounded else ()
    return Article(
        run_id=run.log.run_id,
        instruction=writing.task.instruction,
        text=body + source_list(citations, claims),
        plan=tuple(_paragraphs(planned.plan.paragraphs, recorded)),
        words=words,
        target_words=target,
        S_l=round(length_score(target, count_words_as_longbench(prose)), 2),
        strategy="parallel" if parallel else "sequential",
        model=run.chat_model.card.name,
        claims=claims,
        citations=tuple(citations),
        coverage=coverage_of(
            run.collection,
            run.pages,
            found.chunks if found else 0,
            found.chunks_read if found else 0,
        ),
        usage=run.log.usage,
        timings_s=timings_s,
        notes=(
            *planned.flags,
            *([PARALLEL] if parallel and recorded else []),
            *_flags(recorded),
            *unproved_in_words(claims),
            *notes_on(run.collection.documents),
        ),
    )


def plan_text(article: Article) -> str:
    """Return the plan of a text as a user edits it."""
    paragraphs = (
        PlannedParagraph(one.point, one.planned_words, one.chapter) for one in article.plan
    )
    return ArticlePlan(tuple(paragraphs)).as_text()


def _paragraphs(
    planned: Sequence[PlannedParagraph], recorded: Sequence[Recorded]
) -> Iterator[ArticleParagraph]:
    for place, paragraph in enumerate(planned):
        one = recorded[place] if place < len(recorded) else None
        yield ArticleParagraph(
            point=paragraph.point,
            planned_words=paragraph.words,
            words=count_text_words(one.written.text) if one is not None else 0,
            chapter=paragraph.chapter,
            passages=len(one.sources) if one is not None else 0,
            flags=one.written.flags if one is not None else (),
        )


def _citations(marks: Sequence[Mark], writing: WriteRun, run: RunContext) -> list[Citation]:
    """Return a checked citation for each mark; one without sources cites a page not shown."""
    pages = {
        label: page for recorded in writing.finished() for label, page in recorded.sources.items()
    }
    ours = {quote for recorded in writing.finished() for quote in recorded.proofs}
    quotes = [
        AttributedQuote(
            mark.quote,
            pages.get(mark.source, NO_PAGE),
            found_by="lcagent" if mark.quote in ours else "model",
        )
        for mark in marks
    ]
    return cite_quotes(quotes, run.collection.documents, run.with_lines)


def _claims(
    recorded: Sequence[Recorded],
    numbers: MarkNumbers,
    citations: Sequence[Citation],
    judge: ClaimJudge,
) -> tuple[Claim, ...]:
    return tuple(
        make_claim(
            one.text, [citations[numbers(mark) - 1] for mark in dict.fromkeys(one.marks)], judge
        )
        for paragraph in recorded
        for one in split_claims(paragraph.written.text)
        if not one.text.startswith("#")
    )


def _flags(recorded: Sequence[Recorded]) -> Iterator[str]:
    for number, one in enumerate(recorded, 1):
        for flag in one.written.flags:
            yield f"paragraph {number}: {flag}"
