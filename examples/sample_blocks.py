"""Blocks of the sample document: what its text files hold, as reportlab flowables.

The files are a small part of Markdown: chapters (`#`), sections (`##`), paragraphs with *italics*
and **bold**, quotations (`>`), lists (`1.`, `-`), footnotes (`[^name]`), and tables and figures,
which are rows between bars under a line `Table: title` or `Figure: title`. A block that begins
with `~` is a signature.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from xml.sax.saxutils import escape

from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_JUSTIFY
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Flowable, Paragraph, Table
from sample_art import INK, bar_chart

BODY = ParagraphStyle("body", fontName="Times-Roman", fontSize=11, leading=15.2)
BODY.alignment, BODY.spaceBefore, BODY.textColor = TA_JUSTIFY, 6, HexColor(0x1B1B1B)
BODY.bulletFontName, BODY.bulletFontSize = "Times-Roman", 11
BODY.allowWidows = BODY.allowOrphans = 0
SMALL = ParagraphStyle("small", BODY, fontSize=9.5, leading=12.4, spaceBefore=3.4)
NOTE = ParagraphStyle("note", BODY, fontSize=8.5, leading=10.6, leftIndent=9, spaceBefore=2)
NOTE.bulletFontSize = 8.5
QUOTE = ParagraphStyle("quote", BODY, fontName="Times-Italic", leftIndent=16, rightIndent=16)
SIGNATURE = ParagraphStyle("signature", BODY, leftIndent=170, spaceBefore=14, alignment=0)
CHAPTER = ParagraphStyle("chapter", fontName="Vera-Bold", fontSize=17, leading=22, textColor=INK)
SECTION = ParagraphStyle("section", CHAPTER, fontSize=10.5, leading=14, spaceBefore=16)
CAPTION = ParagraphStyle("caption", CHAPTER, fontName="Vera", fontSize=7.8, leading=11)
CAPTION.spaceBefore = 10
CELL_FONT, CELL_SIZE = "Vera", 7


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of the text that is set at one go.

    Attributes:
        kind: "chapter", "section", "text" (may be split over pages) or "whole" (may not).
        title: The plain text of a heading.
        notes: Footnotes that must stand on the same page.
        is_joined: The next block must begin on the same page.
    """

    flowable: Flowable
    kind: str = "text"
    title: str = ""
    notes: tuple[Paragraph, ...] = ()
    is_joined: bool = False


def register_fonts() -> None:
    """Make Bitstream Vera, which comes with reportlab, known under its names used here."""
    pdfmetrics.registerFont(TTFont("Vera", "Vera.ttf"))
    pdfmetrics.registerFont(TTFont("Vera-Bold", "VeraBd.ttf"))
    pdfmetrics.registerFont(TTFont("Vera-Italic", "VeraIt.ttf"))


