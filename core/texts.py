"""What `write` and `summarize` return. Their fields are those of `--json`; see docs/json.md."""

from dataclasses import dataclass, field

from lcagent.results import Citation, Claim, Coverage, Json, Usage


@dataclass(frozen=True, slots=True)
class ArticleParagraph:
    """A paragraph of a text, as it was planned and as it was written.

    Attributes:
        planned_words: By the plan.
        words: That it has; 0 where it is missing.
        chapter: The heading that it stands under; empty where there is none.
        passages: How many passages of the sources it was written from.
        flags: What is to be known about it; empty where all is well.
    """

    point: str
    planned_words: int
    words: int
    chapter: str = ""
    passages: int = 0
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Article(Json):
    """A text that was written by a plan.

    Attributes:
        text: Markdown; with sources, ids of citations in brackets, and the list of them at its end.
        words: Of the paragraphs, in any script; headings and the list of sources do not count.
        target_words: As asked for; else as planned.
        S_l: LongBench-Write's score of the length, by its own counter of words.
        strategy: "sequential", or "parallel" for paragraphs that do not know each other.
        claims, citations: Empty where the text was not written from sources.
    """

    run_id: str
    instruction: str
    text: str
    plan: tuple[ArticleParagraph, ...]
    words: int
    target_words: int
    S_l: float
    strategy: str
    model: str
    claims: tuple[Claim, ...]
    citations: tuple[Citation, ...]
    coverage: Coverage
    usage: Usage = field(default_factory=Usage)
    timings_s: dict[str, float] = field(default_factory=dict[str, float])
    notes: tuple[str, ...] = ()
    schema: str = "lcagent.article/1"


@dataclass(frozen=True, slots=True)
class SummarySection:
    """A chapter, or a chunk, as it was read.

    Attributes:
        first_page, last_page: Physical pages, from 1; None where the format has no pages.
        words: Of the section; what was read, not what was written of it.
        points: Points that a model noted of it; sentences that were quoted of it.
    """

    document: str
    title: str
    first_page: int | None
    last_page: int | None
    words: int
    points: int


@dataclass(frozen=True, slots=True)
class Summary(Json):
    """A summary of documents, every statement of it with checked citations.

    Attributes:
        documents: Their names.
        focus: What it was asked to be about; empty for everything.
        text: Ids of citations in brackets; of quoted sentences, under the titles of chapters.
        words: Of the text, without ids and titles.
        strategy: "chain" where each reader knew the notes before, "parallel" where none did,
            "extract" where sentences were quoted without a model.
    """

    run_id: str
    documents: tuple[str, ...]
    focus: str
    text: str
    sections: tuple[SummarySection, ...]
    words: int
    target_words: int
    strategy: str
    model: str
    claims: tuple[Claim, ...]
    citations: tuple[Citation, ...]
    coverage: Coverage
    usage: Usage = field(default_factory=Usage)
    timings_s: dict[str, float] = field(default_factory=dict[str, float])
    notes: tuple[str, ...] = ()
    schema: str = "lcagent.summary/1"
