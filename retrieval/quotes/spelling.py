"""Whether two spellings are one word: a slip of a typist or of OCR, and never another word.

What OCR confuses is a short list (rn and m, cl and d, h and b), and so is what fingers do (two
letters swapped, one dropped or doubled). Both also lead from one word to another: "modern" and
"modem", "trial" and "trail". So one of the two must be no word: of the lists of pyspellchecker
(English, German, French, Spanish, Italian, Portuguese, Dutch, Russian, Latvian, Basque, Arabic,
Persian), or of the document itself. Where neither is known, as with names, only signs that look
alike are forgiven.
"""
# ruff: noqa: RUF001 - signs that look alike are what this is about

import gzip
import json
from collections.abc import Callable, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TypeAlias

import regex

CountInDocuments: TypeAlias = Callable[[str], int]
"""How often the documents have a word, in small letters."""

COMMON_FACTOR = 5
"""A word so many times as frequent as another in a document leaves it open whether that is one."""

RARE, RARE_FACTOR = 400, 50
"""Below the first a frequency is rare, beside one so many times as high ("chanel", "channel")."""

SHORTEST_TYPED = 5
"""Letters of a word in which a slip of the fingers can be told from another word."""

SHORTEST_UNKNOWN = 8
"""Letters of words of no list, one of which OCR may have made of the other."""


def is_one_word(  # noqa: PLR0911 -- each return is a reason
    ours: str, theirs: str, language: str, count: CountInDocuments, *, is_name: bool = False
) -> bool:
    """Say whether two different words, in small letters, are spellings of one.

    Args:
        ours: As a quote has it.
        theirs: As the document has it.
        is_name: One of them has a capital letter.
    """
    if are_variants(ours, theirs):
        return True
    words = known_words(language)
    if _is_rare_beside(ours, theirs, words) and _is_typed(ours, theirs):
        return not is_name and min(len(ours), len(theirs)) >= SHORTEST_TYPED
    is_ours = ours in words or count(ours) > 0
    # The same slip may stand in a document many times; a word does so more often.
    often = count(theirs)
    is_theirs = theirs in words or (often > 1 and often * COMMON_FACTOR >= count(ours))
    if is_ours and is_theirs:
        return False
    if _looks_alike(ours) == _looks_alike(theirs):
        return True
    if not is_ours and not is_theirs:
        is_long = min(len(ours), len(theirs)) >= SHORTEST_UNKNOWN
        return is_long and not is_name and _is_confused(ours, theirs, 1)
    longest = max(len(ours), len(theirs))
    if is_name and len(ours) == len(theirs) and _differ_in_vowels(ours, theirs):
        return False  # Larsen and Larson
    if _is_confused(ours, theirs, 1 + (longest >= SHORTEST_TYPED)):
        return True
    has_list = bool(words) and language not in _SHORT_LISTS
    return (
        has_list
        and not is_name
        and min(len(ours), len(theirs)) >= SHORTEST_TYPED
        and _is_typed(ours, theirs)
    )


def are_variants(ours: str, theirs: str) -> bool:
    """Say whether two words are one in British and American English."""
    return _american(ours) == _american(theirs)


def read_digits(text: str) -> str:
    """Return a text with digits among digits and letters among letters, where OCR confuses them.

    As long as the text was, character by character: "l948" becomes "1948", "p0rt" "port".
    """
    return _MIXED.sub(_read_mixed, text)


@cache
def known_words(language: str) -> Mapping[str, int]:
    """Return the words of a language with their frequencies; none where there is no list.

    The files are read as they are: the class that reads them needs five times as long.
    """
    package = find_spec("spellchecker")
    if package is None or package.origin is None:
        return {}
    path = Path(package.origin).with_name("resources") / f"{language}.json.gz"
    if not path.is_file():
        return {}
    words: dict[str, int] = json.loads(gzip.decompress(path.read_bytes()))
    return words


def _is_rare_beside(ours: str, theirs: str, words: Mapping[str, int]) -> bool:
    """Say whether one is a name or so that hardly anybody writes, beside a word of every day."""
    rare, common = sorted((ours, theirs), key=lambda word: words.get(word, 0))
    low = words.get(rare, 0)
    is_rare = 0 < low < RARE and low * RARE_FACTOR <= words.get(common, 0)
    # "planing" is rare, too, but a form of "plane".
    stems = {rare.removesuffix(ending) for ending in ("ing", "ed", "s", "es", "er", "d")} - {rare}
    return is_rare and not any(stem in words or f"{stem}e" in words for stem in stems)


def _read_mixed(match: regex.Match[str]) -> str:
    token = match.group()
    digits = sum(map(str.isdigit, token))
    if len(token) > 2 and (digits * 2 >= len(token) or token.isupper()):
        read = token.translate(_TO_DIGITS)
        if read.isdigit():
            return read
    read = token.translate(_TO_LETTERS)
    return read if read.isalpha() and len(token) - digits > 2 else token


