"""A summary without a language model: the most central sentences of each chapter, quoted.

The rule: a word weighs by the share of its chapter's sentences that have it, times how few of the
other chapters do; a sentence by what its words weigh, divided by the root of their number. Where a
focus is given, sentences with most of its words come first. Each chapter gets its share of words by
its length; of a book with more chapters than a summary has room for, neighbours count as one.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log, sqrt

import regex

from lcagent.agents.summarize.book_chapters import Chapter
from lcagent.agents.write.word_count import count_words
from lcagent.documents import Document
from lcagent.retrieval.quotes.checking import is_evidence
from lcagent.retrieval.search.analysis import Analyzer, detect, stop_terms
from lcagent.retrieval.search.layout import is_table_row
from lcagent.retrieval.sentences import sentences
from lcagent.selection import PageSelection

MIN_SENTENCE_WORDS, MAX_SENTENCE_WORDS = 8, 45
"""Of a sentence: a shorter one says little alone, a longer one leaves no room for others. A chapter
with no sentence of this length gives others."""

WORDS_PER_CHAPTER = 30
"""Of the summary; where there are more chapters than that allows, neighbours are joined."""

SAMPLE_CHARACTERS = 10_000
SUMMARY_SLACK = 0.05
"""How far from its length a summary may be; sentences cannot be cut to fit."""


@dataclass(frozen=True, slots=True)
class ExtractedSentence:
    """A sentence of a chapter: the characters `start` to `end` of the text of a page."""

    chapter: int
    page_index: int
    start: int
    end: int
    text: str
    words: int
    terms: frozenset[str]


def extract_sentences(
    documents: Sequence[Document],
    chapters: Sequence[Chapter],
    pages: PageSelection,
    *,
    words: int,
    focus: str = "",
) -> list[ExtractedSentence]:
    """Return the most central sentences of the chapters, in the order of the text."""
    by_id = {document.id: document for document in documents}
    sample = " ".join(page.text for document in documents for page in document.pages[:40])
    analyzer = Analyzer(detect(sample[:SAMPLE_CHARACTERS]))
    found = [
        _best_sized(list(_sentences(by_id[chapter.document_id], place, chapter, pages, analyzer)))
        for place, chapter in enumerate(chapters)
    ]
    wanted = frozenset(analyzer.terms(focus)) - stop_terms(analyzer.language)
    on_it = [[one for one in here if wanted & one.terms] for here in found]
    weighed = on_it if any(on_it) else found
    lengths = [sum(one.words for one in here) for here in weighed]
    chosen = _chosen(_ranked(found, wanted), lengths, words)
    return sorted(chosen, key=lambda one: (one.chapter, one.page_index, one.start))


def _sentences(
    document: Document, place: int, chapter: Chapter, pages: PageSelection, analyzer: Analyzer
) -> Iterator[ExtractedSentence]:
    stops = stop_terms(analyzer.language)
    for page in document.pages[chapter.first : chapter.last + 1]:
        if page.index + 1 not in pages:
            continue
        for start, end in sentences(page.text, document.language):
            text = page.text[start:end]
            is_prose = _WHOLE.fullmatch(text.strip()) is not None and not is_table_row(text)
            if is_prose and is_evidence(text):
                terms = frozenset(analyzer.terms(text)) - stops
                yield ExtractedSentence(
                    place, page.index, start, end, text, count_words(text), terms
                )


def _best_sized(here: list[ExtractedSentence]) -> list[ExtractedSentence]:
    return [one for one in here if MIN_SENTENCE_WORDS <= one.words <= MAX_SENTENCE_WORDS] or here


def _ranked(
    found: Sequence[Sequence[ExtractedSentence]], focus: frozenset[str]
) -> list[list[ExtractedSentence]]:
    """Return the sentences of each chapter, the most central first."""
    in_chapters = Counter(
        term for here in found for term in {term for one in here for term in one.terms}
    )
    ranked: list[list[ExtractedSentence]] = []
    for here in found:
        in_sentences = Counter(term for one in here for term in one.terms)
        weights = {
            term: number / len(here) * log(1 + len(found) / in_chapters[term])
            for term, number in in_sentences.items()
        }  # fmt: skip
        scores = {
            one: sum(weights[term] for term in one.terms) / sqrt(1 + len(one.terms)) for one in here
        }
        ranked.append(sorted(here, key=lambda one: (-len(focus & one.terms), -scores[one])))
    return ranked


def _chosen(
    ranked: Sequence[list[ExtractedSentence]], lengths: Sequence[int], words: int
) -> list[ExtractedSentence]:
    """Return sentences of so many words together: always from the chapter that lacks most."""
    whole = sum(lengths) or 1
    lacking = [words * length / whole for length in lengths]
    waiting = [list(here) for here in ranked]
    chosen: list[ExtractedSentence] = []
    said: set[frozenset[str]] = set()
    left = words
    while left > SUMMARY_SLACK * words and any(waiting):
        place = max((at for at, here in enumerate(waiting) if here), key=lacking.__getitem__)
        one = waiting[place].pop(0)
        if one.words <= left + SUMMARY_SLACK * words and one.terms not in said:
            said.add(one.terms)
            chosen.append(one)
            left -= one.words
            lacking[place] -= one.words
    return chosen


_WHOLE = regex.compile(
    r"[\"'“‘«„「『(\[—–-]*[\p{Lu}\p{Lo}\p{N}].*[.!?。！？؟…][\"'”’»“」』)\]]*", regex.DOTALL
)
