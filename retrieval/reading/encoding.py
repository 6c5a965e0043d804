"""Finding out how the bytes of a text are encoded.

Byte order marks and valid UTF-8 decide by themselves. Older encodings are told apart by what
they make of the bytes: the right one yields mostly the commonest characters of its language,
every other one yields mostly rare ones (`alphabets.py`).
"""

import codecs
import re

from lcagent.retrieval.reading.alphabets import best_codec, wide_codec

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
