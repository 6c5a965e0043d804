"""From what was noted, or from quoted sentences, to a summary with checked citations."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from lcagent.agents.chain.notes import NotedFact
from lcagent.agents.citations import CitedText, cite_marks, cite_quotes, make_claim
from lcagent.agents.marks import Mark, strip_marks
from lcagent.agents.quote_context import AttributedQuote
from lcagent.agents.summarize.book_chapters import Chapter
from lcagent.agents.summarize.extractive import SUMMARY_SLACK, ExtractedSentence
from lcagent.agents.support import find_support
from lcagent.agents.write.word_count import count_words
from lcagent.documents import Span
from lcagent.pipelines.context import RunContext
from lcagent.pipelines.coverage import coverage_of, notes_on
from lcagent.pipelines.methods.chain.run import ChainRun, unread_pages
from lcagent.pipelines.methods.summarize.options import SummarizeOptions
from lcagent.pipelines.methods.summarize.run import SUMMARY, focus_of
from lcagent.pipelines.state import UnreadState
from lcagent.pipelines.text_files import source_list
from lcagent.rendering import unproved_in_words
from lcagent.results import Summary, SummarySection, Usage
from lcagent.tasks import QUOTE

EXTRACT_ONLY = (
    "no language model is configured: this is an extract, the most central sentences of the "
    "chapters, quoted"
)
BASELESS = (
    "the model wrote nothing that the text says: this is an extract instead, its most central "
    "sentences, quoted"
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

    @property
    def is_baseless(self) -> bool:
        """Whether no statement of it has a quote, or it states nothing."""
        return all(claim.status == "unsupported" for claim in self.cited.claims)


def summary_of(made: Made, run: RunContext, timings_s: dict[str, float]) -> Summary:
    """Return the summary of a run that has ended."""
    notes = [
        *made.notes,
        *unproved_in_words(made.cited.claims),
        *notes_on(run.collection.documents),
    ]
    if not made.cited.text:
        notes.insert(0, NOTHING)
    return Summary(
        run_id=run.log.run_id,
        documents=tuple(document.name for document in run.collection.documents),
        focus=focus_of(run),
        text=made.cited.text,
        sections=made.sections,
        words=made.words,
        target_words=run.options(SummarizeOptions).words,
        strategy=made.strategy,
        model=QUOTE if run.model is None else run.model.card.name,
        claims=made.cited.claims,
        citations=made.cited.citations,
        coverage=coverage_of(run.collection, run.pages, made.parts, made.parts, made.unread),
        usage=Usage() if run.model is None else run.log.usage,
        timings_s=timings_s,
        notes=tuple(notes),
    )


def written(chain: ChainRun, run: RunContext) -> Made:
    """Return what a model wrote, the quote behind every label looked up."""
    changes = chain.changes(chain.paths[0])
    facts: dict[str, NotedFact] = {
        fact.label: fact for _, change in changes for fact in change.facts
    }
    detail = run.log[SUMMARY].detail

    def meant(mark: Mark) -> AttributedQuote:
        fact = facts.get(mark.source)
        if fact is None:
            return AttributedQuote(mark.quote)
        return AttributedQuote(mark.quote or fact.quote, fact.page)

    shown = run.asked_pages

    def prove(claim: str) -> list[AttributedQuote]:
        return find_support(claim, "", shown)

    text = str(detail["reply"])
    documents = run.collection.documents
    sections = tuple(
        _section(chunk.pages, chunk.text, len(change.facts), run) for chunk, change in changes
    )
    flags = [flag for _, change in changes for flag in change.flags]
    counted = (f"{flag} ({flags.count(flag)} times)" for flag in dict.fromkeys(flags))
    return Made(
        cited=cite_marks(text, meant, documents, run.with_lines, prove=prove),
        words=count_words(strip_marks(text)),
        strategy="parallel" if run.options(SummarizeOptions).is_parallel else "chain",
        sections=sections,
        parts=len(changes),
        notes=(*detail["flags"], *counted),
        unread=tuple(unread_pages(chain)),
    )


def extracted(
    chosen: Sequence[ExtractedSentence],
    chapters: Sequence[Chapter],
    run: RunContext,
    why: str = EXTRACT_ONLY,
) -> Made:
    """Return quoted sentences under the titles of their chapters, each of them checked.

    Args:
        why: What the user is told about it.
    """
    quotes = [AttributedQuote(sentence.text, sentence.span.page, "lcagent") for sentence in chosen]
    citations = cite_quotes(quotes, run.collection.documents, run.with_lines)
    claims = [make_claim(f"“{' '.join(one.quote.split())}”", [one]) for one in citations]
    lines: list[str] = []
    pairs = zip(chosen, claims, strict=True)
    for place, here in groupby(pairs, key=lambda pair: pair[0].chapter):
        said = (f"{one.text} [{one.citations[0]}]" for _, one in here)
        lines.append(f"## {chapters[place].title}\n\n{' '.join(said)}")
    words = sum(one.words for one in chosen)
    quoted = {one.chapter for one in chosen}
    notes = [why]
    missing = len(chapters) - len(quoted)
    if missing:
        notes.append(f"{missing} of {len(chapters)} chapters have no sentence in it")
    wanted = run.options(SummarizeOptions).words
    if abs(words - wanted) > (2 * SUMMARY_SLACK) * wanted:
        notes.append(f"it has {words} words instead of {wanted}")
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


def as_markdown(summary: Summary) -> str:
    """Return a summary as it stands in a file: with its list of sources."""
    heading = f"# {', '.join(summary.documents)}"
    return f"{heading}\n\n{summary.text}{source_list(summary.citations, summary.claims)}"


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
