"""Checks quotes against the pages they are said to come from, by program.

A quote is looked for on the page that is claimed, over its page breaks, and on all other pages;
each time first exactly, then as one contiguous passage with a few slips, then round a line that
does not belong to the text. What is not found was not quoted. A long quote is looked for exactly
only.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import regex

from lcagent.documents import Box, Document, Line, Page, Span
from lcagent.results import QuoteStatus
from lcagent.retrieval.quotes.markdown_signs import normalize_without_signs, without_signs
from lcagent.retrieval.quotes.matching import (
    LONGEST_NEARLY,
    Match,
    Search,
    find_around_interruption,
    find_exactly,
    find_in_pieces,
    find_nearly,
)
from lcagent.retrieval.quotes.normalizing import Normalized, normalize
from lcagent.retrieval.quotes.stretches import Stretch, over_page_break, whole_page
from lcagent.retrieval.reading.reader import MARKDOWN

SHORTEST_QUOTE = 12
SHORTEST_CJK_QUOTE = 6
MOST_PIECES = 20
"""Pieces of a quote, between ellipses, that are looked for one by one."""


@dataclass(frozen=True, slots=True)
class Location:
    """What became of a quote.

    Attributes:
        spans: Where it stands, in order; the first is on the page where it begins.
        score: How similar the text found is to the quote, 0 to 1.
        reason: Why it was not found, or None.
    """

    status: QuoteStatus
    spans: tuple[Span, ...] = ()
    score: float = 0.0
    reason: str | None = None


class QuoteChecker:
    """Finds quotes in some documents; keeps their normalised text as long as it lives."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self._documents = {document.id: document for document in documents}
        self._texts: dict[Span, Normalized] = {}
        self._pages: dict[Span, Stretch] = {}
        self._without_signs: dict[Span, Stretch | None] = {}
        self._words: Counter[str] | None = None

    def locate(self, quote: str, claimed: Span | None = None) -> Location:
        """Return where `quote` stands.

        Takes a millisecond or two on the page that is `claimed`; else some 20 for a document
        of 700 pages, and the first time 0.3 seconds to normalise them all.

        Args:
            claimed: Where it is said to stand: of this only the page counts, and a page that
                does not exist is a wrong claim. Without a claim, a quote found anywhere is exact
                or fuzzy.
        """
        claimed = claimed and claimed.page
        wanted = _Wanted.of(quote)
        if wanted.objection:
            return Location("not_found", reason=wanted.objection)
        if claimed and self._exists(claimed):
            found = self._on_page(wanted, claimed)
            if found:
                return found
        found = self._anywhere(wanted, claimed)
        if found is None:
            hidden = self._is_hidden(wanted)
            return Location("not_found", reason="hidden text" if hidden else wanted.if_not_found)
        return Location("misattributed", found.spans, found.score) if claimed else found

    def locate_among(self, quote: str, pages: Sequence[Span]) -> Location:
        """Return where `quote` stands on one of some pages or over their breaks, and only there."""
        wanted = _Wanted.of(quote)
        if wanted.objection:
            return Location("not_found", reason=wanted.objection)
        found = (self._on_page(wanted, span.page) for span in pages if self._exists(span))
        return next(filter(None, found), Location("not_found", reason=wanted.if_not_found))

    def _exists(self, ref: Span) -> bool:
        document = self._documents.get(ref.document_id)
        return document is not None and 0 <= ref.page_index < len(document.pages)

    def _text(self, ref: Span) -> Normalized:
        if ref not in self._texts:
            page = self._documents[ref.document_id].pages[ref.page_index]
            self._texts[ref] = normalize(page.text)
        return self._texts[ref]

    def _count(self, word: str) -> int:
        """Return how often the documents have a word; all are counted when the first is asked."""
        if self._words is None:
            pages = (page for document in self._documents.values() for page in document.pages)
            self._words = Counter(
                word for page in pages for word in _WHOLE_WORDS.findall(page.text.lower())
            )
        return self._words[word]

    def _page(self, ref: Span) -> Stretch:
        if ref not in self._pages:
            self._pages[ref] = whole_page(ref.page_index, self._text(ref), self._count)
        return self._pages[ref]

    def _page_without_signs(self, ref: Span) -> Stretch | None:
        """Return a page of Markdown as its words; None where it has no signs, or is none."""
        if ref not in self._without_signs:
            document = self._documents[ref.document_id]
            text = document.pages[ref.page_index].text if document.media_type == MARKDOWN else ""
            found = normalize_without_signs(text)
            stretch = None if found is None else whole_page(ref.page_index, found, self._count)
            self._without_signs[ref] = stretch
        return self._without_signs[ref]

    def _over_breaks(self, ref: Span) -> Iterator[Stretch]:
        pages = self._documents[ref.document_id].pages
        for first in (ref.page_index, ref.page_index - 1):
            before, after = Span(ref.document_id, first), Span(ref.document_id, first + 1)
            if self._exists(before) and self._exists(after):
                yield over_page_break(
                    pages, first, self._text(before), self._text(after), self._count
                )

    def _on_page(self, wanted: "_Wanted", ref: Span) -> Location | None:
        """Look on the page and over its breaks, the surest way first."""
        page, joined = self._page(ref), list(self._over_breaks(ref))
        words = self._page_without_signs(ref)
        texts = [(each, wanted.text) for each in (page, *joined)]
        texts += [(words, wanted.words)] if words else []
        for search in wanted.searches():
            for stretch, text in texts:
                match = search(stretch, text)
                found = match and _location(ref.document_id, stretch, match)
                # Over a page break a match may lie wholly on the neighbour, which was not claimed.
                if found and any(span.page == ref for span in found.spans):
                    return found
        return None

    def _anywhere(self, wanted: "_Wanted", near: Span | None) -> Location | None:
        candidates = self._candidates(wanted, near)
        # Exactly on any page before nearly on the best: a near match that is wrong costs trust.
        for ref in candidates:
            match = find_exactly(self._page(ref), wanted.text)
            if match:
                return _location(ref.document_id, self._page(ref), match)
        # A near search costs a millisecond a page, so only the likeliest pages get one.
        found = (self._on_page(wanted, ref) for ref in candidates[:_MAX_CANDIDATES])
        return next(filter(None, found), None)

    def _candidates(self, wanted: "_Wanted", near: Span | None) -> list[Span]:
        """Return the pages that have at least half of the words, those with most of them first."""
        scores: dict[Span, int] = {}
        probes = wanted.probes()
        for document in self._documents.values():
            for page in document.pages:
                ref = Span(document.id, page.index)
                lowered = self._page(ref).lowered if page.text else ""
                scores[ref] = sum(probe in lowered for probe in probes)

        def order(ref: Span) -> tuple[int, bool, int]:
            if near is None:
                return -scores[ref], False, 0
            distance = abs(ref.page_index - near.page_index)
            return -scores[ref], ref.document_id != near.document_id, distance

        return sorted((ref for ref in scores if scores[ref] * 2 >= len(probes)), key=order)

    def _is_hidden(self, wanted: "_Wanted") -> bool:
        hidden = (
            whole_page(page.index, normalize(hidden.text))
            for document in self._documents.values()
            for page in document.pages
            for hidden in page.hidden
        )
        return any(search(text, wanted.text) for text in hidden for search in wanted.searches())


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A quote as it is looked for, and what speaks against it."""

    text: str
    pieces: tuple[str, ...]
    objection: str | None

    @classmethod
    def of(cls, quote: str) -> "_Wanted":
        text = _WRAPPING.sub("", normalize(quote).text)
        pieces = tuple(piece for part in _ELLIPSIS.split(text) if (piece := part.strip()))
        too_short = next(
            (piece for piece in pieces or ("",) if len(piece) < _shortest(piece)), None
        )
        if too_short is None:
            return cls(text, pieces, None)
        what = "a piece of the quote" if len(pieces) > 1 else "the quote"
        return cls(text, pieces, f"{what} is under {_shortest(too_short)} characters")

    @property
    def words(self) -> str:
        """The text without the signs of Markdown."""
        return normalize(without_signs(self.text)).text

    def searches(self) -> list[Search]:
        """Return the ways to look for it, the surest first; only the first if it is long."""
        if self._is_long:
            return [find_exactly]
        last = self._in_pieces if len(self.pieces) > 1 else find_around_interruption
        return [find_exactly, find_nearly, last]

    def _in_pieces(self, stretch: Stretch, _: str) -> Match | None:
        return find_in_pieces(stretch, self.pieces)

    @property
    def _is_long(self) -> bool:
        return len(self.text) > LONGEST_NEARLY or len(self.pieces) > MOST_PIECES

    @property
    def if_not_found(self) -> str:
        """Why it was not found."""
        if not self._is_long:
            return "no such text"
        return (
            f"not there word for word; slips are allowed up to {LONGEST_NEARLY:,} characters "
            f"and {MOST_PIECES} pieces"
        )

    def probes(self) -> list[str]:
        """Return a few strings that a page with the quote should have most of."""
        text = self.text.lower()
        words = set(_WORDS.findall(text))
        # Long words are rare words; a page without half of them cannot hold the quote.
        longest = sorted(words, key=lambda word: (-len(word), word))[:_MAX_PROBES]
        return longest or [text]


def is_evidence(quote: str) -> bool:
    """Say whether a quote is long enough to be told from words that stand anywhere."""
    return _Wanted.of(quote).objection is None


def _shortest(piece: str) -> int:
    letters, cjk = _LETTERS.findall(piece), _CJK.findall(piece)
    return SHORTEST_CJK_QUOTE if len(cjk) * 2 > len(letters) else SHORTEST_QUOTE


def _location(document_id: str, stretch: Stretch, match: Match) -> Location:
    spans = tuple(
        Span(document_id, page_index, first, last)
        for start, end in match.pieces
        for page_index, first, last in stretch.page_spans(start, end)
    )
    return Location("exact" if match.is_exact else "fuzzy", spans, match.score)


def find_boxes(page: Page, start: int, end: int) -> tuple[Box, ...]:
    """Return where the characters `start` to `end` stand on the page, a box for each line.

    Widths are shared out evenly among a line's characters; a line that has letters written from
    right to left is returned whole.
    """
    touched = (line for line in page.lines if line.start < end and line.end > start)
    return tuple(
        _narrow(page, line, max(start, line.start), min(end, line.end)) for line in touched
    )


def _narrow(page: Page, line: Line, start: int, end: int) -> Box:
    x0, y0, x1, y1 = line.box
    if _RIGHT_TO_LEFT.search(page.text, line.start, line.end):
        return line.box
    width = (x1 - x0) / (line.end - line.start)
    return x0 + (start - line.start) * width, y0, x0 + (end - line.start) * width, y1


_MAX_CANDIDATES = 6
_MAX_PROBES = 12
# Each run is tried from its start only, so that the time grows with the length, not its square.
_WRAPPING = regex.compile(
    r"^[\s'\[(]*+\.{3,}+[\])]*|(?<![\s'\[(.])[\s'\[(]*+\.{3,}+[\s'\])]*+$|^[\s']++|(?<![\s'])[\s']++$"
)
_ELLIPSIS = regex.compile(r"[\[(]? ?\.(?: ?\.){2,} ?[\])]?")
_WORDS = regex.compile(
    r"[\p{Han}\p{Hiragana}\p{Katakana}]{2}|[^\W\p{Han}\p{Hiragana}\p{Katakana}]{3,}"
)
_WHOLE_WORDS = regex.compile(r"\p{L}+")
_LETTERS = regex.compile(r"\p{L}")
_CJK = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}]")
_RIGHT_TO_LEFT = regex.compile(r"[\p{Hebrew}\p{Arabic}\p{Syriac}\p{Thaana}]")
