"""Proofs for what a model wrote without a mark: the sentences of what it was shown that say it.

Gao et al., RARR, https://arxiv.org/abs/2210.08726: answer first, look for the evidence then. A weak
model that answers right cannot copy quotes in the same breath. Unlike in the paper no model is
asked and nothing is revised: what counts as said is decided in `evidence.py`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import regex

from lcagent.agents.evidence import LEAST_SHARE, share_mentioned, share_said
from lcagent.agents.quote_context import (
    AttributedQuote,
    QuoteInContext,
    evidence_at,
    sentence_spans,
)
from lcagent.agents.statements import language_of, read_statement
from lcagent.documents import Page, Span
from lcagent.retrieval.quotes.checking import is_evidence
from lcagent.retrieval.search.layout import is_heading

PAGES_READ = 6
"""Pages, those with most of the claim's words, whose sentences are weighed one by one."""

SENTENCES_WEIGHED = 8


class ShownText(Protocol):
    """A text that a model was shown: a `Passage`, a `Segment` of a chunk."""

    @property
    def span(self) -> Span:
        """Where it stands."""
        ...

    @property
    def text(self) -> str:
        """The text as it is stored, from the span's start."""
        ...


@dataclass(frozen=True, slots=True)
class SourcePage:
    """A page as a source that support is looked for in."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class _Candidate:
    shown: ShownText
    start: int
    end: int
    score: float

    @property
    def quote(self) -> AttributedQuote:
        """It as a quote that lcagent found."""
        text, page = self.shown.text[self.start : self.end], self.shown.span.page
        return AttributedQuote(text, page, found_by="lcagent", score=self.score)


def find_support(
    claim: str,
    question: str,
    shown: Sequence[ShownText],
    *,
    language: str = "",
    most: int = 1,
    least: float = LEAST_SHARE,
) -> list[AttributedQuote]:
    """Return the sentences, or table rows, among `shown` that say a claim, best first.

    Each says all of it that must be said (`AttributedQuote.score` is the share of its words); an
    empty list says that none does. Takes some 10 ms for 30 pages.

    Args:
        question: What the claim answers; "48,216" alone is judged together with it.
        language: Of the texts; else it is told from them.
        most: Quotes at most.
        least: The share of the claim's words that a quote must have.
    """
    if not claim.strip() or not shown:
        return []
    language = language or language_of(shown[0].text[:2_000])

    def share(place: QuoteInContext) -> float:
        return share_said(claim, question, [place], language)

    found = _candidates(claim, question, shown, language, share)
    return [each.quote for each in found[:most] if each.score >= least]


def find_mention(
    claim: str, question: str, shown: Sequence[ShownText], *, language: str = ""
) -> list[AttributedQuote]:
    """Return the sentence among `shown` that a claim's numbers, dates and names stand in.

    It need not say the claim: it is what a person would look at first. An empty list where no
    sentence has all of them, or the claim has none that the question does not have.
    """
    if not claim.strip() or not shown:
        return []
    language = language or language_of(shown[0].text[:2_000])

    def share(place: QuoteInContext) -> float:
        return share_mentioned(claim, question, place, language)

    return [each.quote for each in _candidates(claim, question, shown, language, share)[:1]]


def _candidates(
    claim: str,
    question: str,
    shown: Sequence[ShownText],
    language: str,
    share: Callable[[QuoteInContext], float],
) -> list[_Candidate]:
    """Return the sentences with any share, the highest first."""
    probes = _probes(claim, language)
    asked = _probes(question, language)
    lowered = [each.text.casefold() for each in shown]
    scores = [
        sum(probe in text for probe in probes) + 0.3 * sum(probe in text for probe in asked)
        for text in lowered
    ]
    best = sorted(range(len(shown)), key=lambda at: -scores[at])[:PAGES_READ]
    rough: list[tuple[float, int, int, int]] = []
    for at in best:
        if not scores[at]:
            continue
        for start, end in sentence_spans(shown[at].text, language):
            text = (
                lowered[at][start:end]
                if len(lowered[at]) == len(shown[at].text)
                else (shown[at].text[start:end].casefold())
            )
            hits = sum(probe in text for probe in probes) + 0.5 * sum(p in text for p in asked)
            if hits:
                rough.append((hits, at, start, end))
    rough.sort(key=lambda each: -each[0])
    candidates: list[_Candidate] = []
    for _, at, start, end in rough[:SENTENCES_WEIGHED]:
        text = shown[at].text
        if not is_evidence(text[start:end]) or is_heading(text[start:end]):
            continue  # a title names what follows and says nothing
        page = Page(0, text, 1)
        score = share(evidence_at(page, start, end, language))
        if score:
            candidates.append(_Candidate(shown[at], start, end, score))
    return sorted(candidates, key=lambda each: -each.score)


def _probes(text: str, language: str) -> list[str]:
    """Return beginnings of words that a text with the same words has, too."""
    said = read_statement(text, language)
    words = {word.raw.casefold()[: max(3, len(word.key) - 1)] for word in said.words}
    digits = set(regex.findall(r"\d+", text))
    return [*words, *digits]
