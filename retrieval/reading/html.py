"""HTML, from the web or saved: the text that people see, cut at its headings.

Blocks are separated by a blank line; inside them white space is collapsed and `<br>` is a line
end. A row of a table is a line, its cells joined by " | ". Of ruby the base text stays. Scripts,
styles and the alternative texts of images are no text. What a style hides is kept apart: a reader
does not see it, but a model would.
"""

import html
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from selectolax.lexbor import LexborHTMLParser, LexborNode

from lcagent.documents import HiddenText, Problem
from lcagent.retrieval.reading.encoding import clean, decode
from lcagent.retrieval.reading.parts import Heading, MarkedText, read_parts
from lcagent.retrieval.reading.reader import Reading

_CHARSET = re.compile(
    rb"<\?xml[^>]*encoding\s*=\s*[\"']([\w.:-]+)|<meta[^>]*charset\s*=\s*[\"']?\s*([\w.:-]+)",
    re.IGNORECASE,
)
_HEAD_BYTES = 4096
_EMPTY_ELEMENT = re.compile(r"<([A-Za-z][\w:-]*)((?:\s[^<>]*)?)/>")
_CDATA = re.compile(r"<!\[CDATA\[(.*?)\]\]>", re.DOTALL)
_VOID = frozenset(
    re.findall(r"\w+", "area base br col embed hr img input link meta param source track wbr")
)


def read(path: Path, password: str | None = None, first_page: int = 0) -> Reading:  # noqa: ARG001
    """Read an HTML file; see `reader.Reader`."""
    tree = parse(path.read_bytes())
    title = tree.css_first("head title")
    name = " ".join(title.text().split()) if title else None
    return read_parts(read_markup(tree).marked, first_page, name or None, declared_language(tree))


def parse(data: bytes) -> LexborHTMLParser:
    """Parse HTML or XHTML in whatever encoding."""
    found = _CHARSET.search(data[:_HEAD_BYTES])
    text = clean(decode(data, (found[1] or found[2]).decode() if found else None)[0])
    if "<?xml" in text[:_HEAD_BYTES] or "http://www.w3.org/1999/xhtml" in text[:_HEAD_BYTES]:
        text = _as_html(text)
    return LexborHTMLParser(text)


def declared_language(tree: LexborHTMLParser) -> str | None:
    """Return the language that the document declares."""
    attributes = tree.root.attributes if tree.root else {}
    return attributes.get("lang") or attributes.get("xml:lang") or None


def _as_html(text: str) -> str:
    """Write out what only XML understands: elements closed at once, and CDATA sections."""
    text = _CDATA.sub(lambda section: html.escape(section[1]), text)
    return _EMPTY_ELEMENT.sub(_close, text)


def _close(element: re.Match[str]) -> str:
    tag, attributes = element[1], element[2]
    return element[0] if tag.lower() in _VOID else f"<{tag}{attributes}></{tag}>"


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

    def __init__(self, rules: "HiddenRules") -> None:
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


Reason: TypeAlias = Literal["invisible", "tiny", "off the page"]

_STYLES: tuple[tuple[re.Pattern[str], Reason], ...] = (
    (
        re.compile(
            r"display:none|visibility:(?:hidden|collapse)|(?<![-\w])opacity:0(?:\.0*)?(?![.\d])"
        ),
        "invisible",
    ),
    (re.compile(r"font-size:(?:0|[012](?:\.\d+)?px|0?\.[0-2]\d*r?em)(?![.\d])"), "tiny"),
    (re.compile(r"(?:left|top|right|text-indent):-\d{4,}px|clip:rect\(0"), "off the page"),
)
_RULE = re.compile(r"([^{}@/]+)\{([^{}]*)\}")
_COMMENT = re.compile(r"/\*.*?(?:\*/|$)", re.DOTALL)
_CONDITIONAL = re.compile(r"@[^{};]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}")  # @media print, ...
_SIMPLE_SELECTOR = re.compile(r"\s*[\w*]*(?:[.#][\w-]+)+\s*")
_MOST_RULES = 200


class HiddenRules:
    """Knows which elements of one document are hidden, by their attributes and its style rules.

    Of style sheets only rules for a class or an id are known, in the document itself.
    """

    def __init__(self, tree: LexborHTMLParser) -> None:
        self._by_rule: dict[int, Reason] = {}
        for sheet in tree.css("style"):
            self._apply(tree, _CONDITIONAL.sub("", _COMMENT.sub("", sheet.text())))

    def reason(self, node: LexborNode) -> Reason | None:
        """Return why nobody sees the element, or None if it is seen as far as is known."""
        attributes = node.attributes
        if node.tag == "noscript" or (node.tag == "dialog" and "open" not in attributes):
            return "invisible"
        if not attributes or _is_note(attributes):
            return None
        if "hidden" in attributes or attributes.get("aria-hidden") == "true":
            return "invisible"
        reason = self._by_rule.get(node.mem_id) or _reason_of_style(attributes.get("style") or "")
        sized = node.css("[style*=font-size]") if reason == "tiny" else []
        if any(inner.mem_id != node.mem_id for inner in sized):
            return None  # a size of 0 closes the gaps between boxes that have sizes of their own
        return reason

    def _apply(self, tree: LexborHTMLParser, sheet: str) -> None:
        for selectors, style in _RULE.findall(sheet)[:_MOST_RULES]:
            reason = _reason_of_style(style)
            for selector in selectors.split(",") if reason else ():
                if _SIMPLE_SELECTOR.fullmatch(selector) and reason:
                    self._by_rule.update((node.mem_id, reason) for node in tree.css(selector))


def _is_note(attributes: dict[str, str | None]) -> bool:
    """Tell whether an element is a note, which reading systems hide only until it is called."""
    kind = f"{attributes.get('epub:type') or ''} {attributes.get('role') or ''}"
    return "footnote" in kind or "endnote" in kind or "rearnote" in kind


def _reason_of_style(style: str) -> Reason | None:
    compact = "".join(style.lower().split())
    return next((reason for pattern, reason in _STYLES if pattern.search(compact)), None)
