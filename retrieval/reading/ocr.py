"""Text of pages that are only pictures, by RapidOCR (extra `ocr`; its models are in the package).

Takes about ten CPU seconds a page, so it reads the pages it is asked for and nothing else. What
it gives may be wrong: the pages are marked.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pypdfium2 as pdfium

from lcagent.documents import Line, Page
from lcagent.errors import MissingExtra
from lcagent.retrieval.reading.pdf import open_pdf

DOTS_PER_INCH = 150
MAX_SIDE_PIXELS = 4_000
"""A larger page (a poster, or a page made to use up memory) is drawn smaller."""

MIN_CONFIDENCE = 0.5


def read(path: Path, password: str | None, page_indices: Iterable[int]) -> Iterator[Page]:
    """Yield the pages asked for with the text that is recognised on them.

    Raises:
        MissingExtra: RapidOCR is not installed.
    """
    engine = _engine()
    pdf = open_pdf(path, password)
    for index in page_indices:
        yield _recognise(engine, pdf, index)


def _engine() -> Any:
    import logging  # noqa: PLC0415

    try:
        from rapidocr import RapidOCR  # noqa: PLC0415 -- an optional part
    except ImportError as error:
        raise MissingExtra("reading pictures of text", "ocr") from error
    logging.getLogger("RapidOCR").setLevel(logging.ERROR)
    return RapidOCR()


def _recognise(engine: Any, pdf: pdfium.PdfDocument, index: int) -> Page:
    page = pdf[index]
    width, height = page.get_size()
    scale = min(DOTS_PER_INCH / 72, MAX_SIDE_PIXELS / max(width, height))
    render: Any = page.render  # its annotation says int; it takes any scale
    found = engine(render(scale=scale).to_numpy())
    label = pdf.get_page_label(index).strip() or None
    text, lines = _lines(found, scale)
    if not text.strip():  # a photograph: it was looked at, and there is nothing to read
        return Page(index, "", index + 1, label, problem="blank")
    return Page(index, text, index + 1, label, lines=lines, is_ocr=True)


def _lines(found: Any, scale: float) -> tuple[str, tuple[Line, ...]]:
    """Join the lines that were recognised, from top to bottom."""
    if found.boxes is None:
        return "", ()
    text = ""
    lines: list[Line] = []
    for corners, words, confidence in zip(found.boxes, found.txts, found.scores, strict=True):
        if confidence < MIN_CONFIDENCE:
            continue
        start = len(text) + 1 if text else 0
        text = f"{text}\n{words}" if text else words
        xs, ys = corners[:, 0] / scale, corners[:, 1] / scale
        box = (float(xs.min()), float(ys.min()), float(xs.max()), float(ys.max()))
        lines.append(Line(start, len(text), box))
    return text, tuple(lines)
