"""Text in a PDF that a reader of the page does not see.

Four ways to hide text are found: drawn invisibly (render mode 3 or no opacity), in the colour of
what is behind it, smaller than 3 points, and off the page. Asking PDFium about every character
would triple the time of reading, so one character in 16 is asked, with the first and last of each
line; a hidden run is then followed in both directions. A run under 16 characters in the middle
of a line may be missed.

A scan with an OCR layer is drawn invisibly on purpose: a page whose text is nearly all
invisible, with a picture over most of it, keeps its text and is marked as OCR.
"""

import ctypes
from collections.abc import Iterator
from functools import cached_property
from typing import Literal, TypeAlias

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from lcagent.documents import Box, HiddenText
from lcagent.retrieval.reading.pdf_text import Offsets, TextLayer

SAMPLE_EVERY = 16
MIN_LETTERS = 4
"""Less than this is a bullet, a rule or a check mark, and stays in the text."""
MIN_POINTS = 3.0
MAX_COLOUR_DIFFERENCE = 16
DARK = 96
"""Colours with every channel below this are taken as visible without a look behind them."""

Reason: TypeAlias = Literal["invisible", "background colour", "tiny", "off the page"]
Colour: TypeAlias = tuple[int, int, int]


class HiddenSpans:
    """The hidden spans of one page.

    Attributes:
        spans: Offsets into the layer's `raw_text`, in order, not overlapping.
        found: The same as values for the document.
        is_ocr_layer: The invisible text is the text of a scanned picture, and stays.
    """

    def __init__(self, page: pdfium.PdfPage, layer: TextLayer) -> None:
        self._layer = layer
        self._page = page
        self._rectangle = pdfium_c.FS_RECTF()
        self._channels = [ctypes.c_uint() for _ in range(4)]
        reasons = list(self._find())
        self.is_ocr_layer = self._is_ocr(reasons)
        if self.is_ocr_layer:
            reasons = [found for found in reasons if found[2] != "invisible"]
        self.spans: list[Offsets] = [(start, end) for start, end, _ in reasons]
        text = layer.raw_text
        self.found = tuple(
            HiddenText(" ".join(text[start:end].split()), reason) for start, end, reason in reasons
        )

    def _find(self) -> Iterator[tuple[int, int, Reason]]:
        done = 0
        for offset in self._samples():
            if offset < done or not self._layer.raw_text[offset].strip():
                continue
            reason = self._reason(offset)
            if reason is not None:
                start, done = self._run(offset, done, reason)
                if sum(map(str.isalnum, self._layer.raw_text[start:done])) >= MIN_LETTERS:
                    yield start, done, reason

    def _samples(self) -> Iterator[int]:
        for start, end in self._layer.line_spans:
            if start < end:
                yield from range(start, end - 1, SAMPLE_EVERY)
                yield end - 1

    def _run(self, offset: int, left: int, reason: Reason) -> Offsets:
        """Return the longest run around `offset` that is hidden for the same reason."""
        text = self._layer.raw_text
        start, end = offset, offset + 1
        while start > left and self._continues(start - 1, reason):
            start -= 1
        while end < len(text) and self._continues(end, reason):
            end += 1
        while end > start + 1 and text[end - 1].isspace():
            end -= 1
        while start < end - 1 and text[start].isspace():
            start += 1
        return start, end

    def _continues(self, offset: int, reason: Reason) -> bool:
        character = self._layer.raw_text[offset]
        return character.isspace() or character == "\ufffe" or self._reason(offset) == reason

    def _reason(self, offset: int) -> Reason | None:
        """Return why the character at `offset` cannot be seen, or None if it can.

        Called for thousands of characters, so the buffers that PDFium fills are shared.
        """
        raw = self._layer.textpage.raw
        index = self._layer.char_index(offset)
        drawn = pdfium_c.FPDFText_GetTextObject(raw, index)
        if not drawn:
            return None
        if pdfium_c.FPDFTextObj_GetTextRenderMode(drawn) == pdfium_c.FPDF_TEXTRENDERMODE_INVISIBLE:
            return "invisible"
        if not pdfium_c.FPDFText_GetLooseCharBox(raw, index, self._rectangle):
            return None
        red, green, blue, alpha = self._channels
        if not pdfium_c.FPDFText_GetFillColor(raw, index, red, green, blue, alpha):
            return self._reason_by_place((0, 0, 0))
        if alpha.value == 0:
            return "invisible"
        return self._reason_by_place((red.value, green.value, blue.value))

    def _reason_by_place(self, colour: Colour) -> Reason | None:
        drawn = self._rectangle
        box = (drawn.left, drawn.bottom, drawn.right, drawn.top)
        left, bottom, right, top = self._layer.frame
        if box[2] < left or box[0] > right or box[3] < bottom or box[1] > top:
            return "off the page"
        if max(box[2] - box[0], box[3] - box[1]) < MIN_POINTS:  # text may stand at a right angle
            return "tiny"
        if max(colour) >= DARK and self._is_behind(box, colour):
            return "background colour"
        return None

    def _is_behind(self, box: Box, colour: Colour) -> bool:
        """Say whether what is drawn behind `box` has nearly the given colour."""
        behind: Colour | None = (255, 255, 255)
        for frame, fill in self._areas:
            if _covers(frame, box):
                behind = fill
        if behind is None:  # a picture or a gradient: cannot tell
            return False
        return all(abs(a - b) <= MAX_COLOUR_DIFFERENCE for a, b in zip(colour, behind, strict=True))

    @cached_property
    def _areas(self) -> list[tuple[Box, Colour | None]]:
        """The filled paths and pictures of the page in drawing order, with their colours."""
        return list(_filled_areas(self._page))

    def _is_ocr(self, reasons: list[tuple[int, int, Reason]]) -> bool:
        invisible = sum(end - start for start, end, reason in reasons if reason == "invisible")
        if invisible < 0.9 * len(self._layer.raw_text.strip()) or not invisible:
            return False
        left, bottom, right, top = self._layer.frame
        page_area = (right - left) * (top - bottom)
        return any(
            fill is None and (frame[2] - frame[0]) * (frame[3] - frame[1]) > 0.5 * page_area
            for frame, fill in self._areas
        )


