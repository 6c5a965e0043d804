"""Markdown without the signs that are not words: emphasis, code, links, headings, bars of tables.

A model that was shown "**lantern**" quotes "lantern"; both are the same words. Signs are only left
out where Markdown reads them as such (CommonMark, https://spec.commonmark.org/0.31.2/, sections
6.2 to 6.4): the underscore of `snake_case` and the star of "2*3" stay. So do the signs of text that
is struck out, which is no longer said.
"""

import numpy as np
import regex

from lcagent.retrieval.quotes.normalizing import Normalized, normalize


def without_signs(text: str) -> str:
    """Return Markdown as its words."""
    return "".join(text[start:end] for start, end in _kept(text))


def normalize_without_signs(text: str) -> Normalized | None:
    """Return a page of Markdown as it is compared, without its signs; None where it has none."""
    kept = _kept(text)
    if len(kept) == 1:
        return None
    places = np.concatenate([np.arange(start, end, dtype=np.int32) for start, end in kept])
    found = normalize("".join(text[start:end] for start, end in kept))
    return Normalized(found.text, places[found.offsets], text)


def _kept(text: str) -> list[tuple[int, int]]:
    """Return the parts of a text between its signs; one part where there are none."""
    parts: list[tuple[int, int]] = []
    start = 0
    for found in _SIGNS.finditer(text):
        if found.start() > start:
            parts.append((start, found.start()))
        start = found.end()
    if start < len(text) or not parts:
        parts.append((start, len(text)))
    return parts


# Each alternative begins with a character that no other reads further than its own line, so that
# the time grows with the length of the text. The target of a link has no blanks but before a title.
_SIGNS = regex.compile(
    r"""
      ^[ ]{0,3}(?:\#{1,6}[ ]+|>[ ]?)                 # heading, quotation
    | ^[ ]{0,3}\|?[ ]*:?-+:?[ ]*(?:\|[ ]*:?-+:?[ ]*)*+\|?[ ]*$  # what separates heads from rows
    | \\(?=[!-/:-@\[-`{-~])                          # an escape
    | (?!(?<=\d)\*+\d)(?<!\\)(?:\*{1,3}+(?=\S)|(?<=[^\s*])\*{1,3}+)  # emphasis by stars, not "2*3"
    | (?<![\p{L}\p{N}_\\])_{1,3}(?=[^\s_]) | (?<=[^\s_\\])_{1,3}(?![\p{L}\p{N}_])
    | `+
    | !?\[(?=[^\[\]\n]{1,500}\]\() | \]\([^()\s]{0,2000}(?:[ ]"[^"\n]{0,500}")?\)
    | (?<=\s)\|(?=\s) | ^\| | \|$
    """,
    regex.VERBOSE | regex.MULTILINE,
)