class BlockReader:
    """Reads text files in order; footnotes, tables and figures are counted through all of them."""

    def __init__(self, folder: Path, width: float) -> None:
        self._folder = folder
        self._width = width
        self._hyphenated = _read_hyphens(folder / "hyphens.txt")
        self._counts = {"note": 0, "Table": 0, "Figure": 0}
        self._notes: dict[str, str] = {}

    def read(self, name: str, style: ParagraphStyle = BODY) -> list[Block]:
        """Return the blocks of one file, its running text in `style`."""
        pieces = re.split(r"\n\s*\n", (self._folder / name).read_text(encoding="utf-8").strip())
        notes = [re.match(r"\[\^(\w+)\]: (.*)", piece, re.DOTALL) for piece in pieces]
        self._notes = {note[1]: note[2] for note in notes if note}
        texts = [piece for piece, note in zip(pieces, notes, strict=True) if not note]
        return [block for text in texts for block in self._blocks(text, style)]

    def _blocks(self, text: str, style: ParagraphStyle) -> Iterator[Block]:
        mark, _, rest = text.partition(" ")
        if mark in {"#", "##"}:
            heading, kind = (CHAPTER, "chapter") if mark == "#" else (SECTION, "section")
            yield Block(Paragraph(with_ligatures(rest), heading), kind, rest, is_joined=True)
        elif mark in {"Table:", "Figure:"}:
            yield from self._table_or_figure(mark[:-1], rest)
        elif mark == ">":
            yield Block(
                Paragraph(self._markup(re.sub("^> ?", "", text, flags=re.MULTILINE)), QUOTE)
            )
        elif mark == "~":
            lines = re.sub("^~ ", "", text, flags=re.MULTILINE).replace("\n", "<br/>")
            yield Block(Paragraph(lines, SIGNATURE), "whole")
        elif mark == "-" or re.fullmatch(r"\d+\.", mark):
            yield from self._list(text, style)
        else:
            yield self._paragraph(text, style)

    def _paragraph(self, text: str, style: ParagraphStyle) -> Block:
        found = re.search(r"\[\^(\w+)\]", text)
        if not found:
            return Block(Paragraph(self._markup(text), style))
        self._counts["note"] += 1
        sign = f'<super rise="4" size="7">{self._counts["note"]}</super>'
        note = Paragraph(
            self._markup(self._notes[found[1]]), NOTE, bulletText=str(self._counts["note"])
        )
        marked = self._markup(text).replace(found[0], sign)
        return Block(Paragraph(marked, style), "whole", notes=(note,))

    def _list(self, text: str, style: ParagraphStyle) -> Iterator[Block]:
        is_numbered = text[0] != "-"
        indent = 18 if is_numbered else 0.9 * style.fontSize
        item_style = ParagraphStyle("item", style, leftIndent=indent, spaceBefore=2.4)
        if not is_numbered:
            item_style.firstLineIndent = -indent
        for item in re.split(r"^(?=\d+\. |- )", text, flags=re.MULTILINE)[1:]:
            mark, _, rest = item.partition(" ")
            bullet = mark if is_numbered else None
            yield Block(Paragraph(self._markup(rest.strip()), item_style, bulletText=bullet))

    def _table_or_figure(self, word: str, text: str) -> Iterator[Block]:
        title, *lines = text.splitlines()
        rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
        self._counts[word] += 1
        label = f'<font name="Vera-Bold">{word} {self._counts[word]}.</font> '
        caption = Block(Paragraph(label + with_ligatures(title), CAPTION), "whole")
        if word == "Table":
            yield replace(caption, is_joined=True)
            yield Block(_table(rows, self._width), "whole")
        else:
            bars = {label: float(height) for label, height in rows}
            yield Block(bar_chart(bars, self._width), "whole", is_joined=True)
            yield caption

    def _markup(self, text: str) -> str:
        text = escape(" ".join(text.split()))
        if not re.search(r"[*[]", text):  # reportlab loses spaces where soft hyphens meet markup
            text = re.sub(r"[A-Za-z]{6,}", lambda m: self._hyphenated.get(m[0], m[0]), text)
        text = text.replace("'", "\u2019")
        text = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", text)
        return re.sub(r"\*(.+?)\*", r"<i>\1</i>", text)


def with_ligatures(text: str) -> str:
    """Return `text` with the two ligatures that Vera has; Times without embedding has none."""
    return escape(text).replace("fi", "\ufb01").replace("fl", "\ufb02")


def _read_hyphens(path: Path) -> dict[str, str]:
    """Map each word, also with a capital, to itself with soft hyphens where it may be broken."""
    words = path.read_text(encoding="utf-8").split()
    words += [word.capitalize() for word in words]
    return {word.replace("-", ""): word.replace("-", "\u00ad") for word in words}


def _table(rows: list[list[str]], width: float) -> Table:
    style = [
        ("FONT", (0, 0), (-1, -1), CELL_FONT, CELL_SIZE),
        ("FONT", (0, 0), (-1, 0), "Vera-Bold", CELL_SIZE),
        ("LINEABOVE", (0, 0), (-1, 0), 0.9, INK),
        ("LINEBELOW", (0, 0), (-1, 0), 0.5, INK),
        ("LINEBELOW", (0, -1), (-1, -1), 0.9, INK),
        ("TOPPADDING", (0, 0), (-1, -1), 2.5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
        ("LEFTPADDING", (0, 0), (-1, -1), 2),
        ("RIGHTPADDING", (0, 0), (-1, -1), 2),
    ]
    for number, row in enumerate(rows):
        if row[0].startswith("**"):
            style.append(("FONT", (0, number), (-1, number), "Vera-Bold", CELL_SIZE))
    cells = [[cell.strip("*") for cell in row] for row in rows]
    columns = list(zip(*cells, strict=True))
    for number, column in enumerate(columns):
        if re.fullmatch(r"[\d,]+", column[-1]):
            style.append(("ALIGN", (number, 0), (number, -1), "RIGHT"))
    widths = [
        max(pdfmetrics.stringWidth(cell, "Vera-Bold", CELL_SIZE) for cell in column)
        for column in columns
    ]
    spare = (width - sum(widths)) / len(widths)
    table = Table(cells, [column + spare for column in widths], style=style)
    table.spaceBefore, table.spaceAfter = 4, 10
    return table
