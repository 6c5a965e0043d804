"""Plain text: cut at its chapters where it has any, else at its paragraphs.

It has no marks for headings. Lines that name a chapter count ("CHAPTER IV", "第三回", "Epilogue");
where there are none, numbered lines or lines in capitals do, if they stand as far apart as
chapters. A table of contents names the same chapters as the text behind it, and is not taken for
them.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from lcagent.retrieval.reading.encoding import clean, decode
from lcagent.retrieval.reading.parts import Heading, MarkedText, read_parts
from lcagent.retrieval.reading.reader import Reading


def read(path: Path, password: str | None = None, first_page: int = 0) -> Reading:  # noqa: ARG001 -- Reader
    """Read a plain text; see `reader.Reader`."""
    text = clean(decode(path.read_bytes())[0])
    return read_parts(MarkedText(text, find_headings(text)), first_page)


_FEWEST = 3
_LEAST_LENGTH = 800
_ENTRY_LENGTH = 200


def find_headings(text: str) -> tuple[Heading, ...]:
    """Return the headings of the chapters, in the order of the text."""
    named = sorted(named_lines(text), key=lambda found: found[0].start)
    chapters = _without_contents(text, named)
    if any(heading.level >= PART for heading in chapters):
        return tuple(chapters)
    for found in (counted_lines(text), capital_lines(text)):
        if len(found) >= _FEWEST and len(text) / len(found) >= _LEAST_LENGTH:
            return tuple(sorted({*chapters, *found}, key=lambda heading: heading.start))
    return tuple(chapters)


def _without_contents(text: str, named: Sequence[tuple[Heading, str]]) -> list[Heading]:
    """Drop the headings up to where the first one comes again, if no text stands between them."""
    headings = [heading for heading, _ in named]
    keys = [key for _, key in named]
    first = 0
    while keys[first : first + 1] and keys[first] in keys[first + 1 :]:
        again = keys.index(keys[first], first + 1)
        if again - first < _FEWEST or not _is_list(text, headings[first:again]):
            break
        first = again
    return headings[first:]


def _is_list(text: str, headings: Sequence[Heading]) -> bool:
    """Tell whether these headings follow each other with hardly any text between them."""
    between = (text[heading.end : after.start] for heading, after in pairwise(headings))
    return all(len("".join(gap.split())) < _ENTRY_LENGTH for gap in between)


PART, CHAPTER = 2, 3

_COUNTED = (
    r"\d{1,3}|[ivxlc]{1,8}|"  # of any script: Arabic texts have digits of their own
    r"one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|"
    r"sixteen|seventeen|eighteen|nineteen|(?:twenty|thirty|forty|fifty)(?:[- ][a-z]+)?|the [a-z]+|"
    r"first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|last|"
    r"eins|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|elf|zwölf|"
    r"premi[eè]re?|primer[oa]|segund[oa]|tercer[oa]|[а-яё]+(?:ая|ья|ый|ой|ий)|"
    r"ال[\u0621-\u064a]+(?: عشرة?)?"
)
_ORDINAL = r"(?:first|second|third|last|[a-zäöüß]+te[rns]?)"  # "Erstes Kapitel", "FIRST EPILOGUE"
_TITLED = (  # behind a stop, or without one if it begins and ends like a title
    r"(?:[ \t]*[.:)—–-]+(?:[ \t]*\S[^\n]{0,90})?"
    r"|[ \t]+(?-i:[^\sa-zа-яё])[^\n]{0,80}[^\s.,;!?])?"
)
_KNOWN = (
    r"prologue|epilogue|preface|foreword|introduction|afterword|conclusion|appendix|glossary|"
    r"bibliography|acknowledge?ments|etymology|extracts|abstract|references|"
    r"prolog|epilog|vorwort|nachwort|einleitung|anhang|schluss|pr[eé]face|avant-propos|"
    r"[eé]pilogue|pr[oó]logo|ep[ií]logo|introducci[oó]n|пролог|эпилог|предисловие|введение|"
    r"заключение|مقدمة|المقدمة|خاتمة|الخاتمة"
)
_NUMERALS = "[0-9０-９一二三四五六七八九十百千零〇○两兩]{1,7}"  # noqa: RUF001 -- wide digits


def _numbered(words: str) -> str:
    return rf"(?:{words}) (?:{_COUNTED})(?![\w'’])"


_BOOKS = _numbered("book|volume|livre|tome|libro|tomo|buch|band|книга|том|الكتاب|المجلد")
_PARTS = _numbered("part|teil|partie|parte|часть|الباب|الجزء|القسم")
_CHAPTERS = _numbered(r"chapter|chap\.|kapitel|chapitre|cap[ií]tulo|capitolo|глава|الفصل")
_LINE = re.compile(
    r"^[ \t]*(?:(?:"
    rf"(?P<l1>{_BOOKS}|{_ORDINAL} (?:buch|book|epilogue))"
    rf"|(?P<l2>{_PARTS}|{_ORDINAL} (?:teil|part))"
    rf"|(?P<l3>{_CHAPTERS}|{_ORDINAL} (?:kapitel|chapter)|{_KNOWN})"
    rf"){_TITLED}|(?P<e1>\*\*\* ?END OF (?:THE|THIS) PROJECT GUTENBERG[^\n]*))[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
_CHINESE_LINE = re.compile(
    rf"^[ \t\u3000]*(?:(?P<l1>第{_NUMERALS}[卷冊册])|(?P<l2>第{_NUMERALS}[部篇編编])"
    rf"|(?P<l3>第{_NUMERALS}[回章話话])|(?P<l4>第{_NUMERALS}[节節]))"
    r"(?:[ \t\u3000：:、][^\n。！？]{0,50})?[ \t\u3000]*$",
    re.MULTILINE,
)
_NUMBERED_LINE = re.compile(
    r"^[ \t]*(?:(?P<arabic>\d{1,3})|(?P<roman>[IVXLC]{1,8}))[.)]?(?:[ \t]+\S[^\n]{0,60})?[ \t]*$",
    re.MULTILINE,
)
_SHORT_LINE = re.compile(r"^[ \t]*[^\s\d\"“*][^\n]{3,60}(?<![,;!?])[ \t]*$", re.MULTILINE)
_ROMAN = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}


def named_lines(text: str) -> Iterator[tuple[Heading, str]]:
    """Yield the headings that name their kind, each with a key: its kind and number."""
    for match in _LINE.finditer(text):
        group = match.lastgroup or ""
        end = _end_of_title(text, match, is_bare=match.end(group) == match.end())
        if end and _follows_blank_line(text, match.start()):
            yield _heading(text, match.start(), end, int(group[1])), match[group].casefold()
    for match in _CHINESE_LINE.finditer(text):
        group = match.lastgroup or ""
        yield _heading(text, match.start(), match.end(), int(group[1])), match[group]


def counted_lines(text: str) -> list[Heading]:
    """Return the lines between blank lines that begin with 1, 2, 3 ... (or I, II, III ...)."""
    found: list[Heading] = []
    for match in _NUMBERED_LINE.finditer(text):
        number = int(match["arabic"]) if match["arabic"] else _roman(match["roman"])
        if number == len(found) + 1 and _stands_alone(text, match):
            found.append(_heading(text, match.start(), match.end(), CHAPTER))
    return found


def capital_lines(text: str) -> list[Heading]:
    """Return the short lines between blank lines that are in capitals."""
    return [
        _heading(text, match.start(), match.end(), CHAPTER)
        for match in _SHORT_LINE.finditer(text)
        if match[0].isupper() and _stands_alone(text, match)
    ]


def _heading(text: str, start: int, end: int, level: int) -> Heading:
    return Heading(start, end, level, " ".join(text[start:end].replace("***", "").split()))


def _end_of_title(text: str, match: re.Match[str], *, is_bare: bool) -> int | None:
    """Return where the heading ends, the next line included if it is the title; None if it is none.

    A line of which the number is all may be followed by text at once; others may not.
    """
    if _precedes_blank_line(text, match.end()):
        return match.end()
    next_end = text.find("\n", match.end() + 1)
    is_title = 0 < next_end - match.end() <= 60 and _precedes_blank_line(text, next_end)
    if is_title and len(match[0].strip()) <= 30:
        return next_end
    return match.end() if is_bare else None


def _stands_alone(text: str, match: re.Match[str]) -> bool:
    return _follows_blank_line(text, match.start()) and _precedes_blank_line(text, match.end())


def _follows_blank_line(text: str, start: int) -> bool:
    before = text.rfind("\n", 0, max(0, start - 1))
    return not text[before + 1 : start].strip()


def _precedes_blank_line(text: str, end: int) -> bool:
    after = text.find("\n", end + 1)
    return not text[end : after if after >= 0 else None].strip()


def _roman(digits: str) -> int:
    values = [_ROMAN[digit] for digit in digits]
    following = [*values[1:], 0]
    return sum(
        -value if value < after else value for value, after in zip(values, following, strict=True)
    )
