"""The terms of a text: what lexical search compares.

Words are put in the spelling they are looked up by: case and compatibility forms folded, "1,488"
as "1488", "PP&E" as "ppe", "U.S." as "us", "FY22" as "2022", inflection removed by the Snowball
stemmer of the language, accents on Latin letters left out. A script without blanks between
words (Chinese, Japanese, Thai) gives pairs of characters, which find words of any length
without a dictionary; what is searched has single characters beside them, so that a question for
one finds it. A line break inside such a script is no end of a word.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

import Stemmer

_WORD = re.compile(r"\d+(?:[.,]\d+)+|[^\W_]+(?:[&'’.\-][^\W_]+)*")
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+"
)
_INITIALS = re.compile(r"(?:[^\W\d_]\.)+[^\W\d_]")
_FISCAL_YEAR = re.compile(r"fy(\d\d)?(\d\d)")
_JOINS = re.compile(r"[.'\-]")
_ARABIC_MARKS = re.compile("[\u064b-\u065f\u0670\u0640]")
_ARABIC_LETTERS = {
    0x623: "\u0627",
    0x625: "\u0627",
    0x622: "\u0627",
    0x671: "\u0627",
    0x649: "\u064a",
    0x629: "\u0647",
}
_LINE_END_HYPHEN = re.compile(r"(?<=\w)-\n(?=[a-zäöüßàâçéèêëîïôûùœæáíñóú])")
_UNSPACED_LINE_END = re.compile(
    rf"(?<={_UNSPACED.pattern[:-1]})[^\S\n]*\n[^\S\n]*(?={_UNSPACED.pattern[:-1]})"
)
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\ufeff]")
_ARABIC = re.compile("[\u0600-\u06ff]")

_PLAIN_LATIN = {
    code: plain[0]
    for code in range(0xC0, 0x250)
    if (plain := unicodedata.normalize("NFKD", chr(code)))[0].isascii() and plain[0].isalpha()
}

ALGORITHMS: Mapping[str, str] = {
    "ar": "arabic",
    "da": "danish",
    "de": "german",
    "en": "english",
    "es": "spanish",
    "fi": "finnish",
    "fr": "french",
    "hu": "hungarian",
    "it": "italian",
    "nl": "dutch",
    "no": "norwegian",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sv": "swedish",
    "tr": "turkish",
}
"""The Snowball stemmer of each language (https://snowballstem.org)."""


class Analyzer:
    """Turns texts of one language into terms; remembers the words it has met."""

    def __init__(self, language: str | None) -> None:
        self.language = language or ""
        self._stem = _stemmer(self.language)
        self._known: dict[tuple[str, bool], tuple[str, ...]] = {}

    def terms(self, text: str) -> list[str]:
        """Return the terms that a text is looked for by, in order."""
        return self._terms(text, with_singles=False)

    def indexed_terms(self, text: str) -> list[str]:
        """Return the terms that a text is found by: `terms`, and what else may be asked for."""
        return self._terms(text, with_singles=True)

    def _terms(self, text: str, *, with_singles: bool) -> list[str]:
        terms: list[str] = []
        for word in _WORD.findall(fold(text)):
            known = self._known.get((word, with_singles))
            if known is None:
                known = tuple(self._terms_of(word, with_singles))
                self._known[word, with_singles] = known
            terms.extend(known)
        return terms

    def _terms_of(self, word: str, with_singles: bool) -> Iterator[str]:
        for part in _parts(word):
            if part.isascii():
                yield self._stem(part)
            elif _UNSPACED.search(part):
                yield from _pairs(part, with_singles)
            else:
                yield without_accents(self._stem(part))


def fold(text: str) -> str:
    """Return the text in the spelling that is searched."""
    if text.isascii():
        folded = text.lower()
    else:
        folded = unicodedata.normalize("NFKC", text).casefold()
        folded = _INVISIBLE.sub("", folded)
        if "\n" in folded:
            folded = _UNSPACED_LINE_END.sub("", folded)
        if _ARABIC.search(folded):
            folded = _ARABIC_MARKS.sub("", folded).translate(_ARABIC_LETTERS)
    return _LINE_END_HYPHEN.sub("", folded) if "-\n" in folded else folded


def without_accents(word: str) -> str:
    """Return a word as people type it who lack the keys: Latin letters without their marks."""
    return word.translate(_PLAIN_LATIN)


def _parts(word: str) -> list[str]:
    """Return one written word as the words it is indexed by."""
    word = word.replace("’", "'").removesuffix("'s")
    if word[0].isdigit() and not any(character.isalpha() for character in word):
        return [word.replace(",", "")]
    if _INITIALS.fullmatch(word):
        return [word.replace(".", "")]
    return [_year(part) for part in _JOINS.split(word.replace("&", "")) if part]


def _year(part: str) -> str:
    match = _FISCAL_YEAR.fullmatch(part)
    return (match[1] or "20") + match[2] if match else part


def _pairs(part: str, with_singles: bool) -> Iterator[str]:
    """Yield overlapping pairs of the characters of a script without blanks, other runs whole."""
    end = 0
    for run in _UNSPACED.finditer(part):
        if run.start() > end:
            yield part[end : run.start()]
        characters = run.group()
        yield from (characters[i : i + 2] for i in range(max(1, len(characters) - 1)))
        if with_singles and len(characters) > 1:
            yield from characters
        end = run.end()
    if end < len(part):
        yield part[end:]


@cache
def _stemmer(language: str) -> Callable[[str], str]:
    algorithm = ALGORITHMS.get(language)
    if algorithm is None:
        return str
    stemmer: Any = Stemmer.Stemmer(algorithm)
    stem: Callable[[str], str] = stemmer.stemWord
    return stem
