"""The chapters of a document, as its outline has them: bookmarks, navigation, or headings."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from lcagent.agents.chain.worker_chunks import WorkerChunk, split_for_workers
from lcagent.agents.token_budget import CountTokens
from lcagent.documents import Document, OutlineEntry
from lcagent.selection import PageSelection

MIN_CHAPTERS = 3
"""Entries that a level of an outline must have to be one of chapters; a single one is the title."""


@dataclass(frozen=True, slots=True)
class Chapter:
    """Consecutive pages of a document under one heading.

    Attributes:
        first, last: Indices of pages, both included.
    """

    document_id: str
    title: str
    first: int
    last: int

    def __contains__(self, page_index: int) -> bool:
        """Say whether a page belongs to it."""
        return self.first <= page_index <= self.last


def find_chapters(document: Document) -> list[Chapter]:
    """Return the chapters of a document, which hold every page exactly once.

    They are those of the highest level of its outline that has several. Where one begins in the
    middle of a page, the page belongs to it. A document without an outline is one chapter.
    """
    last = len(document.pages) - 1
    starts = {entry.page_index: entry.title for entry in reversed(_entries(document.outline))}
    starts.setdefault(0, document.title or document.name)
    places = sorted(place for place in starts if place <= last)
    ends = [*(place - 1 for place in places[1:]), last]
    return [
        Chapter(document.id, starts[first], first, end)
        for first, end in zip(places, ends, strict=True)
        if first <= end
    ]


def merge_chapters(
    chapters: Sequence[Chapter], documents: Sequence[Document], most: int
) -> list[Chapter]:
    """Return at most `most` chapters: neighbours are joined to groups of about equal length.

    No group reaches over the end of a document, so with many documents there may be more.
    """
    if len(chapters) <= most:
        return list(chapters)
    by_id = {document.id: document for document in documents}
    lengths = [_length(by_id[chapter.document_id], chapter) for chapter in chapters]
    each = max(1, sum(lengths) / most)
    groups: list[list[Chapter]] = []
    done, group = 0, -1
    for chapter, length in zip(chapters, lengths, strict=True):
        # By the middle of the chapter: a long one that begins in a group and ends far behind it
        # opens the next.
        belongs_to = min(most - 1, int((done + length / 2) / each))
        is_new = not groups or groups[-1][0].document_id != chapter.document_id
        if is_new or belongs_to != group:
            groups.append([])
        group = belongs_to
        groups[-1].append(chapter)
        done += length
    return [_joined(members) for members in groups]


def split_by_chapters(
    documents: Sequence[Document],
    chapters: Sequence[Chapter],
    budget_tokens: int,
    count: CountTokens,
    pages: PageSelection,
) -> list[WorkerChunk]:
    """Return the chunks of all chapters; none reaches over the end of a chapter."""
    by_id = {document.id: document for document in documents}
    chunks: list[WorkerChunk] = []
    for chapter in chapters:
        document = by_id[chapter.document_id]
        numbers = range(chapter.first + 1, chapter.last + 2)
        selected = PageSelection(tuple((number, number) for number in numbers if number in pages))
        cut = split_for_workers([document], budget_tokens, count, selected)
        first = len(chunks)
        chunks.extend(replace(chunk, index=first + at) for at, chunk in enumerate(cut))
    return chunks


def _length(document: Document, chapter: Chapter) -> int:
    return sum(len(page.text) for page in document.pages[chapter.first : chapter.last + 1])


def _joined(members: Sequence[Chapter]) -> Chapter:
    first, last = members[0], members[-1]
    title = first.title if first is last else f"{first.title} – {last.title}"
    return replace(first, title=title, last=last.last)


def _entries(outline: Sequence[OutlineEntry]) -> list[OutlineEntry]:
    for level in sorted({entry.level for entry in outline}):
        entries = [entry for entry in outline if entry.level <= level]
        if len({entry.page_index for entry in entries}) >= MIN_CHAPTERS:
            return list(_deepest_first(entries))
    return list(outline)


def _deepest_first(entries: Sequence[OutlineEntry]) -> Iterator[OutlineEntry]:
    """Yield entries so that of those on one page the first is the highest."""
    yield from sorted(entries, key=lambda entry: (entry.page_index, entry.level))