def _filled_areas(page: pdfium.PdfPage) -> Iterator[tuple[Box, Colour | None]]:
    opaque = {pdfium_c.FPDF_PAGEOBJ_IMAGE, pdfium_c.FPDF_PAGEOBJ_SHADING}
    for number in range(pdfium_c.FPDFPage_CountObjects(page.raw)):
        drawn = pdfium_c.FPDFPage_GetObject(page.raw, number)
        kind = pdfium_c.FPDFPageObj_GetType(drawn)
        if kind in opaque:
            yield _bounds(drawn), None
        elif kind == pdfium_c.FPDF_PAGEOBJ_PATH and (fill := _fill(drawn)) is not None:
            yield _bounds(drawn), fill


def _covers(frame: Box, box: Box) -> bool:
    """Say whether the middle of `box` lies in `frame`."""
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return frame[0] <= x <= frame[2] and frame[1] <= y <= frame[3]


def _bounds(drawn: object) -> Box:
    left, bottom, right, top = (ctypes.c_float() for _ in range(4))
    pdfium_c.FPDFPageObj_GetBounds(drawn, left, bottom, right, top)
    return left.value, bottom.value, right.value, top.value


def _fill(drawn: object) -> Colour | None:
    """Return the colour a path is filled with, or None where it is only stroked."""
    mode, stroke = ctypes.c_int(), ctypes.c_int()
    pdfium_c.FPDFPath_GetDrawMode(drawn, mode, stroke)
    red, green, blue, alpha = (ctypes.c_uint() for _ in range(4))
    if not mode.value or not pdfium_c.FPDFPageObj_GetFillColor(drawn, red, green, blue, alpha):
        return None
    return (red.value, green.value, blue.value) if alpha.value > 127 else None
