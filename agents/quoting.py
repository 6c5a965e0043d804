"""Answering by quoting: the sentences of the documents that say most of what is asked.

No language model is involved, so nothing is put into other words and nothing is concluded: what
comes out stands in the documents, and where they say too little of what was asked, nothing comes
out.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import exp

from lcagent.documents import Passage
from lcagent.retrieval.quotes.checking import is_evidence
from lcagent.retrieval.search.layout import body_spans, is_table_row
from lcagent.retrieval.search.query import Query
from lcagent.retrieval.search.retriever import Found
from lcagent.retrieval.sentences import sentences

MAX_QUOTES = 3
BASE_SHARE, SHARE_OF_ONE_TERM, SHARE_FOR_NAMES = 0.15, 1.0, 0.15
"""How much of what is asked, by weight, the best page must have the words for: less of a long
question, which no page has all the words of, and more where a name that is asked for is missing.
Set on questions put to their own and to other documents; see docs/decisions/0010."""

SHARE_IF_INFLECTED = 0.6
"""By this is multiplied what is needed in other languages than English, whose words have more
forms than a stemmer brings together (German "wirft" and "warf")."""

GOOD_LENGTH = 40
"""Characters below which a sentence says little on its own."""

COLUMN_HEAD_LINES = 25
"""So far above a table row its column heads may stand."""

NUMBER_GAIN = 1.3
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
    """A sentence: the characters `start` to `end` of the text of a page.

    Attributes:
        column_heads: Where the heads of its columns stand, if it is a table row.
    """

    document_id: str
    page_index: int
    start: int
    end: int
    text: str
    score: float
    column_heads: tuple[int, int] | None = None


def choose_quotes(found: Found, most: int = MAX_QUOTES) -> list[Quote]:
    """Return the best sentences of what was found, best first; none if no page fits."""
    if not is_answerable(found.query, found.passages):
        return []
    quotes = sorted(_quotes(found), key=lambda quote: -quote.score)
    chosen: list[Quote] = []
    for quote in quotes:
        if len(chosen) < most and not any(_repeats(quote, other) for other in chosen):
            chosen.append(quote)
    return chosen


def is_answerable(query: Query, passages: Sequence[Passage]) -> bool:
    """Say whether some page has enough of the words of the question to answer it."""
    if not query.weights:
        return False
    needed = BASE_SHARE + SHARE_OF_ONE_TERM / len(query.weights)
    needed = min(0.5, needed) + (SHARE_FOR_NAMES if query.lacks_name else 0.0)
    if query.analyzer.language not in ("", "en"):
        needed *= SHARE_IF_INFLECTED
    return any(query.share_in(passage.page.text) >= needed for passage in passages)


def _quotes(found: Found) -> Iterator[Quote]:
    top = max(passage.score for passage in found.passages)
    asks_number = _ASKS_NUMBER.search(found.query.text) is not None
    for passage in found.passages:
        text = passage.page.text
        for start, end in _sentences(found, passage):
            heads = _column_heads(text, start, end)
            said = text[start:end] if heads is None else f"{text[slice(*heads)]} {text[start:end]}"
            share = found.query.share_in(said)
            if share and is_evidence(text[start:end]):
                score = _score(share, text[start:end], passage.score / top)
                has_number = _NUMBER.search(text, start, end) is not None
                yield Quote(
                    document_id=passage.chunk.document_id,
                    page_index=passage.page.index,
                    start=start,
                    end=end,
                    text=text[start:end],
                    score=score * (NUMBER_GAIN if asks_number and has_number else 1.0),
                    column_heads=heads,
                )


def _sentences(found: Found, passage: Passage) -> Iterator[tuple[int, int]]:
    """Yield the sentences of the passage's page; a running head is none, nor part of one."""
    text = passage.page.text
    language = found.query.analyzer.language or None
    for body_start, body_end in body_spans(text, found.running[passage.chunk.document_id]):
        for start, end in sentences(text[body_start:body_end], language):
            yield body_start + start, body_start + end


def _score(share: float, sentence: str, page_score: float) -> float:
    """Return how well a sentence answers: what it says of the question, on how good a page."""
    length = len(" ".join(sentence.split()))
    fullness = 1 - exp(-length / GOOD_LENGTH)
    return share * fullness * page_score


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
    return " ".join(quote.text.split()).lower()
