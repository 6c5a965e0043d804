"""What a session returns. The fields are those of `--json`; see docs/json.md.

Pages are physical, from 1; `page` is None where the format has no pages, and `section` says
where. Offsets are into the stored text of the page.
"""

from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

from lcagent.documents import Box
from lcagent.proofs import Proof
from lcagent.rendering import markdown, place_in_words, plain
from lcagent.visible_text import inert, printable

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

QuoteStatus: TypeAlias = Literal["exact", "fuzzy", "misattributed", "not_found"]
ClaimStatus: TypeAlias = Literal["supported", "quoted", "unsupported"]
FoundBy: TypeAlias = Literal["model", "lcagent"]
Outcome: TypeAlias = Literal["answered", "nearest", "not_mentioned"]


class Json:
    """What `--json` prints and the store keeps: the fields, their `schema` first."""

    __slots__ = ()

    def as_json(self) -> dict[str, Any]:
        """Return the fields as JSON knows them."""
        fields = asdict(cast("DataclassInstance", self))
        return {"schema": fields.pop("schema"), **fields}


@dataclass(frozen=True, slots=True)
class Citation:
    """A quote, and where in the source a program found it.

    Attributes:
        status: "exact" or "fuzzy" on the page that was claimed, "misattributed" on another
            page of the same sources, or "not_found".
        boxes: Where the quote stands on the page; empty for formats without pages.
        is_ocr: The page's text was recognised from an image.
        found_by: Who says that it belongs to the statement: a model's mark, or lcagent, which
            looked for it in what the model was shown.
        claimed_page: The physical page that a mark names, wherever the quote stands.
    """

    id: str
    document: str
    document_id: str
    page: int | None
    page_label: str | None
    section: str | None
    quote: str
    start: int | None
    end: int | None
    boxes: tuple[Box, ...]
    status: QuoteStatus
    is_ocr: bool = False
    found_by: FoundBy = "model"
    claimed_page: int | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """A statement of the answer, and the ids of the citations that it rests on.

    `status` is "supported" where a quote that was found says it, as far as a program can see;
    "quoted" where quotes were found that do not say all of it; else "unsupported".
    """

    text: str
    citations: tuple[str, ...]
    status: ClaimStatus


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A page that was not read, and why.

    Attributes:
        page: None where the format has no pages, or the whole document was not read.
        section: The part of a document without pages.
    """

    document: str
    page: int | None
    reason: str
    section: str | None = None


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of the sources was read. Counts are pages, or parts where there are no pages.

    Attributes:
        pages_without_text: Numbers of pages; of several documents, `left_out` tells which.
        chunks_read: Those on the pages that were read.
    """

    pages: int
    pages_read: int
    pages_without_text: tuple[int, ...] = ()
    chunks: int = 0
    chunks_read: int = 0
    left_out: tuple[LeftOut, ...] = ()


