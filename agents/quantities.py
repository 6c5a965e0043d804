"""The numbers, units and dates of a text, in one form however they are written.

"1,234", "1 234" and "1.234" of a German text, "3.2 million" and "3,200,000", "five" and "5", "12 %"
and "12 percent", "24 Dec. 1911" and "December 24, 1911" each have one value here. Words for numbers
and months: English, German, French, Spanish, Italian, Portuguese, Dutch, Russian, Chinese and Japanese
(numbers below a hundred and powers of ten).
"""
# ruff: noqa: E501, RUF001 - lists of words; the letters of many scripts look like those of ours

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

import regex


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
    for pattern in _DATES:
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
    patterns = [_QUANTITY, _CELL] if may_be_row and _BLANK_GROUP.search(text) else [_QUANTITY]
    found = {
        (quantity.start, quantity.end): quantity
        for pattern in patterns
        for quantity in _quantities(text, language, pattern)
        if not any(date.start <= quantity.start < date.end for date in dates)
    }
    return [found[place] for place in sorted(found)]


def unit_of(word: str) -> str:
    """Return the one spelling of a unit; empty for a word that is none."""
    return _UNITS.get(word) or _UNITS.get(word.casefold().rstrip("."), "")


def month_of(word: str) -> int | None:
    """Return the month that a word names, or None."""
    return _MONTHS.get(word.casefold().rstrip("."))


def weekday_of(word: str) -> int | None:
    """Return the day of the week that a word names, from 1 for Monday, or None."""
    return _WEEKDAYS.get(word.casefold().rstrip("."))


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
    if day is None and year is None and parts.get("name", "").casefold() in _DOUBTFUL_MONTHS:
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
        values = _word_values(match["words"]) if is_word else _values(match["digits"], language)
        if not values:
            continue
        end = match.end()
        scale = _SCALE.match(text, end) or _money_scale(text, match.start(), end)
        if scale:
            factor = Decimal(_SCALES[scale["scale"].casefold()])
            values, end = frozenset(value * factor for value in values), scale.end()
        unit, end_of_unit = _unit_after(text, end, is_word=is_word)
        unit = unit or _unit_before(text, match.start())
        noun = _NOUN.match(text, end) if not unit else None
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


def _money_scale(text: str, start: int, end: int) -> regex.Match[str] | None:
    """Return the scale of "$3m" and "€20k", which are a unit and a letter anywhere else."""
    return _SHORT_SCALE.match(text, end) if _UNIT_BEFORE.search(text, 0, start) else None


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
    is_point_decimal = language not in _COMMA_LANGUAGES
    return frozenset([as_decimal if (last == ".") is is_point_decimal else as_group])


def _word_values(words: str) -> frozenset[Decimal]:
    total = group = 0
    whole = words.casefold()
    if whole in _WORDS:
        return frozenset([Decimal(_WORDS[whole])])
    if _CJK_NUMERAL.fullmatch(whole):
        return frozenset([Decimal(_cjk_value(whole))])
    parts = [part for part in regex.split(r"[\s-]+|(?<=\p{L})(?=und\p{L})|(?<=und)", whole) if part]
    for part in parts:
        if part in ("and", "und", "et", "y"):
            continue
        value = _WORDS.get(part) or _WORDS.get(part.removesuffix("und"))
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
        return int("".join(str(_CJK_DIGITS[digit]) for digit in numeral))
    total = section = digit = 0
    for character in numeral:
        power = _CJK_POWERS.get(character)
        if power is None:
            digit = _CJK_DIGITS[character]
        elif power < 10_000:
            section, digit = section + max(digit, 1) * power, 0
        else:
            total, section, digit = total + max(section + digit, 1) * power, 0, 0
    return total + section + digit


def _unit_after(text: str, end: int, *, is_word: bool) -> tuple[str, int]:
    longer = _TWO_WORD_UNITS.match(text, end)
    if longer:
        return unit_of(" ".join(longer[1].split()).casefold()), longer.end()
    match = _UNIT_AFTER.match(text, end)
    if match is None:
        return "", end
    raw = match[1]
    unit = unit_of(raw)
    # A single letter is a unit behind figures only: "five m" is no length, "a 5 A" is one.
    if not unit or (is_word and len(raw) < 3):
        return "", end
    return unit, match.end()


