"""The words and signs that numbers, units and dates are written with, and the patterns made of them.

English, German, French, Spanish, Italian, Portuguese, Dutch, Russian, Chinese and Japanese.
"""
# ruff: noqa: E501, RUF001 - lists of words; the letters of many scripts look like those of ours

from collections.abc import Iterable

import regex

COMMA_LANGUAGES = frozenset(
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
ONES = {
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
WORDS = {word: value for value, words in ONES.items() for word in words.split()}
SCALES = {
    **{word.rstrip("."): value for word, value in WORDS.items() if value >= 1_000},
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
CJK_DIGITS = {character: value for value, character in enumerate("〇一二三四五六七八九")}
CJK_DIGITS |= {"零": 0, "两": 2, "兩": 2}
CJK_POWERS = {"十": 10, "百": 100, "千": 1_000, "万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8}
CJK_NUMERAL = regex.compile(
    "[〇零一二两兩三四五六七八九十百千万萬亿億]{2,}|[二两兩三四五六七八九十]"
)


def any_of(words: Iterable[str]) -> str:
    """Return a pattern of some words, the longest first."""
    return "|".join(map(regex.escape, sorted(words, key=len, reverse=True)))


SCALE = regex.compile(
    rf"[ \u00a0\u202f-]?(?i:(?<scale>{any_of(word for word in SCALES if len(word) > 1)}))(?!\p{{L}})\.?"
    r"|(?<scale>[万萬亿億千百])"
)
SHORT_SCALE = regex.compile(r"(?<scale>[mMkKbB])(?!\p{L})")
LATIN_NUMBERS = any_of(word for word in WORDS if word[0] < "\u3000" and len(word) > 2)
WRITTEN = rf"""(?<!\p{{L}})(?<words>(?i:(?:{LATIN_NUMBERS})(?:(?:[\x20\-]|[\x20\-]and[\x20\-]|und)?(?:{LATIN_NUMBERS}))*))(?!\p{{L}}|\.\p{{L}})|(?<words>{CJK_NUMERAL.pattern})"""
SIGN = r"(?:(?<![\w)\]])[-−])?"
BLANK = r"[\x20\u00a0\u202f\u2009'’]"
BLANK_GROUP = regex.compile(r"\d\x20\d{3}(?!\d)")
QUANTITY = regex.compile(
    rf"""(?<![\p{{Latin}}\p{{Cyrillic}}\d][.,]?)(?<digits>{SIGN}\d{{1,3}}(?:{BLANK}\d{{3}}(?!\d))+(?:[.,٫]\d+)?
    |{SIGN}\d+(?:[.,٫٬]\d+)*)|{WRITTEN}""",
    regex.VERBOSE,
)
CELL = regex.compile(
    rf"(?<![\p{{Latin}}\p{{Cyrillic}}\d][.,]?)(?<digits>{SIGN}\d+(?:[.,٫٬]\d+)*)|{WRITTEN}",
    regex.VERBOSE,
)
UNIT_WORDS = {
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
UNITS = {word: unit for unit, words in UNIT_WORDS.items() for word in words.split()}
# Case tells these apart: a milliwatt from a megawatt, a millibyte is none.
UNITS |= {
    "mW": "milliwatt",
    "MB": "mb",
    "Mb": "mbit",
    "Kb": "kbit",
    "Gb": "gbit",
    "M": "",
    "T": "",
}
UNITS |= {"mHz": "millihertz", "Mg": "megagram", "S": "", "D": "", "A": "", "Min": "min"}
UNITS |= {"percentage points": "pp", "percentage point": "pp", "per cent": "%", "pour cent": "%"}
UNITS |= {"por ciento": "%", "per cento": "%", "nautical miles": "nmi", "nautical mile": "nmi"}
UNITS |= {"square metres": "m2", "square meters": "m2", "square kilometres": "km2"}
UNITS |= {"square kilometers": "km2", "square miles": "mi2", "square feet": "ft2"}
UNITS |= {"cubic metres": "m3", "cubic meters": "m3", "basis points": "bps", "us dollars": "usd"}
UNITS |= {"pounds sterling": "gbp", "kilowatt hours": "kwh", "megawatt hours": "mwh"}
TWO_WORD = [unit for unit in UNITS if " " in unit]
TWO_WORD_UNITS = regex.compile(
    rf"[\s\u00a0-]*(?i:({'|'.join(unit.replace(' ', chr(92) + 's+') for unit in TWO_WORD)}))(?!\p{{L}})"
)
CJK_UNITS = any_of(
    word for word in UNITS if regex.match(r"[\p{Han}\p{Hiragana}\p{Katakana}]", word)
)
UNIT_AFTER = regex.compile(
    rf"[\s\u00a0\u202f-]*({CJK_UNITS}|[$€£¥₽₹](?!\s?\d)|[¢%‰％]|°\s?[CF]?(?!\p{{L}})|℃|℉"
    r"|[ap]\.\s?m\.?(?!\p{L})|\p{L}[\p{L}µμ]*(?:-(?i:hours?|points?))?[²³23]?(?![\p{L}\d]))"
)
UNIT_BEFORE = regex.compile(r"(US\$|[$€£¥₽₹]|(?<!\p{L})(?:USD|EUR|GBP|CHF|JPY|Rs)\.?)\s?[-−]?$")
NAME_BEFORE = regex.compile(r"\p{Lu}\p{Ll}+\x20$")
NOUN = regex.compile(r"[\s\u00a0-]+(\p{L}[\p{L}'’-]*)")
BELOW = regex.compile(
    r"(?:(?:less|fewer|lower) than|under|below|up to|at most|no more than|not more than|maximum of"
    r"|weniger als|unter|höchstens|bis zu|moins de|au plus|menos de|hasta|не более|менее|до|<|≤)\s?\D{0,2}$"
)
ABOVE = regex.compile(
    r"(?:(?:more|greater|higher) than|over|above|at least|no less than|no fewer than|minimum of"
    r"|mehr als|über|mindestens|plus de|au moins|más de|al menos|не менее|более|свыше|>|≥)\s?\D{0,2}$"
)

MONTH_NAMES = """january jan januar janvier enero gennaio janeiro januari январь января
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
MONTHS = {
    name: month for month, names in enumerate(MONTH_NAMES.split("\n"), 1) for name in names.split()
}
DOUBTFUL_MONTHS = frozenset(
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
WEEKDAY_NAMES = """monday montag lundi lunes понедельник понедельника 星期一 月曜日
tuesday dienstag mardi martes вторник вторника 星期二 火曜日
wednesday mittwoch mercredi miércoles среда среду среды 星期三 水曜日
thursday donnerstag jeudi jueves четверг четверга 星期四 木曜日
friday freitag vendredi viernes пятница пятницу пятницы 星期五 金曜日
saturday samstag sonnabend samedi sábado суббота субботу субботы 星期六 土曜日
sunday sonntag dimanche domingo воскресенье воскресенья 星期日 日曜日"""
WEEKDAYS = {
    name: day for day, names in enumerate(WEEKDAY_NAMES.split("\n"), 1) for name in names.split()
}
WEEKDAYS |= {f"{name}s": day for name, day in WEEKDAYS.items() if name.endswith("day")}
MONTH = rf"(?<name>(?i:{any_of(MONTHS)}))(?!\p{{L}})\.?"
DAY = r"(?<day>\d{1,2})(?:st|nd|rd|th|er|º)?\.?"
YEAR = r"(?<year>(?:1\d|20|21)\d\d)(?!\d)"
OF = r"(?:\s+(?:of|de|du))?"
DATES = [
    regex.compile(pattern)
    for pattern in (
        rf"(?<![\d.,/]){DAY}\s*{OF}\s*(?<!\p{{L}}){MONTH},?(?:{OF}\s+{YEAR})?",
        rf"(?<!\p{{L}}){MONTH}\s+(?:the\s+)?{DAY}(?![\d.,]*\d)(?:,?\s+{YEAR})?",
        r"(?<!\d)(?<year>\d{4})[-/](?<month>\d{1,2})[-/](?<day>\d{1,2})(?!\d)",
        r"(?<!\d)(?<year>\d{4})年(?<month>\d{1,2})月(?:(?<day>\d{1,2})日)?",
        r"(?<![\d年])(?<month>\d{1,2})月(?<day>\d{1,2})日",
        r"(?<![\d.,])(?<first>\d{1,2})(?<sep>[./])(?<second>\d{1,2})\g<sep>(?<year>\d{4})(?!\d)".replace(
            r"\g<sep>", r"(?P=sep)"
        ),
        rf"(?<!\p{{L}}){MONTH},?{OF}\s+{YEAR}",
        rf"(?<!\p{{L}}){MONTH}",
    )
]
