"""A question as search sees it: its terms, and how much each of them tells."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from math import fsum

from lcagent.retrieval.search.analysis import Analyzer, stop_terms, without_stop_phrases
from lcagent.retrieval.search.ranking import LexicalIndex
from lcagent.retrieval.search.terms import DocumentTerms

_INNER_WORD = re.compile(r"(?<=[^.?!:] )[^\W\d_]+")


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """A question, analysed as the documents were.

    Attributes:
        terms: Its terms in order, without stop words.
        weights: How much each term tells (inverse document frequency); one that the documents
            do not have tells most.
        absent: The terms that the documents do not have.
        lacks_name: A name in the question is among them.
        analyzer: Of the language that most of the documents are in.
    """

    text: str
    terms: tuple[str, ...]
    weights: Mapping[str, float]
    absent: frozenset[str]
    lacks_name: bool
    analyzer: Analyzer

    def terms_in(self, text: str) -> frozenset[str]:
        """Return the terms of the question that a text has."""
        return frozenset(self.weights.keys() & set(self.analyzer.indexed_terms(text)))

    def share_of(self, terms: AbstractSet[str]) -> float:
        """Return how much of the question's weight some of its terms have, 0 to 1."""
        total = fsum(self.weights.values())
        # fsum: a set has another order in each process, and rounding would tell equals apart.
        return fsum(self.weights[term] for term in terms) / total if total else 0.0

    def share_in(self, text: str) -> float:
        """Return how much of the question's weight a text has terms for, 0 to 1."""
        return self.share_of(self.terms_in(text))


def analyse(text: str, languages: Sequence[str], index: LexicalIndex) -> Query:
    """Return a question in the terms of an index.

    Args:
        languages: Those of the documents (see `rank_languages`), that of most pages first.
    """
    terms = question_terms(text, languages)
    absent = frozenset(term for term in terms if term not in index.vocabulary)
    analyzer = Analyzer(languages[0])
    return Query(
        text=text,
        terms=tuple(terms),
        weights={term: index.term_weight(term) for term in terms},
        absent=absent,
        lacks_name=not absent.isdisjoint(_names(text, analyzer)),
        analyzer=analyzer,
    )


def question_terms(text: str, languages: Sequence[str]) -> list[str]:
    """Return the terms of a question, without stop words, in each of the languages."""
    terms: list[str] = []
    for language in languages:
        stop = stop_terms(language)
        words = Analyzer(language).terms(without_stop_phrases(text, language))
        found = [term for term in words if term not in stop]
        terms.extend(found if not terms else [term for term in found if term not in terms])
    return terms


def rank_languages(documents: Iterable[DocumentTerms]) -> list[str]:
    """Return the languages of some documents, that of most pages first; one at least."""
    pages: Counter[str] = Counter()
    for document in documents:
        pages[document.language] += document.page_count
    return [language for language, _ in pages.most_common()] or [""]


def _names(text: str, analyzer: Analyzer) -> list[str]:
    """Return the terms of the names in a question: capitalised words that begin no sentence.

    German has no such sign: it capitalises all nouns.
    """
    if analyzer.language == "de":
        return []
    names = [word for word in _INNER_WORD.findall(text) if word[0].isupper() and not word.isupper()]
    return [term for name in names for term in analyzer.terms(name)]
