"""Where a quote stands in a stretch of text: exactly, nearly, in pieces, or round an interruption.

Every search works on normalised text and returns the pieces found, or None. They are tried from the
surest to the most lenient (`checking.py`), because what one finds the next would find with less
certainty. Similarity alone never decides: "rose by 5 %" and "fell by 5 %" are nearly the same
string, so a near match must also pass `fidelity.says_the_same`. Windows are proposed by rapidfuzz
(partial ratio) and cut to size by edit operations (Levenshtein).
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import regex
from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein

from lcagent.retrieval.quotes.fidelity import (
    LONGEST_DIFFERENCE,
    has_negation,
    may_be_left_out,
    says_the_same,
)
from lcagent.retrieval.quotes.stretches import Stretch
from lcagent.retrieval.sentences import sentences

LEAST_SCORE = 0.9
LONGEST_INTERRUPTION = 200
SHORTEST_PIECE = 12

LONGEST_NEARLY = 1_500
"""Characters of a quote that is looked for with slips. The time that takes grows with the square
of the length; sentences are shorter."""


@dataclass(frozen=True, slots=True)
class Match:
    """The pieces of a stretch in which a quote was found, in order.

    Attributes:
        score: How similar they are to the quote, at most 1.
        is_exact: They are the quote, with nothing left out between them that it does not mark.
    """

    pieces: tuple[tuple[int, int], ...]
    score: float
    is_exact: bool


Search: TypeAlias = Callable[[Stretch, str], Match | None]


def find_exactly(stretch: Stretch, quote: str, start: int = 0) -> Match | None:
    """Find `quote` as it is, not beginning or ending inside a word or a number."""
    for first, last in _occurrences(stretch, quote, start):
        if _has_borders(stretch.text, first, last):
            return Match(((first, last),), 1.0, is_exact=True)
    return None


def find_nearly(stretch: Stretch, quote: str, start: int = 0) -> Match | None:
    """Find one contiguous passage that differs from `quote` by slips only, caseless.

    Takes a millisecond or so on a page.
    """
    text, wanted = stretch.lowered[start:], quote.lower()
    original = stretch.text[start:]
    for _ in range(_MAX_TRIES):
        window = fuzz.partial_ratio_alignment(wanted, text, score_cutoff=_LEAST_WINDOW_SCORE)
        if window is None or len(text) < LEAST_SCORE * len(wanted):
            return None
        # The window has the length of the quote; slips make the passage longer or shorter.
        first, last = _trim(wanted, text, window.dest_start, window.dest_end)
        score = _similarity(wanted, text[first:last])
        if score >= LEAST_SCORE and says_the_same(
            quote, original[first:last], stretch.language, stretch.count
        ):
            return Match(((start + first, start + last),), score, is_exact=False)
        # Blank this window out, keeping all offsets, and try the next best: a table of contents or
        # an abstract may be more like the quote than the sentence itself, and say something else.
        text = (
            text[: window.dest_start]
            + "\0" * (window.dest_end - window.dest_start)
            + (text[window.dest_end :])
        )
    return None


def find_in_pieces(stretch: Stretch, pieces: Sequence[str]) -> Match | None:
    """Find every one of `pieces`, each after the one before."""
    matches: list[Match] = []
    position = 0
    for piece in pieces:
        match = find_exactly(stretch, piece, position) or find_nearly(stretch, piece, position)
        if match is None:
            return None
        if matches and not _is_one_sentence(stretch, matches[-1].pieces[-1], match.pieces[0]):
            return None
        matches.append(match)
        position = match.pieces[-1][1]  # in order: what "..." leaves out is never put back
    return Match(
        tuple(piece for match in matches for piece in match.pieces),
        min(match.score for match in matches),
        is_exact=all(match.is_exact for match in matches),
    )


def find_around_interruption(stretch: Stretch, quote: str) -> Match | None:
    """Find `quote` where whole lines of other text (a caption, a footnote) stand inside it.

    Never exact, because nothing proves that the lines are no part of the sentence.
    """
    head = _longest_head(stretch.text, quote)
    position = stretch.text.find(quote[:head]) if head >= SHORTEST_PIECE else -1
    for _ in range(_MAX_HEADS):
        match = _continue_after(stretch, quote, position, head) if position >= 0 else None
        if match or position < 0:
            return match
        position = stretch.text.find(quote[:head], position + 1)
    return None


def _is_one_sentence(stretch: Stretch, first: tuple[int, int], second: tuple[int, int]) -> bool:
    """Tell whether what lies between two pieces may be left out: nothing, or part of a sentence."""
    between = stretch.text[first[1] : second[0]]
    if not between.strip(" .,;'"):
        return True
    # Sentences are told by the lines of the page, which normalised text has no more.
    head = stretch.page_spans(first[0], first[1])[-1]
    gap = stretch.source_between(first[1], second[0])
    tail = stretch.page_spans(second[0], second[1])[0]
    sources = stretch.sources
    before = sources[head[0]][head[1] : head[2]]
    after = sources[tail[0]][tail[1] : tail[2]]
    text = f"{before}{gap}{after}"
    middle, last = len(before) - 1, len(before) + len(gap)
    is_whole = any(
        start <= middle and last < end for start, end in sentences(text, stretch.language or None)
    )
    return is_whole and may_be_left_out(between)


def _occurrences(stretch: Stretch, quote: str, start: int) -> Iterator[tuple[int, int]]:
    position = stretch.text.find(quote, start)
    while position >= 0:
        yield position, position + len(quote)
        position = stretch.text.find(quote, position + 1)
    if len(quote) <= LONGEST_NEARLY and _COMPOUND.search(quote):
        pattern = _COMPOUND.sub("(-?)", regex.escape(quote, special_only=True, literal_spaces=True))
        for match in regex.finditer(pattern, stretch.text, pos=start):
            # Where the page has no hyphen, one stood at the end of a line.
            gaps = [match.start(group) for group in range(1, (match.lastindex or 0) + 1)]
            lost = [at for at in gaps if stretch.text[at] != "-"]
            if all(stretch.is_seam(at) for at in lost):
                yield match.span()


def _has_borders(text: str, start: int, end: int) -> bool:
    # Eight characters hold the longest prefix that denies a word ("anti-") and its hyphen.
    before, after = text[max(start - 8, 0) : start + 1], text[end - 1 : end + 2]
    return not _INSIDE.search(before) and not _INSIDE_END.match(after)


def _trim(quote: str, text: str, start: int, end: int) -> tuple[int, int]:
    """Move the borders of a window of `text` to where `quote` begins and ends."""
    slack = LONGEST_DIFFERENCE + len(quote) // 10
    low, high = max(start - slack, 0), min(end + slack, len(text))
    opcodes = Levenshtein.opcodes(quote, text[low:high])
    blocks = [block for block in opcodes.as_matching_blocks() if block.size >= 3]
    if not blocks:
        return start, end
    first = low + max(blocks[0].b - blocks[0].a, 0)
    rest = len(quote) - blocks[-1].a - blocks[-1].size
    last = min(low + blocks[-1].b + blocks[-1].size + rest, len(text))
    return _word_start(text, first), _word_end(text, last)


def _word_start(text: str, position: int) -> int:
    word = _LETTERS_BEFORE.search(text, max(position - LONGEST_DIFFERENCE, 0), position)
    inside = word and _LETTER.match(text, position)
    return word.start() if word and inside else position


def _word_end(text: str, position: int) -> int:
    word = _LETTERS.match(text, position)
    inside = word and _LETTER.match(text, position - 1)
    return word.end() if word and inside else position


def _similarity(ours: str, theirs: str) -> float:
    # Blanks come and go at line ends and between the glyphs of a PDF: they say nothing.
    return fuzz.ratio(ours.replace(" ", ""), theirs.replace(" ", "")) / 100


def _longest_head(text: str, quote: str) -> int:
    """Return how many characters of `quote`, from its start, stand together in `text`."""
    lengths = range(1, len(quote) + 1)
    # Bisection holds: if a head stands in the text, so does every shorter one.
    return bisect_left(lengths, True, key=lambda length: quote[:length] not in text)


def _continue_after(stretch: Stretch, quote: str, start: int, head: int) -> Match | None:
    """Find the rest of `quote` behind an interruption of the `head` that begins at `start`."""
    text, rest = stretch.text, quote[head:].strip()
    end = start + head
    found = text.find(rest, end, end + LONGEST_INTERRUPTION + len(rest)) if rest else -1
    if found < 0 or not _has_borders(text, start, found + len(rest)):
        return None
    last = found + len(rest)
    # The head is as long as it can be, so it may have run on into the other text where that
    # happens to begin like the rest of the sentence. Move the border back while both agree.
    while not _is_interruption(stretch, (start, end), (found, last)):
        if (
            end <= max(start, start + head - LONGEST_INTERRUPTION)
            or text[found - 1] != text[end - 1]
        ):
            return None
        found, end = found - 1, end - 1  # the other text begins as the rest does
    return Match((_strip(text, start, end), _strip(text, found, last)), LEAST_SCORE, is_exact=False)


def _strip(text: str, start: int, end: int) -> tuple[int, int]:
    piece = text[start:end]
    return end - len(piece.lstrip()), start + len(piece.rstrip())


def _is_interruption(stretch: Stretch, first: tuple[int, int], second: tuple[int, int]) -> bool:
    """Tell whether whole lines stand between two pieces of a sentence that are long enough."""
    first, second = _strip(stretch.text, *first), _strip(stretch.text, *second)
    if min(first[1] - first[0], second[1] - second[0]) < SHORTEST_PIECE:
        return False
    between = stretch.source_between(first[1], second[0])
    return (
        stretch.text[first[1] - 1] not in _SENTENCE_ENDS
        and _WHOLE_LINES.fullmatch(between) is not None
        and not has_negation(between)
    )


_MAX_TRIES = 4
_MAX_HEADS = 20
_LEAST_WINDOW_SCORE = 75
_SENTENCE_ENDS = ".!?:;'\u3002\uff01\uff1f\u061f\u06d4\u0964"
_WHOLE_LINES = regex.compile(r"-?[^\S\r\n]*[\r\n\ufffe\x02].*[\r\n]\s*", regex.DOTALL)
_COMPOUND = regex.compile(r"(?<=\p{L})\\?-(?=\p{L})")
_CONTINUOUS = r"\p{Han}\p{Hiragana}\p{Katakana}"
_LETTER = regex.compile(rf"[\w--{_CONTINUOUS}]", regex.V1)
_LETTERS = regex.compile(rf"[\w--{_CONTINUOUS}]{{1,{LONGEST_DIFFERENCE}}}", regex.V1)
_LETTERS_BEFORE = regex.compile(rf"[\w--{_CONTINUOUS}]+$", regex.V1)
# A cut inside a word, inside a number, or behind the prefix that denies the word.
_INSIDE = regex.compile(
    rf"[\p{{L}}--{_CONTINUOUS}][\p{{L}}--{_CONTINUOUS}]$|\d[.,]?\d$|\b(?:non|un|anti)-\p{{L}}$",
    regex.V1 | regex.IGNORECASE,
)
_INSIDE_END = regex.compile(
    rf"[\p{{L}}--{_CONTINUOUS}][\p{{L}}--{_CONTINUOUS}]|\d[.,]?\d", regex.V1
)
