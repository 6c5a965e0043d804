"""Which format a file has, by its content, and what to do with one that is not read.

The name only decides what the content leaves open: Markdown or plain text, HTML without a head.
Whatever the file, only a bounded part of it is looked at, in time that grows with that part.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from lcagent.errors import PasswordNeeded, UnreadableDocument
from lcagent.retrieval.reading.encoding import decode, is_text
from lcagent.retrieval.reading.reader import DOCX, EPUB, HTML, MARKDOWN, PDF, TEXT

_HEAD_BYTES = 65_536
_PDF_MARK = re.compile(rb"%PDF-\d\.\d")
_PDF_OBJECT = re.compile(rb"(?<!\d)\d{1,10} \d{1,5} obj")
_OLE_START = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLE_PART_BYTES = 16 * 1024 * 1024
"""Of each end of an Office document of the old format, where the names of its streams are."""
_MIMETYPE_BYTES = 256
_HTML_START = re.compile(  # (?>...): what a comment took, it keeps, or many of them take for ever
    r"\s*+(?:<\?xml[^>]*>\s*+|(?><!--.*?-->)\s*+)*+"
    r"<(?:!doctype\s+html|html[\s>]|head[\s>]|body[\s>])",
    re.IGNORECASE | re.DOTALL,
)
_TAG = re.compile(r"\s*<(?:!--|[a-z])", re.IGNORECASE)
_MARKDOWN_NAMES = frozenset({".md", ".markdown", ".mdown", ".mkd"})
_HTML_NAMES = frozenset({".html", ".htm", ".xhtml"})


def detect_media_type(path: Path) -> str:
    """Find out what the file at `path` is.

    Raises:
        UnreadableDocument: There is no such file, it is empty, or of a kind that is not read.
        PasswordNeeded: It is an encrypted Office document.
    """
    head = _head(path)
    if head.startswith(b"%PDF") or _is_pdf_behind_junk(head):
        return PDF
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _archive_type(path)
    if head.startswith(_OLE_START):
        raise _compound_error(_both_ends(path))
    if not is_text(head):
        raise UnreadableDocument(name_binary(head))
    if (kind := name_text(head)) is not None:
        raise UnreadableDocument(kind)
    return _text_type(path.suffix.lower(), decode(head)[0])


def _is_pdf_behind_junk(head: bytes) -> bool:
    mark = _PDF_MARK.search(head) if b"%PDF-" in head[:1024] else None
    return mark is not None and _PDF_OBJECT.search(head, mark.end()) is not None


def _head(path: Path) -> bytes:
    if path.is_dir():
        raise UnreadableDocument("it is a folder: give the files in it")
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except FileNotFoundError as error:
        raise UnreadableDocument("there is no such file") from error
    except OSError as error:
        raise UnreadableDocument(f"it cannot be opened: {error.strerror}") from error
    if not head:
        raise UnreadableDocument("it is empty (0 bytes)")
    return head


def _both_ends(path: Path) -> bytes:
    with path.open("rb") as file:
        start = file.read(_OLE_PART_BYTES)
        file.seek(max(len(start), path.stat().st_size - _OLE_PART_BYTES))
        return start + file.read(_OLE_PART_BYTES)


def _archive_type(path: Path) -> str:
    from lcagent.retrieval.reading.archive import open_archive  # noqa: PLC0415 -- not for a PDF

    with open_archive(path) as archive:
        mimetype = (archive.read("mimetype", _MIMETYPE_BYTES) or b"").strip()
        is_package = any(name.endswith(".opf") for name in archive.names)
        if mimetype == EPUB.encode() or is_package or "META-INF/container.xml" in archive.names:
            return EPUB
        if "word/document.xml" in archive.names:
            return DOCX
        raise UnreadableDocument(name_archive(archive.names))


def _compound_error(content: bytes) -> UnreadableDocument:
    if "EncryptedPackage".encode("utf-16-le") in content:
        return PasswordNeeded(
            "it is an encrypted Office document, which lcagent cannot decrypt: "
            "save it without a password"
        )
    return UnreadableDocument(name_compound(content))


def _text_type(suffix: str, start: str) -> str:
    if _HTML_START.match(start) or (suffix in _HTML_NAMES and _TAG.match(start)):
        return HTML
    return MARKDOWN if suffix in _MARKDOWN_NAMES else TEXT


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