def _unit_before(text: str, start: int) -> str:
    match = _UNIT_BEFORE.search(text, max(0, start - 8), start)
    return unit_of(match[1]) if match else ""


def _bound(text: str, start: int) -> str:
    before = text[max(0, start - 40) : start].casefold()
    if _BELOW.search(before):
        return "<"
    return ">" if _ABOVE.search(before) else ""


_COMMA_LANGUAGES = frozenset(
    [
        "de",
        "fr",
        "es",
        "it",
        "pt",
        "nl",
        "ru",
        "da",
        "no",
        "sv",
        "fi",
        "hu",
        "ro",
        "tr",
        "pl",
        "cs",
        "uk",
        "id",
    ]
)
_ONES = {
    1: "one eins ein eine einen einem einer une uno una um uma één один одна одно 一",
    2: "two zwei deux dos due dois duas twee два две 二 两 兩",
    3: "three drei trois tres tre três drie три 三",
    4: "four vier quatre cuatro quattro quatro четыре 四",
    5: "five fünf cinq cinco cinque vijf пять 五",
    6: "six sechs seis sei zes шесть 六",
    7: "seven sieben sept siete sette sete zeven семь 七",
    8: "eight acht huit ocho otto oito восемь 八",
    9: "nine neun neuf nueve nove negen девять 九",
    10: "ten zehn dix diez dieci dez tien десять 十",
    11: "eleven elf onze once undici одиннадцать 十一",
    12: "twelve zwölf douze doce dodici doze twaalf двенадцать dozen 十二",
    13: "thirteen dreizehn treize trece tredici treze dertien тринадцать",
    14: "fourteen vierzehn quatorze catorce quattordici catorze veertien четырнадцать",
    15: "fifteen fünfzehn quinze quince quindici vijftien пятнадцать",
    16: "sixteen sechzehn seize dieciséis sedici dezesseis zestien шестнадцать",
    17: "seventeen siebzehn diecisiete diciassette dezessete zeventien семнадцать",
    18: "eighteen achtzehn dieciocho diciotto dezoito achttien восемнадцать",
    19: "nineteen neunzehn diecinueve diciannove dezenove negentien девятнадцать",
    20: "twenty zwanzig vingt veinte venti vinte twintig двадцать",
    30: "thirty dreißig dreissig trente treinta trenta trinta dertig тридцать",
    40: "forty vierzig quarante cuarenta quaranta quarenta veertig сорок",
    50: "fifty fünfzig cinquante cincuenta cinquanta cinquenta vijftig пятьдесят",
    60: "sixty sechzig soixante sesenta sessanta sessenta zestig шестьдесят",
    70: "seventy siebzig setenta settanta zeventig семьдесят",
    80: "eighty achtzig ochenta ottanta oitenta tachtig восемьдесят",
    90: "ninety neunzig noventa novanta negentig девяносто",
    100: "hundred hundert cent cien ciento cento cem honderd сто",
    1_000: "thousand tausend mille mil mila duizend тысяча тысячи тысяч",
    1_000_000: "million millions millionen million. mio millón millones milione milioni milhão "
    "milhões miljoen миллион миллиона миллионов",
    1_000_000_000: "billion billions milliarde milliarden milliard milliards miliardo miliardi "
    "miljard миллиард миллиарда миллиардов",
}
_WORDS = {word: value for value, words in _ONES.items() for word in words.split()}
_SCALES = {
    **{word.rstrip("."): value for word, value in _WORDS.items() if value >= 1_000},
    "mn": 10**6,
    "bn": 10**9,
    "mrd": 10**9,
    "trillion": 10**12,
    "hundred": 100,
    "dozen": 12,
    "m": 10**6,
    "k": 1_000,
    "b": 10**9,
    "万": 10**4,
    "萬": 10**4,
    "亿": 10**8,
    "億": 10**8,
    "千": 1_000,
    "百": 100,
}
_CJK_DIGITS = {character: value for value, character in enumerate("〇一二三四五六七八九")}
_CJK_DIGITS |= {"零": 0, "两": 2, "兩": 2}
_CJK_POWERS = {"十": 10, "百": 100, "千": 1_000, "万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8}
_CJK_NUMERAL = regex.compile(
    "[〇零一二两兩三四五六七八九十百千万萬亿億]{2,}|[二两兩三四五六七八九十]"
)


def _any_of(words: Iterable[str]) -> str:
    return "|".join(map(regex.escape, sorted(words, key=len, reverse=True)))


_SCALE = regex.compile(
    rf"[ \u00a0\u202f-]?(?i:(?<scale>{_any_of(word for word in _SCALES if len(word) > 1)}))(?!\p{{L}})\.?"
    r"|(?<scale>[万萬亿億千百])"
)
_SHORT_SCALE = regex.compile(r"(?<scale>[mMkKbB])(?!\p{L})")
_LATIN_NUMBERS = _any_of(word for word in _WORDS if word[0] < "\u3000" and len(word) > 2)
_WRITTEN = rf"""(?<!\p{{L}})(?<words>(?i:(?:{_LATIN_NUMBERS})(?:(?:[\x20\-]|[\x20\-]and[\x20\-]|und)?(?:{_LATIN_NUMBERS}))*))(?!\p{{L}}|\.\p{{L}})|(?<words>{_CJK_NUMERAL.pattern})"""
_SIGN = r"(?:(?<![\w)\]])[-−])?"
_BLANK = r"[\x20\u00a0\u202f\u2009'’]"
_BLANK_GROUP = regex.compile(r"\d\x20\d{3}(?!\d)")
_QUANTITY = regex.compile(
    rf"""(?<![\p{{L}}\d][.,]?)(?<digits>{_SIGN}\d{{1,3}}(?:{_BLANK}\d{{3}}(?!\d))+(?:[.,٫]\d+)?
    |{_SIGN}\d+(?:[.,٫٬]\d+)*)|{_WRITTEN}""",
    regex.VERBOSE,
)
_CELL = regex.compile(
    rf"(?<![\p{{L}}\d][.,]?)(?<digits>{_SIGN}\d+(?:[.,٫٬]\d+)*)|{_WRITTEN}", regex.VERBOSE
)
_UNIT_WORDS = {
    "%": "% percent pct prozent pourcent procent процент процента процентов パーセント ％",
    "pp": "pp percentage-points prozentpunkte",
    "‰": "‰ promille",
    "mg": "mg milligram milligrams milligramm milligrammes мг",
    "µg": "µg μg mcg microgram micrograms mikrogramm",
    "g": "g gram grams gramm grammes gramos г",
    "kg": "kg kilo kilos kilogram kilograms kilogramm kilogrammes kilogramos кг 公斤 千克",
    "t": "t ton tons tonne tonnes tonnen toneladas tn тонн тонны 吨 トン",
    "lb": "lb lbs pound-weight",
    "oz": "oz ounce ounces",
    "mm": "mm millimetre millimetres millimeter millimeters мм",
    "cm": "cm centimetre centimetres centimeter centimeters zentimeter см 厘米",
    "m": "m metre metres meter meters mètre mètres metro metros м 米",
    "km": "km kilometre kilometres kilometer kilometers kilomètres kilómetros км 公里",
    "mi": "mi mile miles meilen",
    "nmi": "nmi",
    "ft": "ft foot feet",
    "in": "inch inches zoll",
    "yd": "yd yard yards",
    "m2": "m2 m² sqm",
    "m3": "m3 m³ cbm",
    "km2": "km2 km²",
    "ha": "ha hectare hectares hektar hectáreas",
    "acre": "acre acres",
    "l": "l litre litres liter liters litros л 升",
    "ml": "ml millilitre millilitres milliliter milliliters мл",
    "s": "s sec secs second seconds sekunde sekunden seconde secondes segundos секунд",
    "min": "min mins minute minutes minuten minutos минут 分钟",
    "h": "h hr hrs hour hours stunde stunden heure heures hora horas час часа часов 小时 時間",
    "d": "day days tag tage tagen jour jours día días dias giorni день дня дней 天 日間",
    "wk": "week weeks woche wochen semaine semaines semana semanas недель 周 週間",
    "mo": "month months monat monate monaten mois mes meses месяцев 个月 か月 ヶ月",
    "y": "year years jahr jahre jahren an ans année années año años anni год года лет 年间 年間",
    "century": "century centuries jahrhundert siècle siècles siglo siglos",
    "°c": "°c celsius ℃",
    "°f": "°f fahrenheit ℉",
    "°": "° degree degrees grad",
    "w": "w watt watts",
    "kw": "kw kilowatt kilowatts",
    "mw": "mw megawatt megawatts",
    "gw": "gw gigawatt gigawatts",
    "kwh": "kwh kilowatt-hour kilowatt-hours kilowattstunden",
    "mwh": "mwh megawatt-hour megawatt-hours megawattstunden",
    "gwh": "gwh gigawatt-hour gigawatt-hours",
    "v": "v volt volts",
    "hz": "hz hertz",
    "khz": "khz kilohertz",
    "mhz": "mhz megahertz",
    "ghz": "ghz gigahertz",
    "kb": "kb kilobyte kilobytes",
    "mb": "mb megabyte megabytes",
    "gb": "gb gigabyte gigabytes",
    "tb": "tb terabyte terabytes",
    "kn": "kn knot knots knoten",
    "usd": "$ us$ usd dollar dollars доллар доллара долларов 美元",
    "eur": "€ eur euro euros евро 欧元",
    "gbp": "£ gbp sterling",
    "pound": "pound pounds pfund livres",
    "jpy": "¥ jpy yen 円",
    "cny": "cny rmb yuan 元 人民币",
    "chf": "chf franken",
    "rub": "₽ rub рубль рубля рублей",
    "inr": "₹ inr rupee rupees",
    "crown": "crown crowns krone kroner kronen krona kronor",
    "cent": "¢ cents",
    "am": "am a.m. a.m",
    "pm": "pm p.m. p.m",
    "bps": "bps",
    "<": "<",
}
_UNITS = {word: unit for unit, words in _UNIT_WORDS.items() for word in words.split()}
# Case tells these apart: a milliwatt from a megawatt, a millibyte is none.
_UNITS |= {
    "mW": "milliwatt",
    "MB": "mb",
    "Mb": "mbit",
    "Kb": "kbit",
    "Gb": "gbit",
    "M": "",
    "T": "",
}
_UNITS |= {"mHz": "millihertz", "Mg": "megagram", "S": "", "D": "", "A": "", "Min": "min"}
_UNITS |= {"percentage points": "pp", "percentage point": "pp", "per cent": "%", "pour cent": "%"}
_UNITS |= {"por ciento": "%", "per cento": "%", "nautical miles": "nmi", "nautical mile": "nmi"}
_UNITS |= {"square metres": "m2", "square meters": "m2", "square kilometres": "km2"}
_UNITS |= {"square kilometers": "km2", "square miles": "mi2", "square feet": "ft2"}
_UNITS |= {"cubic metres": "m3", "cubic meters": "m3", "basis points": "bps", "us dollars": "usd"}
_UNITS |= {"pounds sterling": "gbp", "kilowatt hours": "kwh", "megawatt hours": "mwh"}
_TWO_WORD = [unit for unit in _UNITS if " " in unit]
_TWO_WORD_UNITS = regex.compile(
    rf"[\s\u00a0-]*(?i:({'|'.join(unit.replace(' ', chr(92) + 's+') for unit in _TWO_WORD)}))(?!\p{{L}})"
)
_CJK_UNITS = _any_of(
    word for word in _UNITS if regex.match(r"[\p{Han}\p{Hiragana}\p{Katakana}]", word)
)
_UNIT_AFTER = regex.compile(
    rf"[\s\u00a0\u202f-]*({_CJK_UNITS}|[$€£¥₽₹](?!\s?\d)|[¢%‰％]|°\s?[CF]?(?!\p{{L}})|℃|℉"
    r"|[ap]\.\s?m\.?(?!\p{L})|\p{L}[\p{L}µμ]*(?:-(?i:hours?|points?))?[²³23]?(?![\p{L}\d]))"
)
_UNIT_BEFORE = regex.compile(r"(US\$|[$€£¥₽₹]|(?<!\p{L})(?:USD|EUR|GBP|CHF|JPY|Rs)\.?)\s?[-−]?$")
_NOUN = regex.compile(r"[\s\u00a0-]+(\p{L}[\p{L}'’-]*)")
_BELOW = regex.compile(
    r"(?:(?:less|fewer|lower) than|under|below|up to|at most|no more than|not more than|maximum of"
    r"|weniger als|unter|höchstens|bis zu|moins de|au plus|menos de|hasta|не более|менее|до|<|≤)\s?\D{0,2}$"
)
_ABOVE = regex.compile(
    r"(?:(?:more|greater|higher) than|over|above|at least|no less than|no fewer than|minimum of"
    r"|mehr als|über|mindestens|plus de|au moins|más de|al menos|не менее|более|свыше|>|≥)\s?\D{0,2}$"
)

_MONTH_NAMES = """january jan januar janvier enero gennaio janeiro januari январь января
february feb februar février fevr febrero febbraio fevereiro februari февраль февраля
march mar märz maerz mars marzo março maart март марта
april apr avril abril aprile апрель апреля
may mai mayo maggio maio mei май мая
june jun juni juin junio giugno junho июнь июня
july jul juli juillet julio luglio julho июль июля
august aug août aout agosto augustus август августа
september sep sept septembre septiembre settembre setembro сентябрь сентября
october oct oktober okt octobre octubre ottobre outubro октябрь октября
november nov novembre noviembre novembro ноябрь ноября
december dec dezember dez décembre diciembre dicembre dezembro декабрь декабря"""
_MONTHS = {
    name: month for month, names in enumerate(_MONTH_NAMES.split("\n"), 1) for name in names.split()
}
_DOUBTFUL_MONTHS = frozenset(
    [
        "may",
        "mai",
        "march",
        "mars",
        "mar",
        "mei",
        "jun",
        "jul",
        "dec",
        "sep",
        "set",
        "jan",
        "maio",
        "marzo",
        "marche",
        "mayo",
    ]
)
_WEEKDAY_NAMES = """monday montag lundi lunes понедельник понедельника 星期一 月曜日
tuesday dienstag mardi martes вторник вторника 星期二 火曜日
wednesday mittwoch mercredi miércoles среда среду среды 星期三 水曜日
thursday donnerstag jeudi jueves четверг четверга 星期四 木曜日
friday freitag vendredi viernes пятница пятницу пятницы 星期五 金曜日
saturday samstag sonnabend samedi sábado суббота субботу субботы 星期六 土曜日
sunday sonntag dimanche domingo воскресенье воскресенья 星期日 日曜日"""
_WEEKDAYS = {
    name: day for day, names in enumerate(_WEEKDAY_NAMES.split("\n"), 1) for name in names.split()
}
_WEEKDAYS |= {f"{name}s": day for name, day in _WEEKDAYS.items() if name.endswith("day")}
_MONTH = rf"(?<name>(?i:{_any_of(_MONTHS)}))(?!\p{{L}})\.?"
_DAY = r"(?<day>\d{1,2})(?:st|nd|rd|th|er|º)?\.?"
_YEAR = r"(?<year>(?:1\d|20|21)\d\d)(?!\d)"
_OF = r"(?:\s+(?:of|de|du))?"
_DATES = [
    regex.compile(pattern)
    for pattern in (
        rf"(?<![\d.,/]){_DAY}\s*{_OF}\s*(?<!\p{{L}}){_MONTH},?(?:{_OF}\s+{_YEAR})?",
        rf"(?<!\p{{L}}){_MONTH}\s+(?:the\s+)?{_DAY}(?![\d.,]*\d)(?:,?\s+{_YEAR})?",
        r"(?<!\d)(?<year>\d{4})[-/](?<month>\d{1,2})[-/](?<day>\d{1,2})(?!\d)",
        r"(?<!\d)(?<year>\d{4})年(?<month>\d{1,2})月(?:(?<day>\d{1,2})日)?",
        r"(?<![\d年])(?<month>\d{1,2})月(?<day>\d{1,2})日",
        r"(?<![\d.,])(?<first>\d{1,2})(?<sep>[./])(?<second>\d{1,2})\g<sep>(?<year>\d{4})(?!\d)".replace(
            r"\g<sep>", r"(?P=sep)"
        ),
        rf"(?<!\p{{L}}){_MONTH},?{_OF}\s+{_YEAR}",
        rf"(?<!\p{{L}}){_MONTH}",
    )
]
