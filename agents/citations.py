"""Citations: the quotes that the statements of a reply rest on, checked by program.

A citation never says more than the program found: a quote that is not on the page it is
attributed to is "misattributed", one that is nowhere is "not_found". A claim is supported where a
quote that was found says it (`evidence.py`), quoted where one was found that does not, and
unsupported where none was. How marks are read is in `marks.py`.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from lcagent.agents.claim_judge import ClaimJudge
from lcagent.agents.marks import (
    Mark,
    MarkedClaim,
    MarkNumbers,
    canonical_marks,
    mark_spans,
    number_marks,
    split_claims,
)
from lcagent.agents.quote_context import NO_PAGE, AttributedQuote
from lcagent.agents.support import SourcePage, find_support
from lcagent.documents import Box, Document, Page, Span
from lcagent.results import Citation, Claim
from lcagent.retrieval.quotes.checking import QuoteChecker, find_boxes

LinesLoader: TypeAlias = Callable[[str, Page], Page]
"""Returns a page of a document (by id) with its `lines`, which stored pages come without."""


@dataclass(frozen=True, slots=True)
class CitedText:
    """A text whose marks are numbers of checked citations."""

    text: str
    claims: tuple[Claim, ...]
    citations: tuple[Citation, ...]


def cite_marks(  # noqa: PLR0913 -- a reply, and all that it may rest on
    text: str,
    source_of: Callable[[Mark], AttributedQuote],
    documents: Sequence[Document],
    with_lines: LinesLoader,
    numbers: MarkNumbers | None = None,
    prove: Callable[[str], Sequence[AttributedQuote]] | None = None,
    *,
    question: str = "",
    labels: Collection[str] = (),
) -> CitedText:
    """Return a text with marks as claims with checked citations.

    Args:
        source_of: Says what a mark quotes, and on which page that should stand.
        with_lines: Loads the lines of a page, for the boxes of a quote.
        numbers: Marks that are to be cited, too, whether the text has them or not, by number.
        prove: Looks for what a statement rests on that has no mark, or none that proves it.
        question: What the text answers; a short answer is judged together with it.
        labels: Those that the model was shown: what only looks like a mark is text.
    """
    numbers = numbers or MarkNumbers()
    text = canonical_marks(text, labels)
    number_marks(text, numbers)
    marked = split_claims(text)
    citer = _Citer([source_of(mark) for mark in numbers.marks()], documents, with_lines)
    judge = ClaimJudge(documents, question)
    claims: list[Claim] = []
    for each in marked:
        keys = [numbers(mark) - 1 for mark in dict.fromkeys(each.marks)]
        offered = [numbers(mark) - 1 for mark in dict.fromkeys(each.offered)]
        claim = citer.claim(each.text, keys, judge)
        if claim.status != "supported" and offered:
            # One mark behind two statements covers the first as far as its quote says that.
            shared = citer.claim(each.text, offered, judge)
            claim = shared if shared.status == "supported" else claim
        if claim.status != "supported":
            claim = citer.prove(claim, keys, judge, prove, question)
        claims.append(claim)
    return CitedText(with_references(text, marked, claims), tuple(claims), tuple(citer.citations))


class _Citer:
    """The citations of a text: those of its marks first, then those that lcagent found."""

    def __init__(
        self,
        quotes: Sequence[AttributedQuote],
        documents: Sequence[Document],
        with_lines: LinesLoader,
    ) -> None:
        self._quotes = list(quotes)
        self._documents = documents
        self._with_lines = with_lines
        self._checker = QuoteChecker(documents)
        self._by_id = {document.id: document for document in documents}
        self.citations: list[Citation] = []
        for quote in quotes:
            self._add(quote)

    def claim(self, text: str, keys: Sequence[int], judge: ClaimJudge) -> Claim:
        """Return a claim that rests on some of the citations."""
        return make_claim(text, [self.citations[key] for key in keys], judge)

    def prove(
        self,
        claim: Claim,
        keys: Sequence[int],
        judge: ClaimJudge,
        prove: Callable[[str], Sequence[AttributedQuote]] | None,
        question: str,
    ) -> Claim:
        """Return the claim with what says it, if that can be found; else as it is."""
        found = [
            quote
            for key in keys
            if not self._quotes[key].text
            for quote in self._on_page(claim.text, question, self._quotes[key].page)
        ]
        found = found or list(prove(claim.text) if prove else ())
        proved = self.claim(claim.text, [self._place_of(quote) for quote in found], judge)
        if proved.status == "supported":
            return proved
        return claim if claim.citations or not found else proved

    def _on_page(self, claim: str, question: str, place: Span) -> list[AttributedQuote]:
        """Return the sentence of a page that says a claim, where a mark names the page alone."""
        document = self._by_id.get(place.document_id)
        if document is None or not 0 <= place.page_index < len(document.pages):
            return []
        page = document.pages[place.page_index]
        return find_support(claim, question, [SourcePage(place.page, page.text)])

    def _place_of(self, quote: AttributedQuote) -> int:
        same = [
            at
            for at, one in enumerate(self._quotes)
            if (one.text, one.page) == (quote.text, quote.page)
        ]
        if same:
            return same[0]
        self._quotes.append(quote)
        self._add(quote)
        return len(self._quotes) - 1

    def _add(self, quote: AttributedQuote) -> None:
        number = str(len(self.citations) + 1)
        self.citations.append(
            _citation(number, quote, self._checker, self._by_id, self._with_lines)
        )


def with_references(text: str, marked: Sequence[MarkedClaim], claims: Sequence[Claim]) -> str:
    """Return a text with a reference behind each statement, in the place of its marks.

    What is not proved does not look as if it were: `[1]` is behind what the quote says, `[1?]`
    where the quote is real and does not say all of it, `[no proof]` where there is none.
    """
    changes = [(start, end, "") for start, end in mark_spans(text)]
    changes += [
        (each.end, each.end, f" {_reference(claim)}")
        for each, claim in zip(marked, claims, strict=True)
    ]
    shown, at = "", 0
    for start, end, put in sorted(changes):
        shown += text[at:start].rstrip(" \t") if not put else text[at:start]
        shown, at = shown + put, end
    return (shown + text[at:]).strip()


def _reference(claim: Claim) -> str:
    keys = ", ".join(claim.citations)
    if claim.status == "supported":
        return f"[{keys}]"
    if claim.status == "quoted":
        return f"[{keys}?]"
    return f"[{keys}: no proof]" if keys else "[no proof]"


def cite_quotes(
    quotes: Sequence[AttributedQuote], documents: Sequence[Document], with_lines: LinesLoader
) -> list[Citation]:
    """Look each quote up in its document; return a citation of each, with ids "1", "2", ..."""
    checker = QuoteChecker(documents)
    by_id = {document.id: document for document in documents}
    return [
        _citation(str(number), quote, checker, by_id, with_lines)
        for number, quote in enumerate(quotes, 1)
    ]


def make_claim(text: str, citations: Sequence[Citation], judge: ClaimJudge | None = None) -> Claim:
    """Return a claim that rests on `citations`.

    Args:
        judge: Says whether they say it; without one the text is the quotes themselves, which are
            supported where they were found in place.
    """
    keys = tuple(citation.id for citation in citations)
    if judge is not None:
        return Claim(text, keys, judge.status(text, citations))
    is_supported = any(citation.status in ("exact", "fuzzy") for citation in citations)
    return Claim(text, keys, "supported" if is_supported else "unsupported")


def _citation(
    key: str,
    quote: AttributedQuote,
    checker: QuoteChecker,
    documents: Mapping[str, Document],
    with_lines: LinesLoader,
) -> Citation:
    # A quote of a source that is none was found if it stands in one place of all documents.
    location = checker.locate(quote.text, None if quote.page == NO_PAGE else quote.page)
    claimed = _claimed_page(quote, documents)
    where = location.spans[0].page if location.spans else quote.page
    document = documents.get(where.document_id)
    if document is None:
        return Citation(
            key,
            *("", "", None, None, None, quote.text, None, None),
            boxes=(),
            status="not_found",
            found_by=quote.found_by,
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
        found_by=quote.found_by,
        claimed_page=claimed,
    )


def _claimed_page(quote: AttributedQuote, documents: Mapping[str, Document]) -> int | None:
    """Return the number of the page that a model names; lcagent claims nothing, it looks."""
    document = documents.get(quote.page.document_id)
    if document is None or quote.found_by == "lcagent":
        return None
    return document.pages[quote.page.page_index].number


def _boxes(
    spans: Sequence[Span], page: Page, document_id: str, with_lines: LinesLoader
) -> tuple[Box, ...]:
    """Return where the part of the quote that is on its first page stands."""
    here = [span for span in spans if span.page_index == page.index]
    if not here or page.number is None:
        return ()
    page = with_lines(document_id, page)
    return tuple(box for span in here for box in find_boxes(page, span.start, span.end))
