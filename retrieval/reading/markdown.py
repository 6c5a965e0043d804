"""Markdown: its source is the text, cut at its headings; comments are taken out of it."""

import re
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from lcagent.documents import HiddenText
from lcagent.retrieval.reading.encoding import clean, decode
from lcagent.retrieval.reading.parts import Heading, MarkedText, read_parts
from lcagent.retrieval.reading.reader import Reading

_FRONT_MATTER = re.compile(r"\A(---|\+\+\+)[ \t]*\n(.*?\n)?\1[ \t]*(?:\n|\Z)", re.DOTALL)
_FIELD = re.compile(r"^(title|lang|language)\s*[:=]\s*[\"']?(.*?)[\"']?\s*$", re.MULTILINE)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)


def read(path: Path, password: str | None = None, first_page: int = 0) -> Reading:  # noqa: ARG001
    """Read a Markdown file; see `reader.Reader`."""
    source = clean(decode(path.read_bytes())[0])
    front_matter = _FRONT_MATTER.match(source)
    fields = dict(_FIELD.findall(front_matter[0])) if front_matter else {}
    marked = _mark(source, front_matter.end() if front_matter else 0)
    language = fields.get("lang") or fields.get("language")
    return read_parts(marked, first_page, fields.get("title") or None, language or None)


def _mark(source: str, body_start: int) -> MarkedText:
    """Mark the headings of `source` and take out its comments; the front matter stays."""
    tokens = MarkdownIt("commonmark").enable("table").parse(source[body_start:])
    lines = source[body_start:].split("\n")
    starts = [*accumulate((len(line) + 1 for line in lines), initial=body_start)]
    comments = list(_comments(source, tokens, starts))
    headings = [_without(heading, comments) for heading in _headings(source, tokens, starts)]
    kept: list[str] = []
    hidden: list[tuple[int, HiddenText]] = []
    end = 0
    for start, comment_end in comments:
        kept.append(source[end:start])
        found = HiddenText(source[start:comment_end], "invisible")
        hidden.append((start - _length_before(start, comments), found))
        end = comment_end
    text = "".join([*kept, source[end:]])
    return MarkedText(text, tuple(headings), tuple(hidden))


def _headings(source: str, tokens: Sequence[Token], starts: list[int]) -> Iterator[Heading]:
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open" and opening.level == 0 and opening.map:
            first, last = opening.map
            end = min(starts[last], len(source))
            title = " ".join(_plain(inline).split()) or "untitled"
            yield Heading(starts[first], end, int(opening.tag[1]), title)


def _plain(inline: Token) -> str:
    """Return what a heading says, without its marks."""
    shown = {"text", "code_inline", "softbreak"}
    return "".join(child.content or " " for child in inline.children or () if child.type in shown)


def _comments(source: str, tokens: Sequence[Token], starts: list[int]) -> Iterator[tuple[int, int]]:
    """Yield where the comments are, but not what looks like one inside code."""
    for token in tokens:
        if token.map is None or token.type not in {"html_block", "inline"}:
            continue
        inline = {child.content for child in token.children or () if child.type == "html_inline"}
        end = starts[token.map[1]]
        for comment in _COMMENT.finditer(source, starts[token.map[0]], end):
            if token.type == "html_block" or comment[0] in inline:
                yield comment.span()


def _length_before(offset: int, comments: Sequence[tuple[int, int]]) -> int:
    return sum(end - start for start, end in comments if end <= offset)


def _without(heading: Heading, comments: Sequence[tuple[int, int]]) -> Heading:
    """Return the heading where it is once the comments are taken out."""
    start = heading.start - _length_before(heading.start, comments)
    end = heading.end - _length_before(heading.end, comments)
    return Heading(start, end, heading.level, heading.title)
