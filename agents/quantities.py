"""The numbers, units and dates of a text, in one form however they are written.

"1,234", "1 234" and "1.234" of a German text, "3.2 million" and "3,200,000", "five" and "5", "12 %"
and "12 percent", "24 Dec. 1911" and "December 24, 1911" each have one value here. Words for numbers
and months: English, German, French, Spanish, Italian, Portuguese, Dutch, Russian, Chinese and Japanese
(numbers below a hundred and powers of ten).
"""
# ruff: noqa: E501, RUF001 - lists of words; the letters of many scripts look like those of ours

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

import regex

from lcagent.agents.quantity_words import (
    ABOVE,
    BELOW,
    BLANK_GROUP,
    CELL,
    CJK_DIGITS,
    CJK_NUMERAL,
    CJK_POWERS,
    COMMA_LANGUAGES,
    DATES,
    DOUBTFUL_MONTHS,
    MONTHS,
    NAME_BEFORE,
    NOUN,
    QUANTITY,
    SCALE,
    SCALES,
    SHORT_SCALE,
    TWO_WORD_UNITS,
    UNIT_AFTER,
    UNIT_BEFORE,
    UNITS,
    WEEKDAYS,
    WORDS,
)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number of a text.

    Attributes:
        values: What it may mean: "1.234" is two numbers until the language is known.
        unit: In one spelling ("%", "mg", "usd"); empty where none that is known follows.
        bound: "<" or ">" where words before it make it a limit; else empty.
        noun: The word behind it, where that is no unit.
        is_word: It was written in letters.
    """

    start: int
    end: int
    values: frozenset[Decimal]
    unit: str = ""
    bound: str = ""
    noun: str = ""
    is_word: bool = False

    @property
    def is_year(self) -> bool:
        """Say whether it reads like a year."""
        return not self.unit and any(
            1000 <= value <= 2199 and value == int(value) for value in self.values
        )


@dataclass(frozen=True, slots=True)
class Date:
    """A date of a text; parts that are not told are None.

    Attributes:
        is_ambiguous: Day and month may be the other way round ("3/4/1911").
    """

    start: int
    end: int
    year: int | None
    month: int | None
    day: int | None
    is_ambiguous: bool = False

    def is_within(self, other: "Date") -> bool:
        """Say whether `other` tells all that this date tells, and the same."""
        pairs = [(self.month, self.day)]
        if self.is_ambiguous:
            pairs.append((self.day, self.month))
        others = [(other.month, other.day)]
        if other.is_ambiguous:
            others.append((other.day, other.month))
        return self.year in (None, other.year) and any(
            month in (None, other_month) and day in (None, other_day)
            for month, day in pairs
            for other_month, other_day in others
        )


def dates_in(text: str) -> list[Date]:
    """Return the dates of a text that have a month, in order."""
    found: list[Date] = []
    for pattern in DATES:
        for match in pattern.finditer(text):
            if any(match.start() < date.end and date.start < match.end() for date in found):
                continue
            date = _date(match)
            if date is not None:
                found.append(date)
    return sorted(found, key=lambda date: date.start)


def quantities_in(
    text: str, language: str = "", dates: Sequence[Date] | None = None, *, may_be_row: bool = False
) -> list[Quantity]:
    """Return the numbers of a text in order, those of dates left out.

    Args:
        dates: Those of the text, where they are known.
        may_be_row: Blanks may stand between the cells of a table as well as between thousands:
            "45 930" is 45930, and is also 45 and 930.
    """
    dates = dates_in(text) if dates is None else dates
    patterns = [QUANTITY, CELL] if may_be_row and BLANK_GROUP.search(text) else [QUANTITY]
    found = {
        (quantity.start, quantity.end): quantity
        for pattern in patterns
        for quantity in _quantities(text, language, pattern)
        if not any(date.start <= quantity.start < date.end for date in dates)
    }
    return [found[place] for place in sorted(found)]


def unit_of(word: str) -> str:
    """Return the one spelling of a unit; empty for a word that is none."""
    return UNITS.get(word) or UNITS.get(word.casefold().rstrip("."), "")


def month_of(word: str) -> int | None:
    """Return the month that a word names, or None."""
    return MONTHS.get(word.casefold().rstrip("."))


def weekday_of(word: str) -> int | None:
    """Return the day of the week that a word names, from 1 for Monday, or None."""
    return WEEKDAYS.get(word.casefold().rstrip("."))


def _date(match: regex.Match[str]) -> Date | None:
    parts = match.groupdict()
    month = month_of(parts["name"]) if parts.get("name") else _int(parts.get("month"))
    day, year = _int(parts.get("day")), _int(parts.get("year"))
    is_ambiguous = False
    if parts.get("first"):
        day, month = int(parts["first"]), int(parts["second"])
        if month > 12:
            day, month = month, day
        is_ambiguous = day <= 12 and day != month and parts["sep"] == "/"
    if not month or month > 12 or (day is not None and not 0 < day < 32):
        return None
    # "may" is a verb unless it is written as a month or a number stands beside it.
    if day is None and year is None and parts.get("name", "").casefold() in DOUBTFUL_MONTHS:
        return None
    return Date(match.start(), match.end(), year, month, day, is_ambiguous)


def _int(digits: str | None) -> int | None:
    return int(digits) if digits else None


def _quantities(text: str, language: str, pattern: regex.Pattern[str]) -> Iterator[Quantity]:
    done = 0
    for match in pattern.finditer(text):
        if match.start() < done:  # the scale of the number before
            continue
        is_word = match["digits"] is None
        if is_word and _is_part_of_name(text, match.start()):
            continue
        values = _word_values(match["words"]) if is_word else _values(match["digits"], language)
        if not values:
            continue
        end = match.end()
        scale = SCALE.match(text, end) or _money_scale(text, match.start(), end)
        if scale:
            factor = Decimal(SCALES[scale["scale"].casefold()])
            values, end = frozenset(value * factor for value in values), scale.end()
        unit, end_of_unit = _unit_after(text, end, is_word=is_word)
        unit = unit or _unit_before(text, match.start())
        noun = NOUN.match(text, end) if not unit else None
        done = end_of_unit
        yield Quantity(
            match.start(),
            end_of_unit,
            values,
            unit,
            _bound(text, match.start()),
            noun[1].casefold() if noun else "",
            is_word,
        )


def _is_part_of_name(text: str, start: int) -> bool:
    """Say whether a number in words is the second word of a name, as in "Quern Two"."""
    before = text[max(0, start - 40) : start]
    return text[start].isupper() and NAME_BEFORE.search(before) is not None


def _money_scale(text: str, start: int, end: int) -> regex.Match[str] | None:
    """Return the scale of "$3m" and "€20k", which are a unit and a letter anywhere else."""
    return SHORT_SCALE.match(text, end) if UNIT_BEFORE.search(text, 0, start) else None


def _values(digits: str, language: str) -> frozenset[Decimal]:
    """Return what figures may mean in a language; of an unknown one, all that they may mean."""
    bare = regex.sub(r"[\s'’_]", "", digits).replace("−", "-").replace("٫", ".").replace("٬", ",")
    marks = regex.findall(r"[.,]", bare)
    if not marks:
        return frozenset([Decimal(bare)])
    last = marks[-1]
    if len(set(marks)) == 2:  # the last one is the decimal mark
        other = "," if last == "." else "."
        return frozenset([Decimal(bare.replace(other, "").replace(last, "."))])
    is_grouped = regex.fullmatch(r"-?\d{1,3}(?:[.,]\d{3})+", bare) is not None
    if len(marks) > 1:
        return frozenset([Decimal(regex.sub(r"[.,]", "", bare))])
    as_decimal, as_group = Decimal(bare.replace(",", ".")), Decimal(regex.sub(r"[.,]", "", bare))
    if not is_grouped or regex.match(r"-?0", bare):
        return frozenset([as_decimal])
    if not language:
        return frozenset([as_decimal, as_group])
    is_point_decimal = language not in COMMA_LANGUAGES
    return frozenset([as_decimal if (last == ".") is is_point_decimal else as_group])


def _word_values(words: str) -> frozenset[Decimal]:
    total = group = 0
    whole = words.casefold()
    if whole in WORDS:
        return frozenset([Decimal(WORDS[whole])])
    if CJK_NUMERAL.fullmatch(whole):
        return frozenset([Decimal(_cjk_value(whole))])
    parts = [part for part in regex.split(r"[\s-]+|(?<=\p{L})(?=und\p{L})|(?<=und)", whole) if part]
    for part in parts:
        if part in ("and", "und", "et", "y"):
            continue
        value = WORDS.get(part) or WORDS.get(part.removesuffix("und"))
        if value is None:
            return frozenset()
        if value == 100:
            group = max(group, 1) * 100
        elif value >= 1000:
            total, group = total + max(group, 1) * value, 0
        else:
            group += value
    return frozenset([Decimal(total + group)])


def _cjk_value(numeral: str) -> int:
    if not regex.search("[十百千万萬亿億]", numeral):  # digits in a row: a year
        return int("".join(str(CJK_DIGITS[digit]) for digit in numeral))
    total = section = digit = 0
    for character in numeral:
        power = CJK_POWERS.get(character)
        if power is None:
            digit = CJK_DIGITS[character]
        elif power < 10_000:
            section, digit = section + max(digit, 1) * power, 0
        else:
            total, section, digit = total + max(section + digit, 1) * power, 0, 0
    return total + section + digit


def _unit_after(text: str, end: int, *, is_word: bool) -> tuple[str, int]:
    longer = TWO_WORD_UNITS.match(text, end)
    if longer:
        return unit_of(" ".join(longer[1].split()).casefold()), longer.end()
    match = UNIT_AFTER.match(text, end)
    if match is None:
        return "", end
    raw = match[1]
    unit = unit_of(raw)
    # A single letter is a unit behind figures only: "five m" is no length, "a 5 A" is one.
    if not unit or (is_word and len(raw) < 3):
        return "", end
    return unit, match.end()


def _unit_before(text: str, start: int) -> str:
    match = UNIT_BEFORE.search(text, max(0, start - 8), start)
    return unit_of(match[1]) if match else ""


def _bound(text: str, start: int) -> str:
    before = text[max(0, start - 40) : start].casefold()
    if BELOW.search(before):
        return "<"
    return ">" if ABOVE.search(before) else ""
