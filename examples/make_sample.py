"""Make the sample document, examples/sample.pdf, from the texts in examples/sample/.

    python examples/make_sample.py [OUTPUT]

The same texts give the same bytes. Front matter is numbered i, ii, iii, the rest from 1, so that
the number printed on a page is not its place in the file.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from reportlab.lib.pagesizes import A5
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable
from sample_art import INK, lighthouse
from sample_blocks import BODY, CHAPTER, SMALL, Block, BlockReader, Paragraph, register_fonts
from sample_pages import Area, Page, draw_page, fill_pages

HERE = Path(__file__).parent
WIDTH, HEIGHT = A5
AREA = Area(left=60, bottom=62, width=WIDTH - 120, height=HEIGHT - 128)

IMPRINT_AREA = replace(AREA, height=170)
TITLE = "Keeping the Light"
SUBTITLE = ("Annual Report for 2023", "with a Short History of the Company")
COMPANY = "The Ennersay Light, Ferry and Tide Company"
CHAPTERS = ("01-island", "02-light", "03-ferry", "04-tide", "05-people", "06-accounts")
CONTENTS_PAGES = 2
ROMAN = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x")


def main() -> None:
    """Write the document to the path given, or to sample.pdf beside this script."""
    output = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "sample.pdf"
    register_fonts()
    canvas = Canvas(str(output), pagesize=A5, invariant=1, pageCompression=1)
    canvas.setTitle(f"{TITLE}: {SUBTITLE[0]} {SUBTITLE[1]}")
    canvas.setAuthor(COMPANY)
    canvas.setSubject("The sample document of lcagent; everything in it is invented")
    _draw_title(canvas)
    pages, labels = _set_pages(canvas)
    _draw_pages(pages, labels, canvas)
    canvas.save()


def _set_pages(canvas: Canvas) -> tuple[list[Page], list[str]]:
    """Return every page after the title page, and the label printed on each."""
    reader = BlockReader(HERE / "sample", AREA.width)
    imprint = fill_pages(reader.read("imprint.md", SMALL), IMPRINT_AREA, canvas)
    letter = fill_pages(reader.read("letter.md"), AREA, canvas)
    body = [
        page for name in CHAPTERS for page in fill_pages(reader.read(f"{name}.md"), AREA, canvas)
    ]
    body += fill_pages(reader.read("07-chronology.md", SMALL), AREA, canvas)
    body += fill_pages(reader.read("08-words.md", SMALL), AREA, canvas, columns=2)
    front_count = len(imprint) + CONTENTS_PAGES + len(letter)
    front_labels = list(ROMAN[1 : front_count + 1])
    body_labels = [str(number) for number in range(1, len(body) + 1)]
    listed = zip([*letter, *body], [*front_labels[-len(letter) :], *body_labels], strict=True)
    contents = fill_pages(list(_contents(listed)), AREA, canvas)
    if len(contents) != CONTENTS_PAGES:
        sys.exit(f"the contents take {len(contents)} pages, expected {CONTENTS_PAGES}")
    canvas.addPageLabel(0, "ROMAN_LOWER", 1)
    canvas.addPageLabel(1 + front_count, "ARABIC", 1)
    return [*imprint, *contents, *letter, *body], front_labels + body_labels


def _contents(listed: Iterator[tuple[Page, str]]) -> Iterator[Block]:
    yield Block(Paragraph("Contents", CHAPTER), "chapter", "Contents")
    for page, label in listed:
        for heading in page.headings:
            yield Block(_ContentsLine(heading.level, heading.title, label), "whole")


def _draw_title(canvas: Canvas) -> None:
    canvas.bookmarkPage("title")
    canvas.addOutlineEntry("Title page", "title", 0)
    picture = lighthouse(WIDTH, 300)
    picture.drawOn(canvas, 0, 0)
    canvas.setFillColor(INK)
    canvas.setFont("Vera-Bold", 27)
    canvas.drawCentredString(WIDTH / 2, HEIGHT - 130, TITLE)
    canvas.setFont("Times-Italic", 15)
    for number, line in enumerate(SUBTITLE):
        canvas.drawCentredString(WIDTH / 2, HEIGHT - 166 - 20 * number, line)
    canvas.setFont("Vera", 9)
    canvas.drawCentredString(WIDTH / 2, HEIGHT - 232, COMPANY)
    canvas.showPage()


def _draw_pages(pages: Sequence[Page], labels: Sequence[str], canvas: Canvas) -> None:
    for number, (page, label) in enumerate(zip(pages, labels, strict=True)):
        for heading in page.headings:
            key = heading.title
            canvas.bookmarkHorizontalAbsolute(key, heading.top + 4)
            canvas.addOutlineEntry(heading.title, key, heading.level, closed=heading.level == 0)
        _draw_header(page, TITLE if number % 2 == 0 else page.chapter, canvas)
        canvas.setFont("Times-Roman", 9.5)
        canvas.drawCentredString(WIDTH / 2, 34, label)
        draw_page(page, AREA, canvas)
        canvas.showPage()


def _draw_header(page: Page, text: str, canvas: Canvas) -> None:
    """Draw the running header, which a page that begins a chapter does without."""
    canvas.setFillColor(INK)
    if not page.chapter or any(heading.level == 0 for heading in page.headings):
        return
    y = HEIGHT - 46
    canvas.setFont("Times-Italic", 9.5)
    canvas.drawCentredString(WIDTH / 2, y, text)
    canvas.setStrokeColor(INK)
    canvas.setLineWidth(0.4)
    canvas.line(AREA.left, y - 5, AREA.left + AREA.width, y - 5)


class _ContentsLine(Flowable):
    """One line of the contents: a title, dots, and a page label, linked to the heading."""

    def __init__(self, level: int, title: str, label: str) -> None:
        super().__init__()
        self._level, self._title, self._label = level, title, label
        self.height = BODY.leading - 1
        self.spaceBefore = 0 if level else 7

    def wrap(self, available_width: float, _available_height: float) -> tuple[float, float]:
        self.width = available_width
        return self.width, self.height

    def draw(self) -> None:
        canvas = self.canv
        canvas.setFillColor(INK)
        font, indent = ("Times-Roman", 14) if self._level else ("Times-Bold", 0)
        canvas.setFont(font, 10.5)
        canvas.drawString(indent, 4, self._title)
        canvas.drawRightString(self.width, 4, self._label)
        start = indent + canvas.stringWidth(self._title, font, 10.5) + 6
        end = self.width - canvas.stringWidth(self._label, font, 10.5) - 6
        if self._level:
            dots = " ." * int((end - start) / canvas.stringWidth(" .", font, 10.5))
            canvas.drawRightString(end, 4, dots)
        canvas.linkRect("", self._title, (0, 0, self.width, self.height), relative=1)


if __name__ == "__main__":
    main()
