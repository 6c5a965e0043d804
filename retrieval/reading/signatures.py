"""What files are that lcagent cannot read, by their first bytes or members, and what to do."""

import re
from collections.abc import Iterable

_CONVERT = "save it as PDF or DOCX first"
_PICTURE = "put it into a PDF, which can be read with OCR"
_UNPACK = "unpack it and give the documents in it"

_SIGNATURES = tuple(
    (re.compile(pattern, re.DOTALL), what, advice)
    for pattern, what, advice in (
        (rb"\x89PNG|\xff\xd8\xff|GIF8|II\*\0|MM\0\*|BM|RIFF.{4}WEBP", "an image", _PICTURE),
        (rb".{4}ftyp(?:heic|heix|mif1|avif)", "an image", _PICTURE),
        (rb".{4}ftyp|ID3|OggS|fLaC|RIFF|\x1aE\xdf\xa3", "audio or video", "give its transcript"),
        (rb"\x1f\x8b|BZh|\xfd7zXZ|7z\xbc\xaf|Rar!|\x28\xb5\x2f\xfd", "an archive", _UNPACK),
        (rb".{257}ustar", "a tar archive", _UNPACK),
        (rb"AT&TFORM", "a DjVu document", "convert it to PDF first (ddjvu)"),
        (rb".{60}(?:BOOKMOBI|TEXtREAd)", "a Kindle book (MOBI)", "convert it to EPUB first"),
        (rb"SQLite format 3", "an SQLite database", "export what you need as text"),
        (rb"\x7fELF|MZ|\xca\xfe\xba\xbe|\xcf\xfa\xed\xfe", "a program", "give a document"),
        (rb"", "a binary file of an unknown kind", "give a document"),
    )
)
_MARKUP = (
    (b"{\\rtf", "an RTF document", _CONVERT),
    (b"%!PS", "a PostScript document", "convert it to PDF first (ps2pdf)"),
)
_ARCHIVES = (  # a member that only this kind has
    ("xl/", "an Excel workbook (.xlsx)", "save its sheets as CSV"),
    ("ppt/", "a PowerPoint presentation (.pptx)", "save it as PDF first"),
    ("Index/Document.iwa", "an Apple iWork document", _CONVERT),
    ("content.xml", "an OpenDocument file (.odt, .ods, .odp)", _CONVERT),
    ("", "a zip archive", _UNPACK),
)

_OLE_STREAMS = (
    ("WordDocument", "a Word document of the old format (.doc)", "save it as DOCX or PDF first"),
    ("Workbook", "an Excel workbook of the old format (.xls)", "save its sheets as CSV"),
    ("PowerPoint Document", "a PowerPoint presentation (.ppt)", "save it as PDF first"),
)


def name_text(head: bytes) -> str | None:
    """Say what a file is that is text by its bytes, but of a kind that only programs read."""
    found = (_say(what, advice) for start, what, advice in _MARKUP if head.startswith(start))
    return next(found, None)


def name_binary(head: bytes) -> str:
    """Say what a file is that is not text."""
    return next(_say(what, advice) for kind, what, advice in _SIGNATURES if kind.match(head))


def name_archive(members: Iterable[str]) -> str:
    """Say what a zip archive is that is neither EPUB nor DOCX."""
    names = ["", *members]
    return next(
        _say(what, advice)
        for start, what, advice in _ARCHIVES
        if any(name.startswith(start) for name in names)
    )


def name_compound(content: bytes) -> str:
    """Say what an OLE compound file is: a document of the old Office formats."""
    for stream, what, advice in _OLE_STREAMS:
        if stream.encode("utf-16-le") in content:
            return _say(what, advice)
    return _say("an Office document of an old format", _CONVERT)


def _say(what: str, advice: str) -> str:
    return f"it is {what}: {advice}"