@dataclass(frozen=True, slots=True)
class Usage:
    """Calls to models and what they cost. `usd` is None where a price is not known."""

    calls: int = 0
    cached_calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    usd: float | None = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Result(Json):
    """What every task of a model or of the quoting method returns.

    `print(result)` shows it as a person reads it; a notebook renders it; `pandas.DataFrame` takes
    its `rows`.

    Attributes:
        run_id: Under which the run is stored.
        strategy: The method that was taken.
        claims: The statements of the text, in order.
        citations: In the order in which the text refers to them.
        timings_s: Wall-clock seconds by phase.
        notes: What one should know before trusting it.
    """

    run_id: str
    strategy: str
    model: str
    claims: tuple[Claim, ...] = ()
    citations: tuple[Citation, ...] = ()
    coverage: Coverage
    usage: Usage = field(default_factory=Usage)
    timings_s: dict[str, float] = field(default_factory=dict[str, float])
    notes: tuple[str, ...] = ()

    @property
    def body(self) -> str:
        """What the result says, the ids of citations in brackets."""
        raise NotImplementedError

    def as_json(self) -> dict[str, Any]:
        """Return the fields as JSON knows them: what was asked and said first, then the rest."""
        everything = asdict(self)
        shared = {name: everything.pop(name) for name in (each.name for each in fields(Result))}
        first = {"schema": everything.pop("schema"), "run_id": shared.pop("run_id")}
        return {**first, **everything, **shared}

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each citation, with the first statement that rests on it."""
        claim_of = {key: claim for claim in reversed(self.claims) for key in claim.citations}
        return [
            {
                "claim": claim_of[one.id].text if one.id in claim_of else None,
                "claim_status": claim_of[one.id].status if one.id in claim_of else None,
                **{key: value for key, value in asdict(one).items() if key != "boxes"},
            }
            for one in self.citations
        ]

    def __str__(self) -> str:
        """Return the text with its citations and notes."""
        return plain(self.body, self.citations, self.notes, self.claims, self.model)

    def _repr_markdown_(self) -> str:
        """Return what a notebook shows."""
        return markdown(self.body, self.citations, self.notes, self.claims, self.model)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Result):
    """The answer to a question, every statement of it with checked citations.

    Attributes:
        outcome: "answered"; "nearest" where only the nearest passages can be shown, which are the
            citations; "not_mentioned" where what judged the text says that it is not there.
        finish: "cut" where the reply broke off at its limit or was withheld from there on.
        reason: Why the method was taken.
        proof: Of a question that was answered as a tree; None of any other.
    """

    question: str
    answer: str
    outcome: Outcome = "answered"
    finish: Literal["complete", "cut"] = "complete"
    reason: str = ""
    proof: Proof | None = None
    schema: str = "lcagent.answer/2"

    @property
    def body(self) -> str:
        """The answer."""
        return self.answer


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Article(Result):
    """A text that was written by a plan.

    `strategy` is "sequential", or "parallel" for paragraphs that do not know each other; `claims`
    and `citations` are empty where the text was not written from sources.

    Attributes:
        text: Markdown; with sources, ids of citations in brackets, and the list of them at its end.
        words: Of the paragraphs, in any script; headings and the list of sources do not count.
        target_words: As asked for; else as planned.
        S_l: LongBench-Write's score of the length, by its own counter of words.
    """

    instruction: str
    text: str
    plan: tuple[ArticleParagraph, ...]
    words: int
    target_words: int
    S_l: float
    schema: str = "lcagent.article/1"

    @property
    def body(self) -> str:
        """The text, which ends with the list of its sources."""
        return self.text

    def __str__(self) -> str:
        """Return the text with its notes."""
        return plain(self.text, (), self.notes)

    def _repr_markdown_(self) -> str:
        """Return what a notebook shows."""
        return markdown(self.text, (), self.notes)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary(Result):
    """A summary of documents, every statement of it with checked citations.

    `strategy` is "chain" where each worker knew the notes before, "parallel" where none did,
    "extract" where sentences were quoted without a model.

    Attributes:
        documents: Their names.
        focus: What it was asked to be about; empty for everything.
        text: Ids of citations in brackets; of quoted sentences, under the titles of chapters.
        words: Of the text, without ids and titles.
    """

    documents: tuple[str, ...]
    focus: str
    text: str
    sections: tuple[SummarySection, ...]
    words: int
    target_words: int
    schema: str = "lcagent.summary/1"

    @property
    def body(self) -> str:
        """The text."""
        return self.text


@dataclass(frozen=True, slots=True)
class Hit:
    """One result of a search. Ranks count from 1 and are None where that index missed it."""

    rank: int
    document: str
    document_id: str
    page: int | None
    page_label: str | None
    section: str | None
    text: str
    start: int
    end: int
    score: float
    lexical_rank: int | None
    dense_rank: int | None


@dataclass(frozen=True, slots=True)
class SearchResult(Json):
    """The passages of a search, best first."""

    query: str
    hits: tuple[Hit, ...]
    coverage: Coverage
    notes: tuple[str, ...] = ()
    schema: str = "lcagent.search/1"

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each hit."""
        return [asdict(hit) for hit in self.hits]

    def __str__(self) -> str:
        """Return the passages with their places."""
        lines = [
            f"{hit.rank}. {place_in_words(hit)}\n   {' '.join(hit.text.split())}"
            for hit in self.hits
        ]
        return printable("\n".join(lines or ["Nothing in the documents matches."]))

    def _repr_markdown_(self) -> str:
        """Return what a notebook shows."""
        return inert("\n\n".join(str(self).split("\n   ")))


@dataclass(frozen=True, slots=True)
class Plan(Json):
    """What a question will take, known before any of it is paid for.

    Attributes:
        document_tokens: Of the text that will be searched or read, by the model's own count; of
            a text far too long for the window, an estimate.
        calls: As planned; a reader whose reply carries nothing is asked once more.
        prompt_tokens, completion_tokens, usd: If every message and every reply is as long as it
            may be; `usd` is None where the price of the model is not known.
        depth: How many of the calls have to wait for another.
    """

    question: str
    strategy: str
    reason: str
    model: str
    window_tokens: int
    documents: int
    pages: int
    document_tokens: int
    calls: int
    depth: int
    prompt_tokens: int
    completion_tokens: int
    usd: float | None
    notes: tuple[str, ...] = ()
    schema: str = "lcagent.plan/1"

    def lines(self) -> list[str]:
        """Return what a person wants to know of it, a line each."""
        cost = "price not known" if self.usd is None else f"at most ${self.usd:.4f}"
        window = f", a window of {self.window_tokens:,} tokens" if self.window_tokens else ""
        documents = f"{self.documents} document{'s' * (self.documents != 1)}"
        tokens = f"{self.prompt_tokens:,} to read and {self.completion_tokens:,} to write"
        return [
            f"method   {self.strategy}: {self.reason}",
            f"model    {self.model}{window}",
            f"text     {self.pages} pages in {documents}, about {self.document_tokens:,} tokens",
            f"calls    {self.calls}, {self.depth} of them one after the other",
            f"tokens   at most {tokens}",
            f"cost     {cost}",
            *(f"note     {note}" for note in self.notes),
        ]

    def __str__(self) -> str:
        """Return it as the command prints it."""
        return printable("\n".join(self.lines()))
