"""The Markdown that texts of ours are made of, as blocks: headings, items and paragraphs."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import regex


@dataclass(frozen=True, slots=True)
class Run:
    """Some characters of a block that look alike."""

    text: str
    is_bold: bool = False
    is_italic: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """A heading, an item of a list, or a paragraph.

    Attributes:
        level: Of a heading, from 1.
    """

    kind: Literal["heading", "item", "numbered item", "paragraph"]
    text: str
    level: int = 0

    def runs(self) -> Iterator[Run]:
        """Yield the text in pieces, the signs for bold and italic taken away."""
        end = 0
        for match in _EMPHASIS.finditer(self.text):
            if match.start() > end:
                yield Run(self.text[end : match.start()])
            yield Run(match["text"], len(match["sign"]) >= 2, len(match["sign"]) != 2)
            end = match.end()
        if end < len(self.text):
            yield Run(self.text[end:])


def blocks_of(text: str) -> Iterator[Block]:
    """Yield the blocks of a text; lines that follow each other are one paragraph."""
    held: list[str] = []
    for line in [*text.splitlines(), ""]:
        block = _block(line)
        if held and (block is not None or not line.strip()):
            yield Block("paragraph", " ".join(held))
            held = []
        if block is not None:
            yield block
        elif line.strip():
            held.append(line.strip())


def _block(line: str) -> Block | None:
    if heading := _HEADING.fullmatch(line):
        return Block("heading", heading["text"], len(heading["signs"]))
    if item := _ITEM.fullmatch(line):
        return Block("item", item["text"])
    if item := _NUMBERED.fullmatch(line):
        return Block("numbered item", item["text"])
    return None


_HEADING = regex.compile(r"(?P<signs>#{1,6})\s+(?P<text>.*?)\s*#*\s*")
_ITEM = regex.compile(r"\s*[-*+]\s+(?P<text>.*\S)\s*")
_NUMBERED = regex.compile(r"\s*\d{1,3}[.)]\s+(?P<text>.*\S)\s*")
_EMPHASIS = regex.compile(
    r"(?<![\w*])(?P<sign>\*{1,3})(?=\S)(?P<text>[^*\n]*[^*\s])(?P=sign)(?![\w*])"
)
