"""The text layer of one PDF page: its lines, their offsets, and their boxes.

PDFium counts characters, its text counts UTF-16 units, and Python counts code points; the three
differ on a page with characters that PDFium leaves out of the text or that lie outside the basic
plane. Offsets given out here are Python's, into the text returned.
"""

import re
from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from lcagent.documents import Box, Line

Offsets = tuple[int, int]
_LINE_END = re.compile("\r\n|[\r\n\ufffe]")
HYPHEN = "\ufffe"
"""PDFium's mark for a hyphen at the end of a line; it swallows the line end."""


class TextLayer:
    """The text of a page as PDFium gives it, and where each piece of it is drawn."""

    def __init__(self, page: pdfium.PdfPage, textpage: pdfium.PdfTextPage) -> None:
        self.raw_text = textpage.get_text_range()
        self.textpage = textpage
        self._page = page
        self._rectangle = pdfium_c.FS_RECTF()

    @cached_property
    def line_spans(self) -> list[Offsets]:
        """Offsets into `raw_text` of each line, without its end."""
        starts = [0]
        ends: list[int] = []
        for match in _LINE_END.finditer(self.raw_text):
            ends.append(match.start())
            starts.append(match.end())
        return list(zip(starts, [*ends, len(self.raw_text)], strict=True))

    @cached_property
    def _is_one_to_one(self) -> bool:
        return bool(self.textpage.count_chars() == len(self.raw_text))

    def char_index(self, offset: int) -> int:
        """Return PDFium's index of the character at `offset` of `raw_text`, or -1."""
        if self._is_one_to_one:
            return offset
        units = self._utf16_offsets[offset] if self._utf16_offsets else offset
        return int(pdfium_c.FPDFText_GetCharIndexFromTextIndex(self.textpage.raw, units))

    @cached_property
    def _utf16_offsets(self) -> list[int]:
        """Offset in UTF-16 units of each character; empty where it is the same."""
        if not self.raw_text or max(self.raw_text) <= "\uffff":
            return []
        return [0, *accumulate(1 + (character > "\uffff") for character in self.raw_text)]

    def char_box(self, offset: int) -> Box | None:
        """Return left, bottom, right, top of a character in the page's own coordinates.

        The box is that of its font, from descenders to ascenders, as a highlighter would go.
        """
        index, drawn = self.char_index(offset), self._rectangle
        if index < 0 or not pdfium_c.FPDFText_GetLooseCharBox(self.textpage.raw, index, drawn):
            return None
        return drawn.left, drawn.bottom, drawn.right, drawn.top

    def without(self, hidden: Sequence[Offsets]) -> tuple[str, tuple[Line, ...]]:
        """Return the text less the `hidden` spans of `raw_text`, and its lines with boxes."""
        pieces: list[str] = []
        lines: list[Line] = []
        length = 0
        for start, end in self.line_spans:
            hyphen = self.raw_text[end : end + 1] == HYPHEN
            for left, right in _subtract((start, end), hidden):
                piece = self.raw_text[left:right]
                box = self._box(left, right)
                if box is not None:
                    lines.append(Line(length, length + len(piece), box))
                pieces.append(piece)
                length += len(piece)
            pieces.append("-\n" if hyphen else "\n")
            length += len(pieces[-1])
        return "".join(pieces)[:-1].rstrip("\n"), tuple(lines)

    def _box(self, start: int, end: int) -> Box | None:
        """Return the box around the first and the last visible character of a line."""
        piece = self.raw_text[start:end]
        stripped = piece.strip()
        if not stripped:
            return None
        first = start + piece.index(stripped[0])
        boxes = [self.char_box(first), self.char_box(first + len(stripped) - 1)]
        found = [box for box in boxes if box is not None]
        if not found:
            return None
        return self._on_page(
            min(box[0] for box in found),
            min(box[1] for box in found),
            max(box[2] for box in found),
            max(box[3] for box in found),
        )

    @cached_property
    def frame(self) -> Box:
        """The visible area of the page: left, bottom, right, top."""
        left, bottom, right, top = self._page.get_bbox()
        return left, bottom, right, top

    @cached_property
    def _rotation(self) -> int:
        return int(self._page.get_rotation())

    def _on_page(self, left: float, bottom: float, right: float, top: float) -> Box:
        """Turn a box into points from the top left of the page as it is shown."""
        x0, y0, x1, y1 = self.frame
        edges = {
            0: (left - x0, y1 - top, right - x0, y1 - bottom),
            90: (bottom - y0, left - x0, top - y0, right - x0),
            180: (x1 - right, bottom - y0, x1 - left, top - y0),
            270: (y1 - top, x1 - right, y1 - bottom, x1 - left),
        }[self._rotation]
        return round(edges[0], 1), round(edges[1], 1), round(edges[2], 1), round(edges[3], 1)


def _subtract(span: Offsets, holes: Sequence[Offsets]) -> list[Offsets]:
    """Return what is left of `span` without the `holes`, which are in order."""
    start, end = span
    left: list[Offsets] = []
    for hole_start, hole_end in holes:
        if hole_end <= start or hole_start >= end:
            continue
        if hole_start > start:
            left.append((start, hole_start))
        start = max(start, hole_end)
    return [*left, (start, end)] if start < end or not left else left
