"""Documents in the store, with their pages and chunks. A document is stored whole or not at all."""

from array import array
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import astuple, dataclass, replace
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import Row, delete, func, insert, select, update

from lcagent.documents import Chunk, Document, HiddenText, Line, OutlineEntry, Page, Span
from lcagent.storage.database import AlreadyStored, Database
from lcagent.storage.tables import chunks, documents, pages, terms

Revision: TypeAlias = tuple[str, int, int]
"""The reader of a document, how many pages it has, and how many of them were recognised."""


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """What `lcagent docs list` shows of a document."""

    id: str
    name: str
    media_type: str
    reader: str
    page_count: int
    added_at: datetime


class DocumentStore:
    """The documents of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, document: Document) -> None:
        """Store a document in place of an older reading of the same content.

        If another process is storing it at this moment, the one that commits first wins.
        """
        with suppress(AlreadyStored), self._database.write() as connection:
            connection.execute(delete(documents).where(documents.c.id == document.id))
            connection.execute(
                insert(documents).values(
                    id=document.id,
                    name=document.name,
                    media_type=document.media_type,
                    reader=document.reader,
                    title=document.title,
                    language=document.language,
                    outline=[astuple(entry) for entry in document.outline],
                    page_count=len(document.pages),
                )
            )
            if document.pages:
                rows = [_page_row(document.id, page) for page in document.pages]
                connection.execute(insert(pages), rows)

    def load(self, document_id: str) -> Document | None:
        """Return a document, or None. Its pages come without `lines`, which few callers need."""
        with self._database.read() as connection:
            row = connection.execute(select(documents).where(documents.c.id == document_id)).first()
            if row is None:
                return None
            columns = [column for column in pages.c if column.name not in ("document_id", "lines")]
            found = connection.execute(
                select(*columns)
                .where(pages.c.document_id == document_id)
                .order_by(pages.c.page_index)
            ).all()
        return Document(
            id=row.id,
            name=row.name,
            media_type=row.media_type,
            reader=row.reader,
            pages=tuple(_page(page) for page in found),
            outline=tuple(OutlineEntry(*entry) for entry in row.outline),
            title=row.title,
            language=row.language,
        )

    def revision(self, document_id: str) -> Revision | None:
        """Return what changes when a stored document does; None if it is not stored.

        Costs a fifteenth of `load`: no text is read.
        """
        query = (
            select(
                documents.c.reader,
                func.count(pages.c.page_index),
                func.count(pages.c.page_index).filter(pages.c.is_ocr),
            )
            .outerjoin(pages, pages.c.document_id == documents.c.id)
            .where(documents.c.id == document_id)
            .group_by(documents.c.reader)
        )
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else (row[0], row[1], row[2])

    def with_lines(self, document_id: str, page: Page) -> Page:
        """Return the page with its `lines`, which `load` leaves out."""
        query = select(pages.c.lines).where(
            pages.c.document_id == document_id, pages.c.page_index == page.index
        )
        with self._database.read() as connection:
            packed = connection.execute(query).scalar()
        return page if packed is None else replace(page, lines=unpack_lines(packed))

    def update_page(self, document_id: str, page: Page) -> None:
        """Store a new reading of one page, and drop the chunks and terms made from the old one."""
        place = (pages.c.document_id == document_id, pages.c.page_index == page.index)
        with self._database.write() as connection:
            for table in (chunks, terms):
                connection.execute(delete(table).where(table.c.document_id == document_id))
            connection.execute(update(pages).where(*place).values(**_page_row(document_id, page)))

    def listed(self) -> list[StoredDocument]:
        """Return all documents, the newest first."""
        names = ("id", "name", "media_type", "reader", "page_count", "added_at")
        columns = [documents.c[name] for name in names]
        with self._database.read() as connection:
            rows = connection.execute(
                select(*columns).order_by(documents.c.added_at.desc(), documents.c.name)
            )
            return [StoredDocument(*row) for row in rows]

    def with_prefix(self, prefix: str) -> list[str]:
        """Return the ids that begin with `prefix`."""
        query = select(documents.c.id).where(documents.c.id.startswith(prefix, autoescape=True))
        with self._database.read() as connection:
            return list(connection.execute(query).scalars())

    def remove(self, document_id: str) -> None:
        """Delete a document, its pages, chunks and terms."""
        with self._database.write() as connection:
            connection.execute(delete(documents).where(documents.c.id == document_id))

    def save_chunks(self, chunker: str, cut: Sequence[Chunk]) -> None:
        """Store the chunks of one document, in place of those that the same chunker made before.

        Args:
            chunker: Names the rule that cut them, with its version.
        """
        if not cut:
            return
        document_id = cut[0].span.document_id
        rows = [
            {
                "document_id": document_id,
                "chunker": chunker,
                "chunk_index": chunk.index,
                "page_index": chunk.span.page_index,
                "start": chunk.span.start,
                "end": chunk.span.end,
            }
            for chunk in cut
        ]
        with self._database.write() as connection:
            connection.execute(
                delete(chunks).where(
                    chunks.c.document_id == document_id, chunks.c.chunker == chunker
                )
            )
            connection.execute(insert(chunks), rows)

    def load_chunks(self, chunker: str, document: Document) -> list[Chunk]:
        """Return the stored chunks of a document; none if this chunker has not cut it yet."""
        columns = (chunks.c.chunk_index, chunks.c.page_index, chunks.c.start, chunks.c.end)
        query = (
            select(*columns)
            .where(chunks.c.document_id == document.id, chunks.c.chunker == chunker)
            .order_by(chunks.c.chunk_index)
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        texts = [page.text for page in document.pages]
        return [
            Chunk(Span(document.id, page, start, end), index, texts[page][start:end])
            for index, page, start, end in (tuple[int, int, int, int](row) for row in rows)
        ]


def _page_row(document_id: str, page: Page) -> dict[str, Any]:
    return {
        "document_id": document_id,
        "page_index": page.index,
        "number": page.number,
        "label": page.label,
        "section": page.section,
        "text": page.text,
        "lines": pack_lines(page.lines),
        "hidden": [astuple(hidden) for hidden in page.hidden],
        "problem": page.problem,
        "is_ocr": page.is_ocr,
    }


def _page(row: Row[Any]) -> Page:
    return Page(
        index=row.page_index,
        text=row.text,
        number=row.number,
        label=row.label,
        section=row.section,
        hidden=tuple(HiddenText(*hidden) for hidden in row.hidden),
        problem=row.problem,
        is_ocr=row.is_ocr,
    )


def pack_lines(lines: Sequence[Line]) -> bytes:
    """Pack lines as float32: start, end, x0, y0, x1, y1 of each.

    A third of the size of JSON, and faster to read. Offsets are exact up to 2**24.
    """
    return array("f", [n for line in lines for n in (line.start, line.end, *line.box)]).tobytes()


def unpack_lines(packed: bytes) -> tuple[Line, ...]:
    """Undo `pack_lines`."""
    numbers = array("f", packed)
    return tuple(
        Line(int(start), int(end), (round(x0, 1), round(y0, 1), round(x1, 1), round(y1, 1)))
        for start, end, x0, y0, x1, y1 in zip(*[iter(numbers)] * 6, strict=True)
    )
