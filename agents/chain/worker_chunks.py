"""The chunks that workers read: documents cut as long as a budget of tokens allows, in order.

Zhang et al., Chain of Agents, https://arxiv.org/abs/2406.02818, algorithm 2, mended where it is
printed with faults: no chunk is empty, a sentence that is longer than the budget is cut, white
space is kept, and every chunk knows which characters of which pages it holds. Together the chunks
hold every character of the selected pages exactly once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from lcagent.agents.token_budget import CountTokens
from lcagent.documents import Document, Span
from lcagent.retrieval.sentences import sentences
from lcagent.selection import ALL_PAGES, PageSelection

PAGE_BREAK = "\n\n"
"""A page may end in the middle of a sentence, but begins with a line of its own."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a page, and its text."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class WorkerChunk:
    """What one worker reads: segments of consecutive pages of one document.

    Attributes:
        index: Position in the reading order of the documents, from 0.
        tokens: Counted in pieces, which gives as many as the whole, or a few more.
    """

    index: int
    segments: tuple[Segment, ...]
    tokens: int

    @property
    def text(self) -> str:
        """The text as the worker is shown it."""
        return PAGE_BREAK.join(segment.text for segment in self.segments)

    @property
    def pages(self) -> list[Span]:
        """The pages that it has a part of."""
        return list(dict.fromkeys(segment.span.page for segment in self.segments))


def split_for_workers(
    documents: Sequence[Document],
    budget_tokens: int,
    count: CountTokens,
    pages: PageSelection = ALL_PAGES,
) -> list[WorkerChunk]:
    """Return the chunks of all documents; none reaches over the end of a document.

    Args:
        budget_tokens: The most tokens that a chunk may have.
    """
    chunks: list[WorkerChunk] = []
    for document in documents:
        held: list[Segment] = []
        tokens = 0
        # Greedy, as in algorithm 2: fewer workers mean fewer summaries of summaries.
        for segment, size in _units(document, budget_tokens, count, pages):
            if held and tokens + size > budget_tokens:
                chunks.append(WorkerChunk(len(chunks), tuple(_merge_neighbours(held)), tokens))
                held, tokens = [], 0
            held.append(segment)
            tokens += size
        if held:
            chunks.append(WorkerChunk(len(chunks), tuple(_merge_neighbours(held)), tokens))
    return chunks


def halve_chunk(chunk: WorkerChunk) -> tuple[WorkerChunk, WorkerChunk] | None:
    """Return the two halves of a chunk, cut behind a blank, or None if it has a single character.

    Both keep the chunk's index, for together they take its place in the chain.
    """
    total = sum(len(segment.text) for segment in chunk.segments)
    if total < 2:
        return None
    left = total // 2
    halves: tuple[list[Segment], list[Segment]] = ([], [])
    for segment in chunk.segments:
        cut = _end_of_word_before(segment.text, min(left, len(segment.text)))
        halves[0].extend([_part(segment, 0, cut)] if cut else [])
        halves[1].extend(
            [_part(segment, cut, len(segment.text))] if cut < len(segment.text) else []
        )
        left = left - cut if cut == len(segment.text) else 0
    if not halves[0] or not halves[1]:
        return None
    first, second = (WorkerChunk(chunk.index, tuple(half), chunk.tokens) for half in halves)
    return first, second


def _units(
    document: Document, budget_tokens: int, count: CountTokens, pages: PageSelection
) -> Iterator[tuple[Segment, int]]:
    """Yield what is never cut: each sentence with the white space behind it, and its tokens.

    A sentence that is longer than the budget alone is cut into pieces that fit.
    """
    for page in document.pages:
        if page.index + 1 not in pages or not page.text:
            continue
        for start, end in _sentence_borders(page.text, document.language):
            whole = Segment(Span(document.id, page.index, start, end), page.text[start:end])
            size = count(whole.text)
            if size <= budget_tokens:
                yield whole, size
            else:
                yield from _pieces(whole, budget_tokens, count)


def _sentence_borders(text: str, language: str | None) -> Iterator[tuple[int, int]]:
    """Yield spans that cover the text, each with one sentence and the white space round it."""
    ends = [end for _, end in sentences(text, language)][:-1]
    starts = [0, *ends]
    yield from zip(starts, [*ends, len(text)], strict=True)


def _pieces(
    segment: Segment, budget_tokens: int, count: CountTokens
) -> Iterator[tuple[Segment, int]]:
    """Yield the parts of a segment that fit, each as long as it can be.

    A page may be one "sentence" of a million characters, so its length must not be counted again
    and again: the search starts at a piece that surely fits and doubles its step until one does
    not, then halves the interval. It counts a few texts of about the budget's length a piece.
    """
    start, length = 0, len(segment.text)
    while start < length:
        fits, too_long = start + 1, length + 1
        step = max(1, 2 * budget_tokens)
        while too_long - fits > 1:
            middle = min(fits + step, (fits + too_long) // 2 if too_long <= length else length)
            middle = max(middle, fits + 1)
            if count(segment.text[start:middle]) <= budget_tokens:
                fits, step = middle, step * 2
            else:
                too_long = middle
        end = (
            fits
            if fits == length
            else start + _end_of_word_before(segment.text[start:], fits - start)
        )
        piece = _part(segment, start, end)
        yield piece, count(piece.text)
        start = end


def _end_of_word_before(text: str, limit: int) -> int:
    """Return the place behind the last blank in the second half before `limit`, or `limit`.

    Texts without blanks, such as Chinese, are cut at the limit.
    """
    if limit >= len(text):
        return limit
    blank = max(text.rfind(mark, limit // 2, limit) for mark in (" ", "\n", "\t"))
    return blank + 1 if blank >= 0 else limit


def _part(segment: Segment, start: int, end: int) -> Segment:
    span = segment.span
    place = replace(span, start=span.start + start, end=span.start + end)
    return Segment(place, segment.text[start:end])


def _merge_neighbours(segments: Sequence[Segment]) -> Iterator[Segment]:
    """Yield neighbours on one page as one segment."""
    span, texts = segments[0].span, [segments[0].text]
    for segment in segments[1:]:
        if segment.span.page == span.page and segment.span.start == span.end:
            texts.append(segment.text)
            span = replace(span, end=segment.span.end)
        else:
            yield Segment(span, "".join(texts))
            span, texts = segment.span, [segment.text]
    yield Segment(span, "".join(texts))
