"""Whether a quote says what a claim says, as far as a program can see.

Every number with its unit, date, name and denial of the claim must stand in the quote, and most
of its words. The question, headings and the heads of a table's columns may give what they name,
unless the quote names something else in its place. A short answer is judged together with the
question. It is no proof of meaning: words are compared, with their forms, their order round a verb,
and what stands in the place of a word that is missing.
"""
# ruff: noqa: RUF001 - the letters of many scripts look like those of ours

from collections.abc import Sequence
from dataclasses import dataclass

import regex

from lcagent.agents.quantities import Quantity
from lcagent.agents.quote_context import QuoteInContext, stands_under
from lcagent.agents.sentence_parts import (
    misplaces_number,
    moves_parts,
    overstates,
    swaps_numbers,
    takes_opposite,
)
from lcagent.agents.statement_words import ADVERBS, DENIAL_BEHIND
from lcagent.agents.statements import Statement, Word, is_same_word, read_statement

LEAST_SHARE = 0.7
"""Of the weight of a claim's words, what must stand in the quote or round it."""

LEAST_SHARE_OF_QUESTION = 1 / 3
"""The same of the question's words, for an answer too short to be judged by itself."""

SHORT_ANSWER_WORDS = 6
LEAST_SHARE_OF_PLAIN_WORDS = 2 / 3
"""Of the words that are no names: a claim of names and numbers alone says little."""

NAME_WEIGHT = NUMBER_WEIGHT = 2.0


def share_said(
    claim: str, question: str, evidence: Sequence[QuoteInContext], language: str = ""
) -> float:
    """Return how much of a claim some evidence says; 0 where it lacks what it must have."""
    if not evidence:
        return 0.0
    return _Judged.of(claim, question, evidence, language).share()


def is_said(
    claim: str, question: str, evidence: Sequence[QuoteInContext], language: str = ""
) -> bool:
    """Say whether some evidence says a claim."""
    return share_said(claim, question, evidence, language) >= LEAST_SHARE


def share_mentioned(claim: str, question: str, place: QuoteInContext, language: str = "") -> float:
    """Return how much a place has of a claim and its question; 0 where it lacks what is special.

    That is each number with its unit, date and name of the claim, one of them new: "320 kilowatts"
    stands in a sentence that may answer in other words than the question's. No program can tell.
    """
    return _Judged.of(claim, question, [place], language).share_mentioned()


@dataclass(frozen=True, slots=True)
class _Read:
    """QuoteInContext, read."""

    source: QuoteInContext
    quote: Statement
    sentence: Statement
    before: Statement
    labels: Statement

    @classmethod
    def of(cls, evidence: QuoteInContext, language: str) -> "_Read":
        refers = _PRONOUN.search(evidence.sentence or evidence.quote) is not None
        return cls(
            evidence,
            read_statement(evidence.quote, language),
            read_statement(evidence.sentence or evidence.quote, language),
            read_statement(evidence.before if refers else "", language),
            read_statement(f"{evidence.labels} {evidence.column_heads}", language),
        )


