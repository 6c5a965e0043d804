"""From quotes to citations: every quote is looked up in its source by program.

A citation never says more than the program found: a quote that is not on the page it is
attributed to is "misattributed", one that is nowhere is "not_found", and the claim that rests on
such quotes alone is unsupported.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from lcagent.agents.marks import Mark, MarkNumbers, claims_of, numbered
from lcagent.documents import Box, Document, Page, Span
from lcagent.results import Citation, Claim
from lcagent.retrieval.quotes.checking import QuoteChecker, boxes_of

LinesLoader: TypeAlias = Callable[[str, Page], Page]
"""Returns a page of a document (by id) with its `lines`, which stored pages come without."""


NO_PAGE = Span("", -1)
"""Where a quote is attributed to whose source does not exist."""


@dataclass(frozen=True, slots=True)
class AttributedQuote:
    """A quote, and the page it is attributed to."""

    text: str
    page: Span = NO_PAGE


@dataclass(frozen=True, slots=True)
class CitedText:
    """A text whose marks are numbers of checked citations."""

    text: str
    claims: tuple[Claim, ...]
    citations: tuple[Citation, ...]


def cite_marks(
    text: str,
    source_of: Callable[[Mark], AttributedQuote],
    documents: Sequence[Document],
    with_lines: LinesLoader,
    numbers: MarkNumbers | None = None,
) -> CitedText:
    """Return a text with marks as claims with checked citations.

    Args:
        source_of: Says what a mark quotes, and where that should stand.
        numbers: Of marks that are to be cited, too, whether the text has them or not.
    """
    numbers = numbers or MarkNumbers()
    shown = numbered(text, numbers)
    quotes = [source_of(mark) for mark in numbers.marks()]
    citations = cite(quotes, documents, with_lines)
    claims = [
        claim(one.text, [citations[numbers(mark) - 1] for mark in dict.fromkeys(one.marks)])
        for one in claims_of(text)
    ]
    return CitedText(shown, tuple(claims), tuple(citations))


def cite(
    quotes: Sequence[AttributedQuote], documents: Sequence[Document], with_lines: LinesLoader
) -> list[Citation]:
    """Return one checked citation per quote, with ids "1", "2", ... in their order."""
    checker = QuoteChecker(documents)
    by_id = {document.id: document for document in documents}
    return [
        _citation(str(number), quote, checker, by_id, with_lines)
        for number, quote in enumerate(quotes, 1)
    ]


def claim(text: str, citations: Sequence[Citation]) -> Claim:
    """Return a claim that rests on `citations`, supported if one of them was found in place."""
    is_supported = any(citation.status in ("exact", "fuzzy") for citation in citations)
    return Claim(
        text,
        tuple(citation.id for citation in citations),
        "supported" if is_supported else "unsupported",
    )


def _citation(
    key: str,
    quote: AttributedQuote,
    checker: QuoteChecker,
    documents: Mapping[str, Document],
    with_lines: LinesLoader,
) -> Citation:
    location = checker.locate(quote.text, quote.page)
    where = location.spans[0].page if location.spans else quote.page
    document = documents.get(where.document_id)
    if document is None:
        return Citation(
            key, "", "", None, None, None, quote.text, None, None, boxes=(), status="not_found"
        )
    page = document.pages[where.page_index]
    first = location.spans[0] if location.spans else None
    return Citation(
        id=key,
        document=document.name,
        document_id=document.id,
        page=page.number,
        page_label=page.label,
        section=page.section,
        quote=quote.text,
        start=first.start if first else None,
        end=first.end if first else None,
        boxes=_boxes(location.spans, page, document.id, with_lines),
        status=location.status,
        is_ocr=page.is_ocr,
    )


def _boxes(
    spans: Sequence[Span], page: Page, document_id: str, with_lines: LinesLoader
) -> tuple[Box, ...]:
    """Return where the part of the quote that is on its first page stands."""
    here = [span for span in spans if span.page_index == page.index]
    if not here or page.number is None:
        return ()
    page = with_lines(document_id, page)
    return tuple(box for span in here for box in boxes_of(page, span.start, span.end))
