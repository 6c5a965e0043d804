"""PDF, through PDFium: text in the file's order, a box per line, labels, outline, hidden text.

PDFium is not safe in threads; lcagent runs it only in the reading process (`isolation.py`).
"""

import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from lcagent.documents import OutlineEntry, Page, Problem
from lcagent.errors import PasswordNeeded, UnreadableDocument
from lcagent.retrieval.reading.pdf_hidden import HiddenSpans
from lcagent.retrieval.reading.pdf_text import TextLayer
from lcagent.retrieval.reading.reader import Reading

MAX_OUTLINE_ENTRIES = 10_000
MOST_OBJECTS = 1_000
"""Drawn things that are looked at on a page without text."""

MOST_SEGMENTS = 60
"""Lines and curves on a page that counts as blank: a dozen rules or frames. Three letters that are
drawn have more, in however few paths."""


def read(path: Path, password: str | None = None, first_page: int = 0) -> Reading:
    """Open a PDF; see `reader.Reader`."""
    pdf = open_pdf(path, password)
    count = len(pdf)
    if count == 0:
        raise UnreadableDocument("the PDF has no pages")
    outline = tuple(_outline(pdf, count))
    return Reading(
        page_count=count,
        pages=_pages(pdf, outline, first_page),
        outline=outline,
        title=_title(pdf),
    )


def open_pdf(path: Path, password: str | None) -> pdfium.PdfDocument:
    """Open the file with PDFium.

    Raises:
        UnreadableDocument: It is damaged beyond what PDFium can mend.
        PasswordNeeded: It is encrypted, and `password` does not open it.
    """
    candidates = [password]
    if password is not None:  # AES-256 files are opened with the SASLprep form of a password
        candidates.append(unicodedata.normalize("NFKC", password).replace("\u00ad", ""))
    for candidate in candidates:
        try:
            return pdfium.PdfDocument(path, password=candidate)
        except pdfium.PdfiumError as error:
            if "password" not in str(error).lower():
                raise UnreadableDocument(_damage(path)) from error
    given = "the password given does not open it" if password else "it needs a password"
    raise PasswordNeeded(f"the PDF is encrypted and {given}: use --password")


def _damage(path: Path) -> str:
    """Say what is wrong with a file that PDFium cannot open, as far as its bytes tell."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - 2048))
        tail = file.read()
    if b"%%EOF" not in tail:
        return f"the PDF is damaged: it ends after {size:,} bytes without its end mark (cut off?)"
    return "the PDF is damaged: its structure cannot be read"


def _title(pdf: pdfium.PdfDocument) -> str | None:
    return pdf.get_metadata_dict().get("Title", "").strip() or None


def _outline(pdf: pdfium.PdfDocument, page_count: int) -> Iterator[OutlineEntry]:
    for position, bookmark in enumerate(pdf.get_toc()):
        if position >= MAX_OUTLINE_ENTRIES:
            return
        destination = bookmark.get_dest()
        index = destination.get_index() if destination else None
        title = " ".join(bookmark.get_title().split())
        if title and index is not None and 0 <= index < page_count:
            yield OutlineEntry(title, bookmark.level + 1, index)


def _pages(
    pdf: pdfium.PdfDocument, outline: tuple[OutlineEntry, ...], first_page: int
) -> Iterator[Page]:
    sections = _sections(outline, len(pdf))
    for index in range(first_page, len(pdf)):
        label = pdf.get_page_label(index).strip() or None
        try:
            yield _read_page(pdf, index, label, sections[index])
        except pdfium.PdfiumError:
            yield Page(index, "", index + 1, label, sections[index], problem="unreadable")


def _sections(outline: tuple[OutlineEntry, ...], page_count: int) -> list[str | None]:
    """Return the path of bookmarks ("Part I > Item 7") in which each page begins or lies."""
    sections: list[str | None] = [None] * page_count
    path: list[OutlineEntry] = []
    for entry in sorted(outline, key=lambda entry: entry.page_index):
        path = [*(above for above in path if above.level < entry.level), entry]
        rest = page_count - entry.page_index
        sections[entry.page_index :] = [" > ".join(above.title for above in path)] * rest
    return sections


def _read_page(pdf: pdfium.PdfDocument, index: int, label: str | None, section: str | None) -> Page:
    page = pdf[index]
    textpage = page.get_textpage()
    try:
        layer = TextLayer(page, textpage)
        hidden = HiddenSpans(page, layer)
        text, lines = layer.without(hidden.spans)
        return Page(
            index=index,
            text=text,
            number=index + 1,
            label=label,
            section=section,
            lines=lines,
            hidden=hidden.found,
            problem=None if text.strip() else _why_empty(page),
            is_ocr=hidden.is_ocr_layer,
        )
    finally:
        textpage.close()
        page.close()


def _why_empty(page: pdfium.PdfPage) -> Problem:
    """Tell a scan, or writing that is drawn, from a page with next to nothing (a rule, a frame)."""
    segments = 0
    for number in range(min(pdfium_c.FPDFPage_CountObjects(page.raw), MOST_OBJECTS)):
        drawn = pdfium_c.FPDFPage_GetObject(page.raw, number)
        kind = pdfium_c.FPDFPageObj_GetType(drawn)
        if kind in _PICTURES:
            return "no text layer"
        if kind == pdfium_c.FPDF_PAGEOBJ_PATH:
            segments += pdfium_c.FPDFPath_CountSegments(drawn)
        if segments > MOST_SEGMENTS:
            return "no text layer"
    return "blank"


_PICTURES = (
    pdfium_c.FPDF_PAGEOBJ_IMAGE,
    pdfium_c.FPDF_PAGEOBJ_FORM,
    pdfium_c.FPDF_PAGEOBJ_SHADING,
)
