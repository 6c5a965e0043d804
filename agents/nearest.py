"""The lines of some pages that are nearest to a question, for a prompt with little room.

Whole pages drown the sentence that answers, the more so the smaller a model is
(docs/decisions/0017). So the best sentences of what a search found are shown, each with those
round it, and the page that has the best of them stands last, right before the question. A row of
a table comes with the heads of its columns. Where these are years, the values of those that the
question names are told by name besides, because small models cannot count columns.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from lcagent.agents.answering import LabelledPassage
from lcagent.agents.quoting import rank_sentences
from lcagent.agents.token_budget import CountTokens, truncate_end
from lcagent.documents import Document, Page, Span
from lcagent.retrieval.quotes.normalizing import on_one_line
from lcagent.retrieval.search.layout import body_spans, is_table_row
from lcagent.retrieval.search.retriever import SearchResults
from lcagent.retrieval.sentences import sentences

SHARE_OF_SENTENCES = 0.7
MOST_SENTENCES = 40
"""More than fit into the room there is."""

NEIGHBOURS = 1
"""Sentences shown before and after a near one: who "she" is stands there."""

FRAME_TOKENS = 16
"""What a gap, a name and a blank line take, at most about."""

GAP = "…"

VALUE, ENGLISH_VALUE = "{row} ({year}): {value}", "The number for “{row}” in {year} is {value}."


def pack_nearest(
    found: SearchResults,
    documents: Mapping[str, Document],
    budget_tokens: int,
    count: CountTokens,
) -> list[LabelledPassage]:
    """Choose the sentences nearest to the question that fit; the page with the best comes last.

    They are shown without their labels: what an answer rests on is looked up afterwards, and small
    models repeat a label in the place of an answer. Only documents are told apart by their names.
    """
    shown: dict[Span, _Shown] = {}
    left = budget_tokens
    for span, is_near in _candidates(found):
        if is_near and left < budget_tokens * (1 - SHARE_OF_SENTENCES):
            continue
        page = shown.get(span.page) or _page(span, found, documents)
        wanted = (page.numbers_round(span) if is_near else page.numbers_in(span)) - page.numbers
        size = sum(count(page.line(number)) + 1 for number in wanted)
        size += FRAME_TOKENS if span.page not in shown else 0
        if size <= left:
            page.numbers |= wanted
            shown[span.page] = page
            left -= size
    # A stable sort of what is there best first.
    in_order = list(reversed(shown.values()))
    names = {page.document.id for page in in_order}
    return [
        LabelledPassage(
            f"S{number}",
            Span(page.document.id, page.page.index),
            f"{page.document.name}:\n{text}" if len(names) > 1 else text,
        )
        for number, page in enumerate(in_order, 1)
        if (text := page.text(found.query.text))
    ] or _beginning(found, budget_tokens, count)


def _candidates(found: SearchResults) -> Iterator[tuple[Span, bool]]:
    for quote in rank_sentences(found, MOST_SENTENCES, same_page_factor=1.0):
        yield quote.span, True
    for passage in found.passages:
        yield passage.span, False


@dataclass(slots=True)
class _Shown:
    """What is shown of a page: some of its sentences, by their numbers."""

    document: Document
    page: Page
    spans: list[tuple[int, int]]
    numbers: set[int] = field(default_factory=set[int])

    def line(self, number: int) -> str:
        """Return a sentence on one line, without the hyphens of line breaks."""
        start, end = self.spans[number]
        return on_one_line(_HYPHEN.sub("", self.page.text[start:end]))

    def numbers_round(self, near: Span) -> set[int]:
        """Return a near sentence and its neighbours; a row, and all between it and its heads."""
        at = next(i for i, (start, end) in enumerate(self.spans) if start <= near.start < end)
        if not is_table_row(self.line(at)):
            return {
                i for i in range(at - NEIGHBOURS, at + NEIGHBOURS + 1) if 0 <= i < len(self.spans)
            }
        first = at
        while first and is_table_row(self.line(first - 1)):
            first -= 1
        title = {first - 1} if first else set[int]()
        return {at, first, *title}

    def numbers_in(self, part: Span) -> set[int]:
        """Return the sentences that begin in a part of the page."""
        return {i for i, (start, _) in enumerate(self.spans) if part.start <= start < part.end}

    def text(self, question: str) -> str:
        """Return the chosen sentences, with a gap where others stand between them."""
        lines: list[str] = []
        last = -1
        for number in sorted(self.numbers):
            is_apart = number != last + 1 and last >= 0
            line = self.line(number)
            lines.append(f"{GAP}\n{line}" if is_apart and not is_table_row(line) else line)
            last = number
        return "\n".join([*lines, *self._named_values(question)])

    def _named_values(self, question: str) -> list[str]:
        """Return the values of rows for the years that a question names, as sentences.

        "Foot passengers, 2019: 48,216" is misread where the same as a sentence is read right.
        """
        is_english = (self.document.language or "en").startswith("en")
        form = ENGLISH_VALUE if is_english else VALUE
        years: list[str] = []
        found: list[str] = []
        for number in sorted(self.numbers):
            words = self.line(number).split()
            if len(words) > 1 and all(_YEAR.fullmatch(word) for word in words):
                years = words
            elif years and is_table_row(self.line(number)) and len(words) > len(years):
                row = " ".join(words[: -len(years)])
                values = zip(years, words[-len(years) :], strict=True)
                found += [
                    form.format(row=row, year=year, value=value)
                    for year, value in values
                    if year in question
                ]
        return found


def _page(near: Span, found: SearchResults, documents: Mapping[str, Document]) -> _Shown:
    document = documents[near.document_id]
    page = document.pages[near.page_index]
    running = found.running.get(document.id, frozenset())
    spans = [
        (body_start + start, body_start + end)
        for body_start, body_end in body_spans(page.text, running)
        for start, end in sentences(
            page.text[body_start:body_end], found.query.analyzer.language or None
        )
    ]
    return _Shown(document, page, spans)


def _beginning(
    found: SearchResults, budget_tokens: int, count: CountTokens
) -> list[LabelledPassage]:
    """Return the beginning of the best passage, where no sentence fits."""
    if not found.passages:
        return []
    best = found.passages[0]
    text = truncate_end(best.text, max(0, budget_tokens - FRAME_TOKENS), count)
    return [LabelledPassage("S1", Span(best.span.document_id, best.page.index), text)]


_HYPHEN = re.compile(r"(?<=[^\W\d_])-\n(?=[^\W\d_])")
_YEAR = re.compile(r"(?:1[5-9]|20)\d\d")
