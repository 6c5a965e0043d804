"""The terms of one document, cut up as search needs them; computed once and stored.

The text is cut into segments: runs of lines of one kind (heading, table row, other) inside one
chunk. Running heads, footers and contents entries are left out. From the segments the terms of
pages, chunks, headings and table rows are put together without reading the text again.
"""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import groupby
from typing import Self

import numpy as np
from numpy.typing import NDArray

from lcagent.documents import Chunk, Document
from lcagent.retrieval.search.analysis import Analyzer, document_language
from lcagent.retrieval.search.layout import LaidOutLine, laid_out

TERMS_VERSION = "terms/2"
"""Names what is stored; change it when the terms of a text change."""

PLAIN, HEADING, ROW = 0, 1, 2
Ints = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class DocumentTerms:
    """The terms of a document.

    Attributes:
        vocabulary: The distinct terms; a term is given by its position here.
        terms: All terms in order.
        segment_ends: Where each segment ends in `terms`.
        segment_chunk: The chunk of each segment.
        segment_kind: PLAIN, HEADING or ROW.
        chunk_page: The page index of each chunk.
        page_count: Pages with and without chunks.
        language: ISO 639-1 code, or empty.
    """

    vocabulary: list[str]
    terms: Ints
    segment_ends: Ints
    segment_chunk: Ints
    segment_kind: Ints
    chunk_page: Ints
    page_count: int
    language: str

    def to_bytes(self) -> bytes:
        """Pack for the store."""
        arrays = {name.name: np.array(getattr(self, name.name)) for name in fields(self)}
        arrays["vocabulary"] = np.frombuffer("\n".join(self.vocabulary).encode(), dtype=np.uint8)
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, **arrays)
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, packed: bytes) -> Self:
        """Undo `to_bytes`."""
        with np.load(io.BytesIO(packed), allow_pickle=False) as arrays:
            kept = {name: arrays[name] for name in arrays.files}
        words = kept.pop("vocabulary").tobytes().decode()
        return cls(
            vocabulary=words.split("\n") if words else [],
            page_count=int(kept.pop("page_count")),
            language=str(kept.pop("language")),
            **kept,
        )


def extract_terms(document: Document, chunks: Sequence[Chunk]) -> DocumentTerms:
    """Return the terms of a document that is cut into `chunks`."""
    language = document_language(document)
    analyzer = Analyzer(language)
    numbers: dict[str, int] = {}
    terms: list[int] = []
    ends: list[int] = []
    owners: list[int] = []
    kinds: list[int] = []
    for chunk, kind, text in _segments(document, chunks):
        terms.extend(
            numbers.setdefault(term, len(numbers)) for term in analyzer.indexed_terms(text)
        )
        ends.append(len(terms))
        owners.append(chunk)
        kinds.append(kind)
    return DocumentTerms(
        vocabulary=list(numbers),
        terms=_ints(terms),
        segment_ends=_ints(ends),
        segment_chunk=_ints(owners),
        segment_kind=_ints(kinds),
        chunk_page=_ints([chunk.span.page_index for chunk in chunks]),
        page_count=len(document.pages),
        language=language or "",
    )


def _segments(document: Document, chunks: Sequence[Chunk]) -> Iterator[tuple[int, int, str]]:
    """Yield the chunk, the kind and the text of each segment."""
    layout = laid_out(document)
    for page_index, group in groupby(chunks, key=lambda chunk: chunk.span.page_index):
        text = document.pages[page_index].text
        lines = [line for line in layout[page_index] if not line.is_furniture]
        for chunk in group:
            span = chunk.span
            inside = [line for line in lines if line.start < span.end and line.end > span.start]
            for kind, run in groupby(inside, key=_kind):
                members = list(run)
                start = max(members[0].start, span.start)
                yield chunk.index, kind, text[start : min(members[-1].end, span.end)]


def _kind(line: LaidOutLine) -> int:
    return HEADING if line.is_heading else ROW if line.is_row else PLAIN


def _ints(numbers: list[int]) -> Ints:
    return np.array(numbers, dtype=np.int32)
