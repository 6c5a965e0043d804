"""From what was noted, or from quoted sentences, to a summary with checked citations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from lcagent.agents.chain.notes import NotedFact
from lcagent.agents.citations import (
    AttributedQuote,
    CitedText,
    Mark,
    cite_marks,
    cite_quotes,
    make_claim,
    strip_marks,
)
from lcagent.agents.quoting_model import QUOTE
from lcagent.agents.summarize.book_chapters import Chapter
from lcagent.agents.summarize.extractive import SUMMARY_SLACK, ExtractedSentence
from lcagent.agents.write.word_count import count_words
from lcagent.documents import Span
from lcagent.pipelines.context import RunContext
from lcagent.pipelines.coverage import coverage_of, notes_on
from lcagent.pipelines.methods.chain_run import ChainRun
from lcagent.pipelines.methods.summary_options import Order
from lcagent.pipelines.runtime import Runtime
from lcagent.pipelines.steps.chain import unread_pages
from lcagent.pipelines.steps.state import UnreadState
from lcagent.pipelines.steps.summarize import SUMMARY
from lcagent.results import Usage
from lcagent.texts import Summary, SummarySection

EXTRACT_ONLY = (
    "no language model is configured: this is an extract, the most central sentences of the "
    "chapters, quoted"
)
NOTHING = "nothing was found that a summary could be made of"


@dataclass(frozen=True, slots=True)
class Made:
    """A summary before its figures.

    Attributes:
        words: Of the text, without ids of citations and titles.
        parts: How many parts there were to read; all were.
    """

    cited: CitedText
    words: int
    strategy: str
    sections: tuple[SummarySection, ...]
    parts: int
    notes: tuple[str, ...]
    unread: tuple[UnreadState, ...] = ()


def summary_of(
    made: Made, order: Order, run: RunContext, run_id: str, timings_s: Mapping[str, float]
) -> Summary:
    """Return the summary of a run that has ended."""
    notes = [*made.notes, *notes_on(run.collection.documents)]
    if not made.cited.text:
        notes.insert(0, NOTHING)
    return Summary(
        run_id=run_id,
        documents=tuple(document.name for document in run.collection.documents),
        focus=order["focus"],
        text=made.cited.text,
        sections=made.sections,
        words=made.words,
        target_words=order["words"],
        strategy=made.strategy,
        model=QUOTE if run.model is None else run.model.card.name,
        claims=made.cited.claims,
        citations=made.cited.citations,
        coverage=coverage_of(run.collection, run.pages, made.parts, made.parts, made.unread),
        usage=Usage() if run.model is None else run.record.usage,
        timings_s={name: round(seconds, 3) for name, seconds in timings_s.items()},
        notes=tuple(notes),
    )


def written(order: Order, chain: ChainRun, run: RunContext, runtime: Runtime) -> Made:
    """Return what a model wrote, the quote behind every label looked up."""
    changes = chain.changes(chain.paths[0])
    facts: dict[str, NotedFact] = {one.label: one for _, change in changes for one in change.facts}
    detail = run.record[SUMMARY].detail

    def meant(mark: Mark) -> AttributedQuote:
        fact = facts.get(mark.source)
        if fact is None:
            return AttributedQuote(mark.quote)
        return AttributedQuote(mark.quote or fact.quote, fact.page)

    text = str(detail["reply"])
    documents = run.collection.documents
    sections = tuple(
        _section(chunk.pages, chunk.text, len(change.facts), run) for chunk, change in changes
    )
    flags = [flag for _, change in changes for flag in change.flags]
    counted = (f"{flag} ({flags.count(flag)} times)" for flag in dict.fromkeys(flags))
    return Made(
        cited=cite_marks(text, meant, documents, runtime.documents.with_lines),
        words=count_words(strip_marks(text)),
        strategy="parallel" if order["is_parallel"] else "chain",
        sections=sections,
        parts=len(changes),
        notes=(*detail["flags"], *counted),
        unread=tuple(unread_pages(chain)),
    )


def extracted(
    chosen: Sequence[ExtractedSentence],
    chapters: Sequence[Chapter],
    order: Order,
    run: RunContext,
    runtime: Runtime,
) -> Made:
    """Return quoted sentences under the titles of their chapters, each of them checked."""
    quotes = [AttributedQuote(sentence.text, sentence.span.page) for sentence in chosen]
    citations = cite_quotes(quotes, run.collection.documents, runtime.documents.with_lines)
    claims = [make_claim(f"“{' '.join(one.quote.split())}”", [one]) for one in citations]
    lines: list[str] = []
    pairs = zip(chosen, claims, strict=True)
    for place, here in groupby(pairs, key=lambda pair: pair[0].chapter):
        said = (f"{one.text} [{one.citations[0]}]" for _, one in here)
        lines.append(f"## {chapters[place].title}\n\n{' '.join(said)}")
    words = sum(one.words for one in chosen)
    quoted = {one.chapter for one in chosen}
    notes = [EXTRACT_ONLY]
    missing = len(chapters) - len(quoted)
    if missing:
        notes.append(f"{missing} of {len(chapters)} chapters have no sentence in it")
    if abs(words - order["words"]) > (2 * SUMMARY_SLACK) * order["words"]:
        notes.append(f"it has {words} words instead of {order['words']}")
    return Made(
        cited=CitedText("\n\n".join(lines), tuple(claims), tuple(citations)),
        words=words,
        strategy="extract",
        sections=tuple(
            _chapter(chapter, sum(one.chapter == at for one in chosen), run)
            for at, chapter in enumerate(chapters)
        ),
        parts=len(chapters),
        notes=tuple(notes),
    )


def _chapter(chapter: Chapter, points: int, run: RunContext) -> SummarySection:
    whole = run.documents[chapter.document_id].pages[chapter.first : chapter.last + 1]
    pages = [page for page in whole if page.index + 1 in run.pages]
    text = "\n".join(page.text for page in pages)
    refs = [Span(chapter.document_id, page.index) for page in pages]
    return _section(refs, text, points, run, chapter.title)


def _section(
    refs: Sequence[Span], text: str, points: int, run: RunContext, title: str = ""
) -> SummarySection:
    document = run.documents[refs[0].document_id]
    first, last = document.pages[refs[0].page_index], document.pages[refs[-1].page_index]
    return SummarySection(
        document=document.name,
        title=title or first.section or "",
        first_page=first.number,
        last_page=last.number,
        words=count_words(text),
        points=points,
    )
