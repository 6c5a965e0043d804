"""Extractive summaries, without a language model: the most central sentences of each chapter.

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
from lcagent.documents import Document, Span
from lcagent.retrieval.quotes.checking import is_evidence
from lcagent.retrieval.search.analysis import Analyzer, detect_language, stop_terms
from lcagent.retrieval.search.layout import is_table_row
from lcagent.retrieval.sentences import sentences
from lcagent.selection import PageSelection

MIN_SENTENCE_WORDS, MAX_SENTENCE_WORDS = 8, 45
"""Of a sentence: a shorter one says little alone, a longer one leaves no room for others. A chapter
with no sentence of this length gives others."""

WORDS_PER_CHAPTER = 30
"""Of the summary; where there are more chapters than that allows, neighbours are joined."""

LANGUAGE_SAMPLE_CHARACTERS = 10_000
SUMMARY_SLACK = 0.05
"""How far from its length a summary may be; sentences cannot be cut to fit."""


@dataclass(frozen=True, slots=True)
class ExtractedSentence:
    """A sentence of a chapter.

    Attributes:
        chapter: Its place among the chapters, from 0.
        terms: Its words without stop words, as search has them.
    """

    chapter: int
    span: Span
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
    analyzer = Analyzer(detect_language(sample[:LANGUAGE_SAMPLE_CHARACTERS]))
    found = [
        _best_sized(list(_sentences(by_id[chapter.document_id], place, chapter, pages, analyzer)))
        for place, chapter in enumerate(chapters)
    ]
    wanted = frozenset(analyzer.terms(focus)) - stop_terms(analyzer.language)
    # With a focus, a chapter's share is what it says on that, unless nothing says anything.
    on_focus = [[each for each in here if wanted & each.terms] for here in found]
    weighed = on_focus if any(on_focus) else found
    lengths = [sum(each.words for each in here) for here in weighed]
    chosen = _chosen(_ranked(found, wanted), lengths, words)
    return sorted(
        chosen,
        key=lambda sentence: (sentence.chapter, sentence.span.page_index, sentence.span.start),
    )


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
                span = Span(document.id, page.index, start, end)
                yield ExtractedSentence(place, span, text, count_words(text), terms)


def _best_sized(here: list[ExtractedSentence]) -> list[ExtractedSentence]:
    return [each for each in here if MIN_SENTENCE_WORDS <= each.words <= MAX_SENTENCE_WORDS] or here


def _ranked(
    found: Sequence[Sequence[ExtractedSentence]], focus: frozenset[str]
) -> list[list[ExtractedSentence]]:
    """Return the sentences of each chapter, the most central first.

    A word weighs by its share of the chapter's sentences (what the chapter is about) times how few
    of the chapters have it (what sets it apart): TF-IDF with chapters for documents. Dividing by
    the root of the number of words lets a long sentence win only by words that weigh.
    """
    in_chapters = Counter(
        term for here in found for term in {term for each in here for term in each.terms}
    )
    ranked: list[list[ExtractedSentence]] = []
    for here in found:
        in_sentences = Counter(term for each in here for term in each.terms)
        weights = {
            term: number / len(here) * log(1 + len(found) / in_chapters[term])
            for term, number in in_sentences.items()
        }  # fmt: skip
        scores = {
            each: sum(weights[term] for term in each.terms) / sqrt(1 + len(each.terms))
            for each in here
        }
        ranked.append(sorted(here, key=lambda each: (-len(focus & each.terms), -scores[each])))
    return ranked


def _chosen(
    ranked: Sequence[list[ExtractedSentence]], lengths: Sequence[int], words: int
) -> list[ExtractedSentence]:
    """Return sentences of so many words together, always from the chapter that lacks most words."""
    whole = sum(lengths) or 1
    lacking = [words * length / whole for length in lengths]
    waiting = [list(here) for here in ranked]
    chosen: list[ExtractedSentence] = []
    said: set[frozenset[str]] = set()
    left = words
    while left > SUMMARY_SLACK * words and any(waiting):
        place = max((at for at, here in enumerate(waiting) if here), key=lacking.__getitem__)
        sentence = waiting[place].pop(0)
        if sentence.words <= left + SUMMARY_SLACK * words and sentence.terms not in said:
            said.add(sentence.terms)
            chosen.append(sentence)
            left -= sentence.words
            lacking[place] -= sentence.words
    return chosen


_WHOLE = regex.compile(
    r"[\"'“‘«„「『(\[—–-]*[\p{Lu}\p{Lo}\p{N}].*[.!?。！？؟…][\"'”’»“」』)\]]*", regex.DOTALL
)
