"""Citations: the marks in a model's reply, and the quotes behind them, checked by program.

A model says what a statement rests on by a mark, `[S2 "words of the passage"]` or `[F3, F7]`: the
letter and number name a source that it was shown. Models vary the form, so a colon or a comma
before the quote, several entries in one pair of brackets, and the quotation marks of any language
are read, too.

A citation never says more than the program found: a quote that is not on the page it is
attributed to is "misattributed", one that is nowhere is "not_found", and a claim that rests on
such quotes alone is unsupported.
"""

# ruff: noqa: RUF001 - the quotation marks of many languages look like those of ours

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import regex

from lcagent.documents import Box, Document, Page, Span
from lcagent.results import Citation, Claim, FoundBy
from lcagent.retrieval.quotes.checking import QuoteChecker, find_boxes
from lcagent.retrieval.sentences import sentences

MAX_MARK_CHARACTERS = 4_000
"""What opens like a mark and is not closed by then is text."""

LinesLoader: TypeAlias = Callable[[str, Page], Page]
"""Returns a page of a document (by id) with its `lines`, which stored pages come without."""

NO_PAGE = Span("", -1)
"""Where a quote is attributed to whose source does not exist."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One source that a statement is said to rest on; `quote` is empty where none was given."""

    source: str
    quote: str = ""


@dataclass(frozen=True, slots=True)
class MarkedClaim:
    """A statement, and the marks that follow it.

    Attributes:
        end: Behind its last word in the text, where a reference to what it rests on belongs.
    """

    text: str
    marks: tuple[Mark, ...]
    end: int = field(default=-1, compare=False)


@dataclass(slots=True)
class MarkNumbers:
    """Numbers different marks from 1, in the order in which they appear."""

    _numbers: dict[Mark, int] = field(default_factory=dict[Mark, int])

    def __call__(self, mark: Mark) -> int:
        """Return the number of a mark."""
        return self._numbers.setdefault(mark, len(self._numbers) + 1)

    def marks(self) -> list[Mark]:
        """Return the marks in the order of their numbers."""
        return list(self._numbers)


@dataclass(slots=True)
class MarkStream:
    """Takes the marks out of a text that arrives in pieces.

    What they say is not checked before the text is complete, so no reference is shown until then.
    What may turn out to be a mark is held back until it is complete.
    """

    _held: str = ""

    def feed(self, piece: str) -> str:
        """Return what can be shown now."""
        text = self._held + piece
        start = len(text[: _first_open(text)].rstrip(" \t"))  # the blank before a mark goes, too
        self._held = text[start:]
        return _SPACED_MARK.sub("", text[:start])

    def close(self) -> str:
        """Return what is left at the end."""
        held, self._held = self._held, ""
        return _SPACED_MARK.sub("", held)


@dataclass(frozen=True, slots=True)
class AttributedQuote:
    """A quote, and the page it is attributed to.

    Attributes:
        found_by: Who says that it is the place: the model by a mark, or lcagent by looking for it.
        score: How much of its claim lcagent found in it, 0 to 1.
    """

    text: str
    page: Span = NO_PAGE
    found_by: FoundBy = "model"
    score: float = 1.0


@dataclass(frozen=True, slots=True)
class CitedText:
    """A text whose marks are numbers of checked citations."""

    text: str
    claims: tuple[Claim, ...]
    citations: tuple[Citation, ...]


def split_claims(text: str) -> list[MarkedClaim]:
    """Return the statements of a text, each with the marks that stand behind it.

    A sentence is a statement; one with marks in its middle is cut behind each run of them.
    """
    found: list[MarkedClaim] = []
    start = 0
    for match in _RUN.finditer(text):
        before = _statements(text, start, match.start())
        marks = tuple(find_marks(match["marks"]))
        found.extend(before)
        if before:
            last = before[-1]
            found[-1] = MarkedClaim(last.text + match["stop"], marks, match.start())
        elif found:
            found[-1] = replace(found[-1], marks=(*found[-1].marks, *marks))
        start = match.end()
    found.extend(_statements(text, start, len(text)))
    return found


def find_marks(text: str) -> Iterator[Mark]:
    """Yield the marks of a text in order."""
    for bracket in _MARK.finditer(text):
        for entry in _ENTRY.finditer(bracket.group()):
            yield Mark(entry["source"], (entry["quote"] or "").strip())


def mark_spans(text: str) -> list[tuple[int, int]]:
    """Return where the marks of a text stand."""
    return [match.span() for match in _MARK.finditer(text)]


def strip_marks(text: str) -> str:
    """Return a text as it reads without its marks."""
    return _SPACE_BEFORE_STOP.sub(r"\1", _MARK.sub("", text)).strip()


