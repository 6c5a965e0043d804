"""What a sentence says, as far as a program can see: its words, names, numbers and denials.

Words are compared by the stemmers of the search (`retrieval/search/analysis.py`) and, beyond them,
by irregular forms (English, German) and by endings of derivation. A word with a capital letter
inside a sentence is a name, which has one form. A Chinese or Japanese word is a character.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache

import regex

from lcagent.agents.quantities import (
    Date,
    Quantity,
    dates_in,
    month_of,
    quantities_in,
    weekday_of,
)
from lcagent.agents.statement_words import (
    AGENTS,
    ARTICLES,
    CLAUSE_BORDER,
    DENIAL,
    DOUBT,
    ENDINGS,
    ENGLISH_FORMS,
    GERMAN_FORMS,
    LIGHT,
    NO_DENIAL,
    TELLING,
    UNSPACED_STOP,
)
from lcagent.retrieval.search.analysis import (
    Analyzer,
    detect_language,
    stop_terms,
    without_stop_phrases,
)

NEAREST_FORMS = 4
"""Letters that two forms of a word have in common at least, where a stemmer does not join them."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word that carries meaning.

    Attributes:
        key: The form it is compared in.
        is_name: It has a capital letter that no sentence begins with.
        is_first: The sentence begins with it.
        follows_article: An article stands before it, so it is no verb.
        at: Its place among the words of the text, those without meaning counted, too.
    """

    key: str
    raw: str
    start: int
    end: int
    is_name: bool
    is_first: bool
    follows_article: bool
    at: int


@dataclass(frozen=True)
class Statement:
    """A text, taken apart.

    Attributes:
        denials: Where words stand that deny what stands beside them.
        doubts: Where words stand that make of a fact a plan, an attempt or a rumour.
    """

    text: str
    language: str
    words: tuple[Word, ...]
    dates: tuple[Date, ...]
    denials: tuple[tuple[int, int], ...]
    doubts: tuple[tuple[int, int], ...]

    @cached_property
    def quantities(self) -> tuple[Quantity, ...]:
        """The numbers, in order."""
        return tuple(quantities_in(self.text, self.language, self.dates))

    @cached_property
    def cells(self) -> tuple[Quantity, ...]:
        """The numbers, those of a table's cells one by one, too."""
        return tuple(quantities_in(self.text, self.language, self.dates, may_be_row=True))

    @cached_property
    def keys(self) -> frozenset[str]:
        """The words, as they are compared."""
        return frozenset(word.key for word in self.words)

    @cached_property
    def is_unspaced(self) -> bool:
        """Whether most of it is in a script without blanks between words."""
        return len(_UNSPACED.findall(self.text)) * 2 > sum(map(str.isalpha, self.text))

    def has(self, word: Word) -> bool:
        """Say whether it has a word, in whatever form."""
        return word.key in self.keys or any(is_same_word(word, other) for other in self.words)

    def clauses(self) -> list[tuple[int, int]]:
        """Return its clauses: what a denial in one of them says nothing of the others."""
        borders = [match.span() for match in CLAUSE_BORDER.finditer(self.text)]
        starts = [0, *(end for _, end in borders)]
        ends = [*(start for start, _ in borders), len(self.text)]
        return list(zip(starts, ends, strict=True))


@lru_cache(maxsize=8_192)
def read_statement(text: str, language: str = "") -> Statement:
    """Take a text apart."""
    language = language or language_of(text)
    dates = tuple(dates_in(text))
    return Statement(
        text,
        language,
        tuple(_words(text, language, dates)),
        dates,
        _denials(text),
        tuple(match.span() for match in DOUBT.finditer(text)),
    )


@lru_cache(maxsize=1_024)
def language_of(text: str) -> str:
    """Return the language of a text; English where it has Latin letters and does not tell."""
    return detect_language(text) or ("en" if regex.search("[a-z]", text) else "")


def is_same_word(one: Word, other: Word) -> bool:
    """Say whether two words are forms of one; names have one form only."""
    if one.key == other.key:
        return True
    if _names_other_party(one.raw, other.raw):
        return False
    if one.is_name and other.is_name and not _CYRILLIC.match(one.raw):
        return False
    return _are_forms(one.key, other.key)


def _names_other_party(one: str, other: str) -> bool:
    """Say whether one is who does and the other to whom it is done: employer and employee."""
    ends = [_PARTY_END.search(word.casefold()) for word in (one, other)]
    return None not in ends and len({end.group()[:2] == "ee" for end in ends if end}) == 2


