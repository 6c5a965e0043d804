"""Pages of the sample document: blocks go into columns, footnotes to the foot of the page.

reportlab's own page templates know nothing of footnotes, and number the contents only after
several passes. Here a page is filled in one pass, before anything is drawn.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Paragraph
from sample_blocks import Block

NOTE_RULE = 9.0
"""Points between the text and the first footnote, for the rule."""
GUTTER = 16.0


@dataclass(frozen=True, slots=True)
class Area:
    """The part of a page that holds text, in points from the bottom left."""

    left: float
    bottom: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Heading:
    """A chapter or a section, and the height on the page at which it begins."""

    level: int
    title: str
    top: float


@dataclass(slots=True)
class Page:
    """What stands on one page: flowables with their places, footnotes and headings."""

    chapter: str
    placed: list[tuple[Flowable, float, float]] = field(default_factory=list)
    notes: list[Paragraph] = field(default_factory=list)
    headings: list[Heading] = field(default_factory=list)


def fill_pages(
    blocks: Sequence[Block], area: Area, canvas: Canvas, *, columns: int = 1
) -> list[Page]:
    """Set one chapter, whose heading is the first block, and return its pages."""
    filler = _Filler(area, canvas, columns, blocks[0].title)
    for number, block in enumerate(blocks):
        filler.add(block, blocks[number + 1 :])
    return filler.pages


def draw_page(page: Page, area: Area, canvas: Canvas) -> None:
    """Draw the text of a page and its footnotes."""
    for flowable, x, y in page.placed:
        flowable.drawOn(canvas, x, y)
    if not page.notes:
        return
    y = area.bottom + _notes_height(page.notes, area.width)
    canvas.setLineWidth(0.4)
    canvas.line(area.left, y - 3, area.left + 60, y - 3)
    y -= NOTE_RULE
    for note in page.notes:
        y -= note.height
        note.drawOn(canvas, area.left, y)


class _Filler:
    def __init__(self, area: Area, canvas: Canvas, columns: int, chapter: str) -> None:
        self.pages = [Page(chapter)]
        self._area = area
        self._canvas = canvas
        self._columns = columns
        self._width = (area.width - GUTTER * (columns - 1)) / columns
        self._column = 0
        self._space_after = 0.0
        self._ceiling = self._top = area.bottom + area.height

    def add(self, block: Block, following: Sequence[Block]) -> None:
        if block.kind == "chapter":
            self._place_across(block)
            return
        space = max(block.flowable.getSpaceBefore(), self._space_after)
        space = 0 if self._top == self._ceiling else space
        room = self._top - self._floor(block.notes) - space
        if self._least(block, following) <= room:
            self._place(block, space)
            return
        parts = block.flowable.splitOn(self._canvas, self._width, room)
        if block.kind == "text" and len(parts) == 2:
            self._place(Block(parts[0]), space)
            block = Block(parts[1])
        self._next_column()
        self.add(block, following)

    def _least(self, block: Block, following: Sequence[Block]) -> float:
        """Return the height of the block and of what must begin under it."""
        height = self._height(block.flowable)
        if not block.is_joined:
            return height
        below = following[0]
        space = below.flowable.getSpaceBefore()
        if below.kind == "text":
            return height + space + min(self._height(below.flowable), 32)
        notes = _notes_height(below.notes, self._area.width)
        return height + space + notes + self._least(below, following[1:])

    def _place(self, block: Block, space: float) -> None:
        page = self.pages[-1]
        top = self._top - space
        self._top = top - self._height(block.flowable)
        self._space_after = block.flowable.getSpaceAfter()
        x = self._area.left + self._column * (self._width + GUTTER)
        page.placed.append((block.flowable, x, self._top))
        page.notes.extend(block.notes)
        if block.title:
            level = 0 if block.kind == "chapter" else 1
            page.headings.append(Heading(level, block.title, top))

    def _place_across(self, block: Block) -> None:
        """Place the heading of the chapter over all columns."""
        block.flowable.wrapOn(self._canvas, self._area.width, self._area.height)
        top = self._ceiling - 26
        self._top = self._ceiling = top - block.flowable.height - 14
        self.pages[-1].placed.append((block.flowable, self._area.left, top - block.flowable.height))
        self.pages[-1].headings.append(Heading(0, block.title, top))

    def _next_column(self) -> None:
        self._column += 1
        if self._column == self._columns:
            self._column = 0
            self._ceiling = self._area.bottom + self._area.height
            self.pages.append(Page(self.pages[-1].chapter))
        self._top = self._ceiling

    def _floor(self, notes: Sequence[Paragraph]) -> float:
        all_notes = [*self.pages[-1].notes, *notes]
        return self._area.bottom + _notes_height(all_notes, self._area.width)

    def _height(self, flowable: Flowable) -> float:
        return flowable.wrapOn(self._canvas, self._width, self._area.height)[1]


def _notes_height(notes: Sequence[Paragraph], width: float) -> float:
    if not notes:
        return 0
    return NOTE_RULE + sum(note.wrap(width, 1000)[1] for note in notes)
