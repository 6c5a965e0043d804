"""Text analysis: from a text to the terms that lexical search compares, by its language.

Words are put in the spelling they are looked up by: case and compatibility forms folded, "1,488"
as "1488", "PP&E" as "ppe", "U.S." as "us", "FY22" as "2022", inflection removed by the Snowball
stemmer of the language, accents on Latin letters left out. A script without blanks between
words (Chinese, Japanese, Thai) gives pairs of characters, which find words of any length
without a dictionary; what is searched has single characters beside them, so that a question for
one finds it. A line break inside such a script is no end of a word.

A document may declare its language; else the script decides, and for scripts that many languages
share, whose function words are the most frequent. Stop words are left out of questions only: a
text keeps them, so that its length counts as it is. They are those that bm25s collects; languages
that it has none for are searched without.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import Stemmer

from lcagent.documents import Document

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


_SAMPLE_PAGES = 12
_SAMPLE_CHARACTERS = 20_000
_MIN_SHARE = 0.08
"""A text of which fewer words are function words of a language is not in that language."""

_SCRIPTS = (
    ("ja", re.compile("[\u3040-\u30ff]")),
    ("zh", re.compile("[\u3400-\u9fff]")),
    ("ko", re.compile("[\uac00-\ud7af]")),
    ("ar", re.compile("[\u0600-\u06ff]")),
    ("th", re.compile("[\u0e00-\u0e7f]")),
)
_MIN_SCRIPT_SHARE = 0.1

_GERMAN_QUESTION_WORDS = (
    "wer wen wem wessen womit wodurch wofür woran wovon wozu woher wohin weshalb"
    " viele vieles wieviel gibt gab gibts heißt hieß heißen lautet befindet geschah passierte"
)
_STOP_WORD_LISTS = {
    "da": "DANISH",
    "de": "GERMAN",
    "en": "EN_PLUS",
    "es": "SPANISH",
    "fr": "FRENCH",
    "it": "ITALIAN",
    "nl": "DUTCH",
    "no": "NORWEGIAN",
    "pt": "PORTUGUESE",
    "ru": "RUSSIAN",
    "sv": "SWEDISH",
    "tr": "TURKISH",
}
_MORE_STOP_WORDS = {"de": _GERMAN_QUESTION_WORDS.split(), "en": ["many", "much", "whose"]}
_ARABIC_STOP = (
    "من ما ماذا متى أين كيف كم هل لماذا في على إلى عن مع هو هي هذا هذه التي الذي أن إن كان و"
)
_UNSPACED_STOP = {
    "zh": "怎么回事|是谁|谁|为什么|为何|什么时候|什么样|什么|何时|哪个|哪些|哪里|哪儿|哪年|哪种"
    "|怎么样|怎么|怎样|如何|多少|多大|多久|多长|多高|几个|几|有没有|是不是|是|的|了|吗|呢|在",
    "ja": "どれくらい|どれぐらい|どのくらい|どのぐらい|どれほど|どのように|どうやって|どうして"
    "|どんな|どれ|どの|いくつ|いくら|何年|何人|何度|何回|何分|ありますか|いますか|でしょうか|ですか"
    "|ますか|ました|ください|について|のため|とは|何|誰|いつ|どこ|なぜ|どう|は|が|を|の|に|で",
    "th": "คืออะไร|อะไร|ใคร|ที่ไหน|เมื่อไร|ทำไม|อย่างไร|เท่าไร",
}
"""Question words and particles of languages written without blanks, the longest first."""


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


def document_language(document: Document) -> str | None:
    """Return the language of a document as an ISO 639-1 code, or None where it is unclear."""
    if document.language:
        return re.split("[-_]", document.language.lower())[0]
    step = max(1, len(document.pages) // _SAMPLE_PAGES)
    sample = " ".join(page.text[:4_000] for page in document.pages[::step])
    return detect_language(sample[:_SAMPLE_CHARACTERS])


def detect_language(text: str) -> str | None:
    """Return the language of a text by its script and its function words."""
    letters = sum(map(str.isalpha, text)) or 1
    for language, script in _SCRIPTS:
        if len(script.findall(text)) >= _MIN_SCRIPT_SHARE * letters:
            return language
    words = Counter(re.findall(r"[^\W\d_]+", text.lower()))
    shares = {
        language: sum(words[word] for word in stop) / (words.total() or 1)
        for language, stop in _stop_words().items()
    }
    best = max(shares, key=shares.__getitem__)
    return best if shares[best] >= _MIN_SHARE else None


def without_stop_phrases(question: str, language: str | None) -> str:
    """Return a question with blanks for its question words, where no blanks set them off.

    Otherwise the pairs of characters that words are searched by would reach over them.
    """
    pattern = _UNSPACED_STOP.get(language or "")
    return re.sub(pattern, " ", question) if pattern else question


@cache
def stop_terms(language: str | None) -> frozenset[str]:
    """Return the terms that say nothing of what a question is about."""
    words = [
        *_stop_words().get(language or "", ()),
        *(_ARABIC_STOP.split() if language == "ar" else ()),
    ]
    analyzer = Analyzer(language)
    return frozenset(term for word in words for term in analyzer.terms(word))


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


@cache
def _stop_words() -> Mapping[str, Sequence[str]]:
    """Return the stop words of each language, by the lists of bm25s.

    The module is loaded on its own: its package imports scipy, a third of what a question costs in
    a new process.
    """
    package = find_spec("bm25s")
    assert package is not None
    assert package.origin is not None
    spec = spec_from_file_location(
        "lcagent_stop_words", Path(package.origin).with_name("stopwords.py")
    )
    assert spec is not None
    assert spec.loader is not None
    lists = module_from_spec(spec)
    spec.loader.exec_module(lists)
    return {
        language: (*getattr(lists, f"STOPWORDS_{name}"), *_MORE_STOP_WORDS.get(language, ()))
        for language, name in _STOP_WORD_LISTS.items()
    }
