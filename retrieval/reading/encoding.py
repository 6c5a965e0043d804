"""Finding out how the bytes of a text are encoded.

Byte order marks and valid UTF-8 decide by themselves. An older encoding is scored by the share of
common characters of its languages among those beyond ASCII that it makes of the bytes: the right
one yields mostly the commonest, every other one mostly rare ones. Encodings of several bytes a
character (Chinese, Japanese, Korean) are tried first: other texts hardly ever fit them, and never
with common characters.
"""

import codecs
import re
from collections import Counter

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins like the mark of UTF-16, so it comes first
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SUPERSETS = {  # what files that name the key are really written in
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "big5": "big5hkscs",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
}
_SEVERAL_BYTES = ("gb18030", "big5hkscs", "cp932", "cp949", "euc_jp", "iso2022_jp", "utf-16")
_UTF8_SEQUENCE = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_CONTROL_BYTES = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_ASCII = bytes(range(128))
_SAMPLE = 1 << 16


def decode(data: bytes, declared: str | None = None) -> tuple[str, str]:
    """Return the text and the name of its encoding.

    Bytes that the encoding cannot have become U+FFFD, and the name then says how many:
    "utf-8, 3 unreadable characters".

    Args:
        declared: The encoding that the document says it has; believed if it fits.
    """
    for mark, codec in _MARKS:
        if data.startswith(mark):
            return _decode_as(data, codec)
    known = _declared_codec(data, declared) or wide_codec(data[:_SAMPLE])
    return _decode_as(data, known or _likely_codec(data))


def clean(text: str) -> str:
    r"""Return `text` with `\n` for every line end and no other control character but tab."""
    return _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def is_text(data: bytes) -> bool:
    """Tell whether bytes can be a text in any encoding, by their control characters."""
    if any(data.startswith(mark) for mark, _ in _MARKS) or wide_codec(data[:_SAMPLE]):
        return True
    sample = data[:_SAMPLE]
    return len(_CONTROL_BYTES.findall(sample)) * 50 <= len(sample)


def _decode_as(data: bytes, codec: str) -> tuple[str, str]:
    name = {"utf-8-sig": "utf-8"}.get(codec, codec)
    try:
        return data.decode(codec).removeprefix("\ufeff"), name
    except UnicodeDecodeError:
        text = data.decode(codec, errors="replace")
    count = text.count("\ufffd")
    return text, f"{name}, {count:,} unreadable character{'s' if count > 1 else ''}"


def _likely_codec(data: bytes) -> str:
    if b"\x1b$" in data and data.isascii():
        return "iso2022_jp"
    return "utf-8" if _is_mostly_utf8(data) else best_codec(_telling_sample(data))


def _declared_codec(data: bytes, declared: str | None) -> str | None:
    """Return the codec for the declared name, unless it is unknown or does not fit."""
    try:
        name = codecs.lookup(declared or "").name
        codec = _SUPERSETS.get(name, name)
        data.decode(codec)
    except (LookupError, UnicodeError, ValueError):
        return None
    # One-byte encodings fit anything, and saving a page as UTF-8 often leaves them in its head.
    return codec if codec in _SEVERAL_BYTES or not _is_mostly_utf8(data) else "utf-8"


def _is_mostly_utf8(data: bytes) -> bool:
    """Tell UTF-8, even with a few broken bytes, from the encodings that only resemble it."""
    try:
        data.decode()
    except UnicodeDecodeError:
        sequences = _UTF8_SEQUENCE.findall(data)
        others = len(data.translate(None, _ASCII)) - sum(map(len, sequences))
        return len(sequences) > 2 * others
    return True


def _telling_sample(data: bytes) -> bytes:
    """Return lines that hold more than ASCII, as many as are needed to judge."""
    lines: list[bytes] = []
    size = 0
    for line in data.splitlines(keepends=True):
        if not line.isascii():
            lines.append(line[: _SAMPLE - size])
            size += len(lines[-1])
        if size >= _SAMPLE:
            break
    return b"".join(lines)


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

_MULTIBYTE = {
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
    "\n", *_MULTIBYTE.values(), *_OTHER_SCRIPTS.values(), *_LATIN.values()
)
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")
_BESIDE_ASCII = re.compile(rb"[A-Za-z][\x80-\xff]|[\x80-\xff][A-Za-z]")
_INSIDE_A_WORD = re.compile(rb"(?<=[A-Za-z])[\xbc\xbd\xa6\xa8](?=[A-Za-z])")
_HUNGARIAN = {*"őű".encode("cp1250")}
_NOT_HUNGARIAN = {*"ãäåàçèêìòùñ".encode("cp1252")}
_EURO = re.compile(rb"\xa4 ?\d|\d[ \xa0]?\xa4")


def best_codec(sample: bytes) -> str:
    """Return the codec that makes the likeliest text of `sample`, which is not UTF-8."""
    codec, score = _best(sample, _MULTIBYTE)
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