def number_marks(text: str, numbers: MarkNumbers) -> str:
    """Return a text with a number in the place of each mark: `[1, 2]`."""

    def number(match: regex.Match[str]) -> str:
        found = dict.fromkeys(numbers(mark) for mark in find_marks(match.group()))
        return f"[{', '.join(map(str, found))}]"

    return _MARK.sub(number, text)


def cite_marks(
    text: str,
    source_of: Callable[[Mark], AttributedQuote],
    documents: Sequence[Document],
    with_lines: LinesLoader,
    numbers: MarkNumbers | None = None,
    prove: Callable[[str], Sequence[AttributedQuote]] | None = None,
) -> CitedText:
    """Return a text with marks as claims with checked citations.

    Args:
        source_of: Says what a mark quotes, and on which page that should stand.
        with_lines: Loads the lines of a page, for the boxes of a quote.
        numbers: Marks that are to be cited, too, whether the text has them or not, by number.
        prove: Looks for what a statement without a mark rests on.
    """
    numbers = numbers or MarkNumbers()
    number_marks(text, numbers)
    quotes = [source_of(mark) for mark in numbers.marks()]
    marked = split_claims(text)
    rests_on: list[list[int]] = []
    for each in marked:
        keys = [numbers(mark) - 1 for mark in dict.fromkeys(each.marks)]
        for quote in prove(each.text) if prove and not keys else ():
            if quote not in quotes:
                quotes.append(quote)
            keys.append(quotes.index(quote))
        rests_on.append(keys)
    citations = cite_quotes(quotes, documents, with_lines)
    claims = [
        make_claim(each.text, [citations[key] for key in keys])
        for each, keys in zip(marked, rests_on, strict=True)
    ]
    return CitedText(with_references(text, marked, claims), tuple(claims), tuple(citations))


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


def make_claim(text: str, citations: Sequence[Citation]) -> Claim:
    """Return a claim that rests on `citations`, supported if one of them was found in place."""
    is_supported = any(citation.status in ("exact", "fuzzy") for citation in citations)
    return Claim(
        text,
        tuple(citation.id for citation in citations),
        "supported" if is_supported else "unsupported",
    )


def _first_open(text: str) -> int:
    """Return where a mark begins that is not complete yet, or the length of the text."""
    for match in _OPENING.finditer(text, max(0, len(text) - MAX_MARK_CHARACTERS), partial=True):
        if not _MARK.match(text, match.start()):
            return match.start()
    return len(text)


def _statements(text: str, start: int, end: int) -> list[MarkedClaim]:
    """Return the sentences of a part of a text that say something."""
    found: list[MarkedClaim] = []
    for sentence_start, sentence_end in sentences(text[start:end]):
        sentence = text[start + sentence_start : start + sentence_end].strip()
        last = _LAST_WORD.search(sentence)
        if last is not None:
            behind = start + text[start:end].index(sentence, sentence_start) + last.end()
            found.append(MarkedClaim(sentence, (), behind))
    return found


def _citation(
    key: str,
    quote: AttributedQuote,
    checker: QuoteChecker,
    documents: Mapping[str, Document],
    with_lines: LinesLoader,
) -> Citation:
    location = checker.locate(quote.text, quote.page)
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


_OPENING = regex.compile(r"\[(?=\p{Lu}\d)|\[\p{Lu}?$")
_SOURCE = r"\p{Lu}\d{1,6}"
_QUOTE = (
    r"[\"“”„«‹「『](?<quote>(?:(?![\"”“»›」』]\s*(?:[\];]|,\s*\p{Lu}\d)).)+)"
    r"[\"”“»›」』](?=\s*(?:[\];]|,\s*\p{Lu}\d))"
)
_ENTRY = regex.compile(rf"(?<source>{_SOURCE})(?!\w)\s*(?:[:,]?\s*{_QUOTE})?", regex.DOTALL)
_BARE_QUOTE = _QUOTE.replace("?<quote>", "?:")
_BARE_ENTRY = rf"{_SOURCE}(?!\w)\s*(?:[:,]?\s*{_BARE_QUOTE})?"
_BRACKET = rf"\[\s*{_BARE_ENTRY}\s*(?:[;,]\s*{_BARE_ENTRY}\s*)*\]"
_MARK = regex.compile(_BRACKET, regex.DOTALL)
_SPACED_MARK = regex.compile(rf"[ \t]*{_BRACKET}", regex.DOTALL)
_RUN = regex.compile(
    rf"\s*(?<marks>{_BRACKET}(?:\s*{_BRACKET})*)(?<stop>[.!?,;:。！？]?)", regex.DOTALL
)
_LAST_WORD = regex.compile(r"[\p{L}\p{N}][^\p{L}\p{N}]*?(?=[\s.!?,;:。！？…]*$)")
_SPACE_BEFORE_STOP = regex.compile(r"[ \t]+([.!?,;:。！？]|$)")
