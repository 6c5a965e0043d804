"""What the verbs return. Their fields are those of `--json`; see docs/json.md.

Pages are physical, from 1; `page` is None where the format has no pages, and `section` says
where. Offsets are into the stored text of the page.
"""

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

from lcagent.documents import Box
from lcagent.proofs import Proof

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

QuoteStatus: TypeAlias = Literal["exact", "fuzzy", "misattributed", "not_found"]


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


@dataclass(frozen=True, slots=True)
class Claim:
    """A statement of the answer, and the ids of the citations that carry it."""

    text: str
    citations: tuple[str, ...]
    status: Literal["supported", "unsupported"]


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


@dataclass(frozen=True, slots=True)
class Answer(Json):
    """The answer to a question, every statement of it with checked citations.

    Attributes:
        reason: Why the method was taken.
        proof: Of a question that was answered as a tree; None of any other.
    """

    run_id: str
    question: str
    answer: str
    abstained: bool
    strategy: str
    model: str
    claims: tuple[Claim, ...]
    citations: tuple[Citation, ...]
    coverage: Coverage
    usage: Usage = field(default_factory=Usage)
    timings_s: dict[str, float] = field(default_factory=dict[str, float])
    notes: tuple[str, ...] = ()
    reason: str = ""
    proof: Proof | None = None
    schema: str = "lcagent.answer/1"


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