def _looks_alike(word: str) -> str:
    """Return a word with one sign for each of those that look the same."""
    for many, single in _ALIKE:
        word = word.replace(many, single)
    return word


def _is_confused(ours: str, theirs: str, most: int) -> bool:
    """Say whether at most so many confusions of OCR lead from one word to the other."""
    if abs(len(ours) - len(theirs)) > most * 2:
        return False

    def reach(i: int, k: int, left: int) -> bool:
        while i < len(ours) and k < len(theirs) and ours[i] == theirs[k]:
            if left and any(
                reach(i + len(a), k + len(b), left - 1)
                for a, b in _CONFUSIONS
                if ours.startswith(a, i) and theirs.startswith(b, k)
            ):
                return True
            i, k = i + 1, k + 1
        if i == len(ours) and k == len(theirs):
            return True
        return left > 0 and any(
            reach(i + len(a), k + len(b), left - 1)
            for a, b in _CONFUSIONS
            if ours.startswith(a, i) and theirs.startswith(b, k)
        )

    return reach(0, 0, most)


def _differ_in_vowels(ours: str, theirs: str) -> bool:
    return any(a != b and {a, b} <= _VOWELS for a, b in zip(ours, theirs, strict=True))


def _is_typed(ours: str, theirs: str) -> bool:
    """Say whether two letters are swapped, or one is left out or put in."""
    if len(ours) == len(theirs):
        different = [at for at, (a, b) in enumerate(zip(ours, theirs, strict=True)) if a != b]
        return (
            len(different) == 2
            and different[1] == different[0] + 1
            and ours[different[0]] == theirs[different[1]]
            and ours[different[1]] == theirs[different[0]]
        )
    longer, shorter = sorted((ours, theirs), key=len, reverse=True)
    return len(longer) == len(shorter) + 1 and any(
        longer[:at] + longer[at + 1 :] == shorter for at in range(len(longer))
    )


def _american(word: str) -> str:
    for pattern, form in _SPELLINGS:
        word = pattern.sub(form, word)
    return word


_TO_DIGITS = str.maketrans("oOlI|", "00111")
_TO_LETTERS = str.maketrans("0158|", "olsbl")
_MIXED = regex.compile(r"(?<![\w|])(?=[\p{L}|]*\d)(?=\d*[\p{L}|])[\p{Latin}\d|]+(?![\w|])")
_ALIKE = (
    *(("rn", "m"), ("vv", "w"), ("ſ", "f"), ("ß", "b")),
    *(("1", "l"), ("|", "l"), ("i", "l"), ("ı", "l"), ("0", "o"), ("5", "s"), ("8", "b")),
)
_PAIRS = """c e;c o;e o;a o;h b;h n;u n;u v;f t;f s;g q;i l;i j;v y;v w;n r;m n;s 5;z 2;g 9;b
    6;rn m;cl d;vv w;ii u;li h;ri n;nn m;in m;ni m;lc k;ol d;tl d;fi h;fl h;ti n;il u;ll
    u;lt h;cj g;rm nn;iii m;fi f;fl f;ff f;ij y;ę e;é e;è e;ê e;ë e;à a;â a;á a;ç c;ñ n;í
    i;ó o;ú u;ä a;ö o;ü u;ü ii;î i;ô o;û u;ß b;ß ss;ſ s;ſ f;œ oe;æ ae;и н;и п;н п;ш щ;ш и;е
    с;с о;б 6;з 3;ы ьі;ь ъ;ц п;л п;ё е;й и;о а;в б"""
_CONFUSIONS = [
    pair for both in _PAIRS.split(";") for a, b in [both.split()] for pair in ((a, b), (b, a))
]
_VOWELS = frozenset("aeiou")
_SHORT_LISTS = frozenset(["ru", "fa", "ar", "lv", "eu"])
_SPELLINGS = [
    (regex.compile(pattern), form)
    for pattern, form in (
        (
            r"(?<=\p{L}{3})our(?=(?:s|ed|ing|able|ful|ite|ites|er|ers|less|hood|al|ist|ably)?$)",
            "or",
        ),
        (r"(?<=\p{L}{4})is(?=(?:e|ed|es|ing|er|ers|ation|ations)$)", "iz"),
        (r"(?<=\p{L}{3})yse(?=[ds]?$)", "yze"),
        (r"(?<=\p{L}{2})([tb])re(?=s?$)", r"\1er"),
        (r"(?<=\p{L}{3})ell(?=(?:ed|ing|er|ers)$)", "el"),
        (r"(?<=\p{L}{3})ence(?=s?$)", "ense"),
        (r"(?<=\p{L}{3})ogue(?=s?$)", "og"),
    )
]
