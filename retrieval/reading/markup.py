"""HTML to text: the blocks that people see, with the headings and the hidden text marked.

Blocks are separated by a blank line; inside them white space is collapsed and `<br>` is a line
end. A row of a table is a line, its cells joined by " | ". Of ruby the base text stays. Scripts,
styles and the alternative texts of images are no text.
"""

import re
from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser, LexborNode

from lcagent.documents import HiddenText, Problem
from lcagent.retrieval.reading.encoding import clean
from lcagent.retrieval.reading.hidden_markup import HiddenRules
from lcagent.retrieval.reading.parts import Heading, MarkedText

_BLOCKS = frozenset(
    re.findall(
        r"\w+",
        "address article aside blockquote body caption center dd details dialog div dl dt fieldset "
        "figcaption figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr legend li main menu nav "
        "ol option p pre section select summary table tbody td text tfoot th thead tr ul",
    )
)
_SKIPPED = frozenset(
    re.findall(
        r"\w+",
        "audio base canvas desc head iframe link meta metadata noframes object rp rt rtc script "
        "style template textarea title video",
    )
)
_IMAGES = frozenset(re.findall(r"\w+", "canvas image img object svg video"))
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_NOT_DATA = "td table, th table, td pre, " + ", ".join(f"td {tag}" for tag in _HEADINGS)
_SPACES = re.compile(r"[ \t\r\n\f]+")
_SPACES_AT_LINE_END = re.compile(r" *\n *")
_SEPARATOR = "\n\n"


@dataclass(frozen=True, slots=True)
class Markup:
    """The text of an HTML document, and where in it the anchors (`id`) are."""

    marked: MarkedText
    anchors: dict[str, int]


def read_markup(tree: LexborHTMLParser) -> Markup:
    """Read the body of an HTML document."""
    writer = _Writer(HiddenRules(tree))
    if tree.body is not None:
        writer.walk(tree.body)
    return writer.result()


class _Writer:
    """Writes blocks of text while it walks a tree, of which the depth may be anything."""

    def __init__(self, rules: HiddenRules) -> None:
        self._rules = rules
        self._blocks: list[str] = []
        self._length = 0  # where the next block begins
        self._inline: list[str] = []  # the block being written
        self._is_verbatim = False
        self._heading: str | None = None
        self._rows: list[list[str]] | None = None  # of the table being written
        self._has_image = False
        self._headings: list[Heading] = []
        self._hidden: list[tuple[int, HiddenText]] = []
        self._anchors: dict[str, int] = {}

    def walk(self, root: LexborNode) -> None:
        stack = [(root, False)]
        while stack:
            node, was_entered = stack.pop()
            if was_entered:
                self._leave(node.tag or "")
            elif self._enter(node):
                stack.append((node, True))
                children = [(child, False) for child in node.iter(include_text=True)]
                stack.extend(reversed(children))

    def result(self) -> Markup:
        self._end_block()
        text = _SEPARATOR.join(self._blocks)
        hidden = tuple((min(offset, len(text)), found) for offset, found in self._hidden)
        why_empty: Problem = "no text layer" if self._has_image else "blank"
        return Markup(MarkedText(text, tuple(self._headings), hidden, why_empty), self._anchors)

    def _enter(self, node: LexborNode) -> bool:
        """Begin an element, or add a text; tell whether to go on into it."""
        tag = node.tag
        if node.is_text_node:
            self._add(node.text_content or "")
            return False
        self._has_image = self._has_image or tag in _IMAGES
        if tag is None or tag in _SKIPPED or tag.startswith(("-", "!")) or self._is_hidden(node):
            return False
        if (anchor := node.attributes.get("id")) is not None:
            self._anchors.setdefault(anchor, self._length)
        self._begin(tag, node)
        return True

    def _is_hidden(self, node: LexborNode) -> bool:
        reason = self._rules.reason(node)
        text = " ".join(node.text(separator=" ").split()) if reason else ""
        if reason and text:
            self._hidden.append((self._length, HiddenText(text, reason)))
        return reason is not None

    def _begin(self, tag: str, node: LexborNode) -> None:
        if tag == "br":
            self._inline.append("\n")
        if tag not in _BLOCKS:
            return
        self._end_block()
        if tag == "pre":
            self._is_verbatim = True
        elif tag in _HEADINGS:
            self._heading = tag
        elif tag == "table" and self._rows is None and _is_data(node):
            self._rows = [[]]
        elif tag == "tr" and self._rows is not None:
            self._rows.append([])

    def _leave(self, tag: str) -> None:
        if self._rows is not None and tag in {"td", "th", "caption", "table"}:
            self._end_cell(tag)
        elif tag == self._heading:
            self._heading = None
            self._end_block(_HEADINGS[tag])
        elif tag in _BLOCKS:
            self._end_block()
            self._is_verbatim = self._is_verbatim and tag != "pre"

    def _add(self, text: str) -> None:
        self._inline.append(text if self._is_verbatim else _SPACES.sub(" ", text))

    def _end_cell(self, tag: str) -> None:
        """End a cell and, with the table, the block: what is not in a row is one by itself."""
        rows = self._rows or []
        text = self._take().replace("\n", " ")
        if tag in {"td", "th"}:
            rows[-1].append(text)
        elif text:
            rows.append([text])
        if tag == "table":
            self._rows = None
            self._put("\n".join(" | ".join(row) for row in rows if any(row)))

    def _end_block(self, heading_level: int = 0) -> None:
        if self._rows is not None or self._heading is not None:
            self._inline.append(" ")  # blocks inside a cell or a heading do not end it
            return
        start = self._length
        text = self._take()
        self._put(text)
        if heading_level and text:
            title = text.replace("\n", " ")
            self._headings.append(Heading(start, start + len(text), heading_level, title))

    def _take(self) -> str:
        """Return what was written into the block, and begin a new one."""
        text = clean("".join(self._inline))
        self._inline.clear()
        if self._is_verbatim:
            return text.strip("\n").rstrip()
        return _SPACES_AT_LINE_END.sub("\n", re.sub(" {2,}", " ", text)).strip(" \n")

    def _put(self, text: str) -> None:
        if text:
            self._blocks.append(text)
            self._length += len(text) + len(_SEPARATOR)


def _is_data(table: LexborNode) -> bool:
    """Tell a table of data from one that only places things on the screen."""
    return table.attributes.get("role") != "presentation" and table.css_first(_NOT_DATA) is None
