"""Answering by quoting: the sentences of the documents that say most of what is asked.

No language model is involved, so nothing is put into other words and nothing is concluded: what
comes out stands in the documents. Where they say too little of what was asked, the same sentences
are no answer but the nearest there is, and are told apart.
"""

import re
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from math import exp

from lcagent.documents import Passage, Span
from lcagent.retrieval.quotes.checking import is_evidence
from lcagent.retrieval.quotes.normalizing import on_one_line
from lcagent.retrieval.search.layout import body_spans, is_table_row
from lcagent.retrieval.search.query import Query
from lcagent.retrieval.search.retriever import SearchResults
from lcagent.retrieval.sentences import sentences

MAX_QUOTES = 3

MAX_SHARE_NEEDED, SHARE_NEEDED_OF_ONE_TERM, EXTRA_SHARE_FOR_NAMES = 0.6, 1.5, 0.15
"""How much of what is asked, by weight, some sentences must have the words for: less of a long
question, which no text has all the words of, and more where a name that is asked for is missing."""

PAGE_SHARE_FACTOR = 1.2
"""So many times as much of it the page round them must have the words for."""

INFLECTED_SHARE_FACTOR = 0.75
"""By this is multiplied what is needed in languages whose words have more forms than a stemmer
brings together (German "wirft" and "warf"). All of these are from docs/decisions/0010."""

UNINFLECTED_LANGUAGES = ("", "en", "ja", "th", "zh")

PAGE_POWER = 3
"""How much the score of the page counts. The search knows more about a page than its sentences
say: in a table the words of the question stand above the row, not in it."""

ANY_WORD_SCORE, NEARBY_WORDS_SCORE = 0.3, 0.3
"""What a sentence gets for any word of the question, and for all of them in it or round it; all
of them in it count 1."""

SAME_PAGE_FACTOR = 0.3
"""What a quote is worth when its page was quoted already."""

BEST_CHUNK_FACTOR = 1.2
"""What a sentence gains in the part of the page that the search found best."""

GOOD_LENGTH = 40
"""Characters below which a sentence says little on its own."""

COLUMN_HEAD_LINES = 25
"""So far above a table row its column heads may stand."""

NUMBER_FACTOR = 1.3
"""What a sentence with a number gains where one is asked for."""

