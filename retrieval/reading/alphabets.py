"""Which of the older encodings a text is written in, by the commonest characters of languages.

A codec is scored by the share of common characters among those beyond ASCII that it makes of
the bytes. Encodings of several bytes a character (Chinese, Japanese, Korean) are tried first:
other texts hardly ever fit them, and never with common characters.
"""

import re
from collections import Counter

_CHINESE = (
    "的一是不了在人有我他这这中大来上个国到说们为子和你地出道也时年得就那要下以生会自着去之过"
    "家学对可她里后小么心多天而能好都然没日于起还发成事只作当想看文无开手十用主行方又如前所本"
    "见经头面公同三已老从动两长知"
)
_CHINESE_TRADITIONAL = (
    "的一是不了在人有我他這中大來上個國到說們為子和你地出道也時年得就那要下以生會自著去之過家"
    "學對可她裡後小麼心多天而能好都然沒日於起還發成事只作當想看文無開手十用主行方又如前所本見"
    "經頭面公同三已老從動兩長知"
)
_KANA = "のにはをたがでとしい" + "".join(
    map(chr, [*range(0x3041, 0x3094), *range(0x30A1, 0x30F7), 0x30FC])
)
_HANGUL = (
    "이다는을를의에가고하지한은도기사로어그나아서리자일해있시대인라만스정수부여들제게주전보상"
    "면성과장니구오요었것없까습원동으며때와안말생무거네내우러치조모"
)
_FULL_STOPS = "，。、：；？！“”‘’「」『』《》（）…—　・"

_SEVERAL_BYTES = {
    "gb18030": _CHINESE + _FULL_STOPS,
    "big5hkscs": _CHINESE_TRADITIONAL + _FULL_STOPS,
    "cp932": _KANA + _FULL_STOPS,
    "euc_jp": _KANA + _FULL_STOPS,
    "cp949": _HANGUL,
}
_ENOUGH = 0.2

_RUSSIAN = "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъёіїєґ«»—№"
_GREEK = "αοιετσνηυρπκμλςγδωχθφβξζψάέήίόύώϊϋΐΆ«»"
_ARABIC = "اليمونتربةعدسفهكقأحجشطصخىإذزغضءثظئؤآپچگک،؛؟ـًٌٍَُِّْ"
_HEBREW = "יוהלאמרבתשנםדקחעפכטגסזצןךףץֱֲֳִֵֶַָֹּ־"
_THAI = "".join(map(chr, [*range(0x0E01, 0x0E3B), *range(0x0E40, 0x0E4F)]))
_SIGNS = "’“”‘–—…„«»°€£§©®·\u00a0"

_OTHER_SCRIPTS = {
    "cp1251": _RUSSIAN,
    "koi8-u": _RUSSIAN,
    "iso8859-5": _RUSSIAN,
    "cp866": _RUSSIAN,
    "iso8859-7": _GREEK,
    "cp1253": _GREEK,
    "cp1256": _ARABIC,
    "iso8859-6": _ARABIC,
    "cp1255": _HEBREW,
    "cp874": _THAI,
}
_LATIN = {
    "cp1252": "éèàäöüßñáíêëâãåæçîïìôóòõøùûúÉÈÀÄÖÜÅØÆÇÑ¿¡ªºðþÐÞ" + _SIGNS,
    "cp1254": "ıİçüÇÜâîöÖşğŞ" + _SIGNS,
    "cp1250": "ąęłěščřžőűćńóśźżáďéíňťúůýöüäăâîşţĄĆĘŁŃÓŚŹŻČŘŠŽ" + _SIGNS,
    "iso8859-2": "ąęłěščřžőűćńóśźżáďéíňťúůýöüäăâîşţĄĆĘŁŃÓŚŹŻČŘŠŽ\u00a0",
    "mac-roman": "éèêëàâäáãåæçîïíìñôöóòõøùûüúßÉÈÀÄÖÜ" + _SIGNS,
}
_ANY_SCRIPT = {chr(code) for code in range(0x20, 0x7F)}.union(
    "\n", *_SEVERAL_BYTES.values(), *_OTHER_SCRIPTS.values(), *_LATIN.values()
)
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")
_BESIDE_ASCII = re.compile(rb"[A-Za-z][\x80-\xff]|[\x80-\xff][A-Za-z]")
_INSIDE_A_WORD = re.compile(rb"(?<=[A-Za-z])[\xbc\xbd\xa6\xa8](?=[A-Za-z])")
_HUNGARIAN = {*"őű".encode("cp1250")}
_NOT_HUNGARIAN = {*"ãäåàçèêìòùñ".encode("cp1252")}
_EURO = re.compile(rb"\xa4 ?\d|\d[ \xa0]?\xa4")


def best_codec(sample: bytes) -> str:
    """Return the codec that makes the likeliest text of `sample`, which is not UTF-8."""
    codec, score = _best(sample, _SEVERAL_BYTES)
    if score >= _ENOUGH:
        return codec
    # In Latin texts these letters stand among others; other scripts have whole words of them.
    if len(_BESIDE_ASCII.findall(sample)) * 2 < len(_HIGH_RUN.findall(sample)):
        return _best(sample, _OTHER_SCRIPTS)[0]
    codec, _ = _best(sample, _LATIN)
    return _western(sample) if codec == "cp1252" else codec


def wide_codec(sample: bytes) -> str | None:
    """Return which UTF-16 or UTF-32 without a mark `sample` is in, if it is in any."""
    if 0 not in sample:
        return None
    whole = sample[: len(sample) // 4 * 4]
    for codec in ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be"):
        text = whole.decode(codec, errors="replace")
        if sum(char in _ANY_SCRIPT for char in text) > 0.3 * len(text):
            return codec
    return None


def _best(sample: bytes, candidates: dict[str, str]) -> tuple[str, float]:
    scores = {codec: _score(sample, codec, common) for codec, common in candidates.items()}
    best = max(scores, key=scores.__getitem__)
    return best, scores[best]


def _score(sample: bytes, codec: str, common: str) -> float:
    """Return the share of `common` characters, the first ten twice, less what no text has."""
    text = sample.decode(codec, errors="replace")
    counts = Counter(text)
    beyond_ascii = sum(count for char, count in counts.items() if char > "\x7f")
    hits = sum(counts[char] for char in {*common}) + sum(counts[char] for char in common[:10])
    return (hits - 5 * counts["\ufffd"]) / max(1, beyond_ascii)


def _western(sample: bytes) -> str:
    """Tell cp1252 from its near twins: ISO-8859-15 moved œ and the euro, Hungarian has ő and ű."""
    found = {*sample}
    if found & _HUNGARIAN and not found & _NOT_HUNGARIAN:
        return "cp1250"
    has_c1_bytes = any(0x80 <= byte <= 0x9F for byte in found)
    moved = _INSIDE_A_WORD.search(sample) or _EURO.search(sample)
    return "iso8859-15" if moved and not has_c1_bytes else "cp1252"