@dataclass(frozen=True, slots=True)
class _Judged:
    claim: Statement
    question: Statement
    evidence: Sequence[_Read]

    @classmethod
    def of(
        cls, claim: str, question: str, evidence: Sequence[QuoteInContext], language: str
    ) -> "_Judged":
        claimed, asked = (read_statement(said.strip(), language) for said in (claim, question))
        return cls(claimed, asked, [_Read.of(each, language) for each in evidence])

    def share(self) -> float:
        """Return the share of the claim's weight that is said."""
        has_content = self.claim.words or self.claim.quantities or self.claim.dates
        if not has_content or self._says_otherwise() or not self._is_about_it():
            return 0.0
        # Over a row stands what it is about, often far away: there the question may name it.
        words = [
            word for word in self.claim.words if self._located(word) or not self._is_asked(word)
        ]
        weights = [NAME_WEIGHT if word.is_name else 1.0 for word in words]
        numbers = NUMBER_WEIGHT * (len(self.claim.quantities) + len(self.claim.dates))
        plain = [word for word in words if not word.is_name]
        if sum(map(self._located, plain)) < LEAST_SHARE_OF_PLAIN_WORDS * len(plain):
            return 0.0
        located = sum(
            weight for word, weight in zip(words, weights, strict=True) if self._located(word)
        )
        return (located + numbers) / (sum(weights) + numbers)

    def share_mentioned(self) -> float:
        """Return the share of the words, if the numbers, dates and names are there."""
        names = [word for word in self.claim.words if _is_obligatory(word)]
        asked = {value for each in self.question.quantities for value in each.values}
        is_special = (
            any(not each.values & asked for each in self.claim.quantities)
            or any(date not in self.question.dates for date in self.claim.dates)
            or any(not self.question.has(name) for name in names)
        )
        has_names = all(self._in_quote(name) or self.question.has(name) for name in names)
        if not (is_special and has_names and self._has_numbers() and self._has_dates()):
            return 0.0
        words = [*self.claim.words, *self.question.words]
        return max(sum(map(self._located, words)), 0.5) / (len(words) or 1)

    def _says_otherwise(self) -> bool:
        """Say whether a part that must be there is not, or is turned round."""
        return (
            self._turns_round()
            or not self._has_numbers()
            or not self._has_dates()
            or not self._has_names()
            or self._replaces_a_word()
            or overstates(self.claim.text, [each.source for each in self.evidence])
            or self._swaps_roles()
        )

    def _is_about_it(self) -> bool:
        """Say whether the quote is about what is claimed, and says more than the question."""
        return self._adds_to_question() and (not self._is_short() or self._fits_question())

    def _is_asked(self, word: Word) -> bool:
        is_row = any(each.source.row for each in self.evidence)
        has_label = any(self._located(other) for other in self.claim.words)
        return is_row and has_label and self.question.has(word)

    def _is_short(self) -> bool:
        """Say whether the claim is no sentence, or one that says nothing without its question."""
        words = [word for word in self.claim.words if not word.is_name]
        is_sentence = _SENTENCE_END.search(self.claim.text) is not None
        return not words or (not is_sentence and len(self.claim.words) <= SHORT_ANSWER_WORDS)

    def _fits_question(self) -> bool:
        """Say whether the evidence is about what was asked."""
        words = [word for word in self.question.words if not self.claim.has(word)]
        if not words:
            return True
        found = sum(self._located(word) for word in words)
        own = sum(self._located(word) for word in self.claim.words if self.question.has(word))
        return found + own > 0 and found + own >= LEAST_SHARE_OF_QUESTION * (len(words) + own)

    def _adds_to_question(self) -> bool:
        """Say whether the quote itself has something of the claim besides what the question has."""
        new = [word for word in self.claim.words if not self.question.has(word)]
        if not new and not self.claim.quantities and not self.claim.dates:
            # "Are children counted?" -- "Children are counted": all of it has to be said.
            return all(self._located(word) for word in self.claim.words) and any(
                self._in_quote(word) for word in self.claim.words
            )
        return not new or any(self._located(word) for word in new)

    def _located(self, word: Word) -> bool:
        return any(
            statement.has(word)
            for each in self.evidence
            for statement in (each.quote, each.sentence, each.labels, each.before)
        )

    def _in_quote(self, word: Word) -> bool:
        return any(each.quote.has(word) for each in self.evidence)

    # Denials and doubts.

    def _turns_round(self) -> bool:
        """Say whether one of claim and evidence denies, or doubts, what the other states."""
        is_denied = any(
            self._reaches(each.sentence, each.sentence.denials) for each in self.evidence
        )
        if is_denied != bool(self.claim.denials):
            return True
        is_doubted = any(
            self._reaches(each.sentence, each.sentence.doubts) for each in self.evidence
        )
        return is_doubted and not self.claim.doubts

    def _reaches(self, said: Statement, marks: Sequence[tuple[int, int]]) -> bool:
        """Say whether one of some marks is about words of the claim.

        A denial reaches from where it stands to the end of its clause; in some languages it may
        stand behind what it denies. A word that stands outside of its reach, too, tells nothing.
        """
        if not marks:
            return False
        wanted = self.claim.words or self.question.words
        matched = [
            (word.key, word.start)
            for word in said.words
            if any(is_same_word(word, w) for w in wanted)
        ]
        numbers = [value for each in self.claim.quantities for value in each.values]
        matched += [("", each.start) for each in said.cells if each.values & set(numbers)]
        is_whole = said.language in DENIAL_BEHIND
        for at, _ in marks:
            clause = next((each for each in said.clauses() if each[0] <= at < each[1]), None)
            start, end = clause or (0, len(said.text))
            start = start if is_whole else at
            inside = {key for key, place in matched if start <= place < end}
            outside = {key for key, place in matched if not start <= place < end} - {""}
            if inside - outside:
                return True
        return False

    # Numbers and dates.

    def _has_numbers(self) -> bool:
        return all(self._has_number(wanted) for wanted in self.claim.quantities)

    def _has_number(self, wanted: Quantity) -> bool:
        for each in self.evidence:
            if any(_same(wanted, found) for found in each.quote.cells):
                if self._is_misplaced(wanted, each):
                    continue
                return True
            if wanted.is_year and any(
                date.year in set(map(int, wanted.values)) for date in each.quote.dates
            ):
                return True
            if self._is_head(wanted, each):
                return True
        is_asked = any(_same(wanted, found) for found in self.question.quantities)
        return is_asked and not any(self._competes(wanted, each.quote) for each in self.evidence)

    def _is_head(self, wanted: Quantity, each: _Read) -> bool:
        heads = each.labels
        return any(_same(wanted, found) for found in heads.cells) or (
            wanted.is_year and any(d.year in set(map(int, wanted.values)) for d in heads.dates)
        )

    def _is_misplaced(self, wanted: Quantity, each: _Read) -> bool:
        """Say whether the number belongs to another thing, or column, than claimed."""
        if each.source.row and not stands_under(wanted, self.claim, self.question, each.source):
            return True
        behind = self._behind(self.claim, wanted)
        if behind is None or not each.quote.has(behind):
            return False
        # "12 patients" is not proved by "168 patients improved and 12 died": unless what follows
        # the number in the quote is claimed, too, as in "12 left".
        for found in each.quote.cells:
            if found.values & wanted.values:
                next_word = self._behind(each.quote, found)
                if next_word is None or self.claim.has(next_word):
                    return False
        return any(
            (next_word := self._behind(each.quote, found)) and is_same_word(next_word, behind)
            for found in each.quote.cells
        )

    def _behind(self, said: Statement, number: Quantity) -> Word | None:
        """Return the word right behind a number, with at most a small word between."""
        if number.unit:
            return None
        word = next((word for word in said.words if word.start >= number.end), None)
        if word is None or len(said.text[number.end : word.start].split()) > 1:
            return None
        return word

    def _competes(self, wanted: Quantity, quote: Statement) -> bool:
        """Say whether a quote has a number of the same kind that the claim does not have."""
        claimed = {value for each in self.claim.quantities for value in each.values}
        kinds = [
            found
            for found in quote.cells
            if not found.values & claimed
            and (found.unit == wanted.unit if wanted.unit else found.is_year == wanted.is_year)
        ]
        years = wanted.is_year and any(date.year for date in quote.dates)
        return bool(kinds) or years

    def _has_dates(self) -> bool:
        for wanted in self.claim.dates:
            places = [each.quote for each in self.evidence] + [
                each.labels for each in self.evidence
            ]
            if any(wanted.is_within(date) for place in places for date in place.dates):
                continue
            asked = any(wanted.is_within(date) for date in self.question.dates)
            if not asked or any(each.quote.dates for each in self.evidence):
                return False
        return True

    # Names and words.

    def _has_names(self) -> bool:
        return all(
            self._in_quote(word) or self._is_given(word)
            for word in self.claim.words
            if _is_obligatory(word)
        )

    def _is_given(self, word: Word) -> bool:
        """Say whether the question, a heading or the sentence before names what the quote means.

        Not where the quote names somebody else: "The lamp was not lit by Brand. Larsen lit it."
        """
        others = [
            name
            for each in self.evidence
            for name in each.quote.words
            if name.is_name and not self.claim.has(name) and not self.question.has(name)
        ]
        if others:
            return False
        return self.question.has(word) or any(
            each.labels.has(word) or (each.before.has(word) and not each.before.denials)
            for each in self.evidence
        )

    def _replaces_a_word(self) -> bool:
        """Say whether the quote has another word where the claim has one that is nowhere."""
        missing = [
            at
            for at, word in enumerate(self.claim.words)
            if not self._located(word) and not self.question.has(word)
        ]
        # What stands beside a cell of a row is another cell.
        quotes = [each.quote for each in self.evidence if not each.source.row]
        return any(self._is_replaced(at, quote) for at in missing for quote in quotes)

    def _is_replaced(self, at: int, quote: Statement) -> bool:
        claim, said = self.claim.words, quote.words
        left = claim[at - 1] if at else None
        right = claim[at + 1] if at + 1 < len(claim) else None
        is_turned = _has_by(quote) != _has_by(self.claim)
        for place, other in enumerate(said):
            if self.claim.has(other) or other.key in ADVERBS:
                continue
            before = said[place - 1] if place else None
            after = said[place + 1] if place + 1 < len(said) else None
            if _agree(left, before) or _agree(right, after):
                return True
            if is_turned and (_agree(left, after) or _agree(right, before)):
                return True
        return False

    def _swaps_roles(self) -> bool:
        return any(
            moves_parts(self.claim, each.quote)
            or swaps_numbers(self.claim, each.quote)
            or takes_opposite(self.claim, each.quote)
            or (not each.source.row and misplaces_number(self.claim, each.quote))
            for each in self.evidence
        )


def _is_obligatory(word: Word) -> bool:
    return word.is_name or word.key.startswith(("weekday ", "month "))


def _agree(one: Word | None, other: Word | None) -> bool:
    return one is not None and other is not None and is_same_word(one, other)


def _same(wanted: Quantity, found: Quantity) -> bool:
    if not wanted.values & found.values or wanted.bound != found.bound:
        return False
    return not (wanted.unit and found.unit) or wanted.unit == found.unit


def _has_by(said: Statement) -> bool:
    return _BY.search(said.text) is not None


_PRONOUN = regex.compile(
    r"(?<!\p{L})(?i:he|she|it|they|this|these|his|her|its|their|him|them|er|sie|es|ihr|seine?|dieser?|il|elle|ils|elles"
    r"|ce|cette|él|ella|ellos|este|esta|su|он|она|оно|они|его|её|их)(?!\p{L})|[他她它其这這]|彼|それ|その"
)
_SENTENCE_END = regex.compile(r"[.!?。！？]\W*$")
_BY = regex.compile(
    r"(?<!\p{L})(?:by|von|durch|par|por|da|dal|dalla|door)(?!\p{L})|被|によって|により"
)