_ASKS_NUMBER = re.compile(
    r"\b(?:how (?:many|much|old|long|far|tall|often)|when|what (?:year|date|amount|percent\w*)"
    r"|wie ?viele?|wann|combien|quand|cu[áa]nt[oa]s?|cu[áa]ndo|сколько|когда)\b"
    r"|多少|几|何年|いくつ|いつ|كم|متى",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\d|[一二三四五六七八九十百千万]")
_YEAR = re.compile(r"\b(?:1[5-9]|20)\d\d\b")
_LINE = re.compile(r"[^\n]*\S[^\n]*")


@dataclass(frozen=True, slots=True)
class Quote:
    """A sentence that answers a question.

    Attributes:
        column_heads: Where the heads of its columns stand, if it is a table row.
    """

    span: Span
    text: str
    score: float
    column_heads: Span | None = None


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A sentence of a page, and the terms of the question in it.

    Attributes:
        above: Those in the heads of its columns. They count for as much as the row itself says
            of the question: "2022" stands above every row.
        near: Those in it, the sentences round it and the heads of their columns.
    """

    start: int
    end: int
    terms: frozenset[str]
    above: frozenset[str]
    near: frozenset[str]
    column_heads: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class ChosenQuotes:
    """The best sentences of what was found, best first.

    Attributes:
        are_answer: They have enough of the words of the question to answer it; else they are only
            the nearest there is.
    """

    quotes: tuple[Quote, ...]
    are_answer: bool


def choose_quotes(found: SearchResults, most: int = MAX_QUOTES) -> ChosenQuotes:
    """Return the best sentences of what was found; none where nothing was."""
    chosen = rank_sentences(found, most)
    if not chosen:  # found by meaning, in other words or in another language
        return ChosenQuotes(tuple(_first_sentences(found, most)), are_answer=False)
    pages = [(passage, _sentences(found, passage)) for passage in found.passages]
    are_answer = any(_is_answerable(found.query, *page) for page in pages)
    return ChosenQuotes(tuple(chosen), are_answer=are_answer)


def rank_sentences(
    found: SearchResults, most: int, *, same_page_factor: float = SAME_PAGE_FACTOR
) -> list[Quote]:
    """Return the best sentences of what was found, best first, whether they answer or not.

    A sentence's score is that of its page, to a power, times what the sentence itself says of the
    question. The best is taken, then the best of the rest: a page that was quoted already is worth
    less, so that quotes come from several places where these are nearly as good.
    """
    left = [
        quote
        for passage in found.passages
        for quote in _quotes(found, passage, _sentences(found, passage))
    ]
    chosen: list[Quote] = []
    while left and len(chosen) < most:
        quoted = {quote.span.page for quote in chosen}
        best = max(left, key=lambda quote: _worth(quote, quoted, same_page_factor))
        chosen.append(best)
        left = [quote for quote in left if not _repeats(quote, best)]
    return chosen


def _first_sentences(found: SearchResults, most: int) -> Iterator[Quote]:
    """Yield a sentence of each of the best passages."""
    for passage in found.passages[:most]:
        for start, end in sentences(passage.text, found.query.analyzer.language or None):
            if is_evidence(passage.text[start:end]):
                begin = passage.span.start
                span = replace(passage.span, start=begin + start, end=begin + end)
                yield Quote(span, passage.text[start:end], passage.score)
                break


def _is_answerable(query: Query, passage: Passage, read: Sequence[_Sentence]) -> bool:
    """Say whether a page has enough of the words of the question, and enough of them together."""
    if not query.weights:
        return False
    needed = min(MAX_SHARE_NEEDED, SHARE_NEEDED_OF_ONE_TERM / len(query.weights))
    needed += EXTRA_SHARE_FOR_NAMES if query.lacks_name else 0.0
    if query.analyzer.language not in UNINFLECTED_LANGUAGES:
        needed *= INFLECTED_SHARE_FACTOR
    return query.share_in(passage.page.text) >= PAGE_SHARE_FACTOR * needed and any(
        query.share_of(sentence.near) >= needed for sentence in read
    )


def _quotes(found: SearchResults, passage: Passage, read: Sequence[_Sentence]) -> Iterator[Quote]:
    text = passage.page.text
    best_score = max(each.score for each in found.passages)
    page_score = (passage.score / best_score) ** PAGE_POWER
    asks_number = _ASKS_NUMBER.search(found.query.text) is not None
    for sentence in read:
        start, end = sentence.start, sentence.end
        if not sentence.terms or not is_evidence(text[start:end]):
            continue
        score = page_score * _content(found.query, sentence, text[start:end])
        if passage.span.start <= start < passage.span.end:
            score *= BEST_CHUNK_FACTOR
        if asks_number and _NUMBER.search(text, start, end):
            score *= NUMBER_FACTOR
        heads = sentence.column_heads
        yield Quote(
            replace(passage.span, start=start, end=end),
            text[start:end],
            score,
            replace(passage.span, start=heads[0], end=heads[1]) if heads else None,
        )


def _content(query: Query, sentence: _Sentence, text: str) -> float:
    """Return how much of what is asked a sentence says, alone and with those round it."""
    said = query.share_of(sentence.terms)
    said *= 1 + query.share_of(sentence.above - sentence.terms)
    fullness = 1 - exp(-len(on_one_line(text)) / GOOD_LENGTH)
    return (ANY_WORD_SCORE + said + NEARBY_WORDS_SCORE * query.share_of(sentence.near)) * fullness


def _worth(quote: Quote, quoted_pages: AbstractSet[Span], same_page_factor: float) -> float:
    return quote.score * (same_page_factor if quote.span.page in quoted_pages else 1.0)


def _sentences(found: SearchResults, passage: Passage) -> list[_Sentence]:
    """Return the sentences of the passage's page; a running head is none, nor part of one."""
    text, query = passage.page.text, found.query
    spans = [
        (body_start + start, body_start + end)
        for body_start, body_end in body_spans(text, found.running[passage.span.document_id])
        for start, end in sentences(text[body_start:body_end], query.analyzer.language or None)
    ]
    heads = [_column_heads(text, *span) for span in spans]
    terms = [query.terms_in(text[slice(*span)]) for span in spans]
    above = [query.terms_in(text[slice(*span)]) if span else frozenset[str]() for span in heads]
    round_them = [slice(max(0, place - 1), place + 2) for place in range(len(spans))]
    near = [frozenset[str]().union(*terms[near], *above[near]) for near in round_them]
    return [
        _Sentence(start, end, terms[place], above[place], near[place], heads[place])
        for place, (start, end) in enumerate(spans)
    ]


def _column_heads(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Return the nearest line above a table row that has years in it, as column heads do.

    Two bare years are too short to be checked as a quote, so they are not quoted.
    """
    if not is_table_row(text[start:end]):
        return None
    above = [match.span() for match in _LINE.finditer(text, 0, start)][-COLUMN_HEAD_LINES:]
    for line_start, line_end in reversed(above):
        line = text[line_start:line_end]
        if len(_YEAR.findall(line)) >= 2:
            return (line_start, line_end) if is_evidence(line) else None
    return None


def _repeats(quote: Quote, other: Quote) -> bool:
    """Say whether two quotes say the same words, as running heads and repeated tables do."""
    return _words(quote) == _words(other)


def _words(quote: Quote) -> str:
    return on_one_line(quote.text).lower()
