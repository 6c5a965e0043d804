"""HTML, from the web or saved: cut at its headings."""

import html
import re
from pathlib import Path

from selectolax.lexbor import LexborHTMLParser

from lcagent.retrieval.reading.base import Reading
from lcagent.retrieval.reading.encoding import clean, decode
from lcagent.retrieval.reading.markup import read_markup
from lcagent.retrieval.reading.parts import read_parts

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
    """Read an HTML file; see `base.Reader`."""
    tree = parse(path.read_bytes())
    title = tree.css_first("head title")
    name = " ".join(title.text().split()) if title else None
    return read_parts(read_markup(tree).marked, first_page, name or None, language_of(tree))


def parse(data: bytes) -> LexborHTMLParser:
    """Parse HTML or XHTML in whatever encoding."""
    found = _CHARSET.search(data[:_HEAD_BYTES])
    text = clean(decode(data, (found[1] or found[2]).decode() if found else None)[0])
    if "<?xml" in text[:_HEAD_BYTES] or "http://www.w3.org/1999/xhtml" in text[:_HEAD_BYTES]:
        text = _as_html(text)
    return LexborHTMLParser(text)


def language_of(tree: LexborHTMLParser) -> str | None:
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