@lru_cache(maxsize=65_536)
def _are_forms(one: str, other: str) -> bool:
    if any(one in group and other in group for group in _groups().get(one, ())):
        return True
    common = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        common += 1
    if common < NEAREST_FORMS or one[common:] == other[common:]:
        return False
    endings = {one[common:], other[common:]}
    return endings <= ENDINGS and not endings & AGENTS


def _denials(text: str) -> tuple[tuple[int, int], ...]:
    exempt = [match.span() for match in NO_DENIAL.finditer(text)]
    return tuple(
        match.span()
        for match in DENIAL.finditer(text)
        if not any(start <= match.start() < end for start, end in exempt)
    )


def _words(text: str, language: str, dates: Iterable[Date]) -> Iterable[Word]:
    spans = [(date.start, date.end) for date in dates]
    numbers = quantities_in(text, language, tuple(dates))
    spans.extend((number.start, number.end) for number in numbers)
    readable = without_stop_phrases(text, language) if language in ("zh", "ja", "th") else text
    if len(readable) != len(text):
        readable = text
    before, at, is_new = "", 0, True
    position = 0
    for match in _WORD.finditer(readable):
        start, end = match.span()
        is_new = is_new or _SENTENCE_END.search(readable, position, start) is not None
        position = end
        at += 1
        raw = match.group()
        inside = any(first <= start < last for first, last in spans)
        if _UNSPACED.match(raw):
            yield from (
                each
                for each in _characters(raw, start, at)
                if not any(first <= each.start < last for first, last in spans)
            )
            is_new, before = False, raw
            continue
        if not inside:
            word = _word(raw, language, start, at, before, is_first=is_new)
            if word is not None:
                yield word
        is_new, before = False, raw


def _word(
    raw: str, language: str, start: int, at: int, before: str, *, is_first: bool
) -> Word | None:
    bare = _POSSESSIVE.sub("", raw)
    weekday, month = weekday_of(bare), month_of(bare)
    is_capital = bare[0].isupper()
    if weekday:
        key = f"weekday {weekday}"
    elif month and is_capital and not is_first:
        key = f"month {month}"
    else:
        terms = _analyzer(language).terms(bare)
        key = "".join(terms).replace("ё", "е")
        if _CONTRACTED.search(bare):
            return None
        if not key or key in _stop(language) or key in LIGHT:
            # "US" and "IT" are names, whatever the words are that are written with their letters.
            if not (len(bare) > 1 and bare.isupper() and not before.isupper()):
                return None
            key = bare.casefold()
    is_name = is_capital and not is_first and key[:5] not in ("weekd", "month")
    return Word(
        key,
        raw,
        start,
        start + len(raw),
        is_name,
        is_first,
        before.casefold() in ARTICLES or before.endswith(("'s", "’s")),
        at,
    )


def _characters(run: str, start: int, at: int) -> Iterable[Word]:
    for place, sign in enumerate(run, start):
        if sign in UNSPACED_STOP or _KANA.match(sign) or DENIAL.fullmatch(sign):
            continue
        yield Word(
            sign,
            sign,
            place,
            place + 1,
            is_name=False,
            is_first=False,
            follows_article=False,
            at=at,
        )


@cache
def _analyzer(language: str) -> Analyzer:
    return Analyzer(language)


@cache
def _stop(language: str) -> frozenset[str]:
    return stop_terms(language) - TELLING


@cache
def _groups() -> dict[str, list[frozenset[str]]]:
    groups: dict[str, list[frozenset[str]]] = {}
    for language, lines in (("en", ENGLISH_FORMS), ("de", GERMAN_FORMS)):
        for line in lines.split(";"):
            keys = frozenset(_analyzer(language).terms(line))
            for key in keys:
                groups.setdefault(key, []).append(keys)
    return groups


_UNSPACED = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}ー]")
_WORD = regex.compile(
    r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}ー]+"
    r"|[\w--[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}ー]]+(?:['’.&][\w--[\p{Han}\p{Hiragana}\p{Katakana}]]+)*",
    regex.V1,
)
_PARTY_END = regex.compile(r"(?:ee|er|or)s?$")
_CYRILLIC = regex.compile(r"\p{Cyrillic}")
_CONTRACTED = regex.compile(r"n['’]t$")
_KANA = regex.compile(r"\p{Hiragana}")
_POSSESSIVE = regex.compile(r"['’]s?$")
_SENTENCE_END = regex.compile(r"[.!?:。！？：\n\"“„«»•|]")
