"""How much of the sources a run has read, and what it left out and why."""

from collections.abc import Iterator, Sequence

from lcagent.documents import Document, Page
from lcagent.errors import UsageError
from lcagent.pipelines.steps.state import UnreadState
from lcagent.results import Coverage, LeftOut
from lcagent.retrieval.library import Collection
from lcagent.retrieval.reading.reader import PDF
from lcagent.selection import ALL_PAGES, PageSelection


def coverage_of(
    collection: Collection,
    pages: PageSelection,
    chunks: int,
    chunks_read: int,
    unread: Sequence[UnreadState] = (),
) -> Coverage:
    """Return the coverage of a run that read `chunks_read` chunks on the selected pages.

    Args:
        unread: Pages of which a model made nothing.
    """
    unusable = {(one["document_id"], one["page_index"]): one["reason"] for one in unread}
    left_out = [
        LeftOut(unread.name, None, str(unread.error).removeprefix(f"{unread.name}: "))
        for unread in collection.unread
    ]
    without_text: list[int] = []
    read = 0
    for document in collection.documents:
        for page in document.pages:
            reason = _reason(page, pages) or unusable.get((document.id, page.index))
            if reason is None:
                read += 1
            elif page.number is None:
                left_out.append(LeftOut(document.name, None, reason, page.section))
            else:
                left_out.append(LeftOut(document.name, page.number, reason))
            if page.problem is not None and page.number is not None:
                without_text.append(page.number)
    return Coverage(
        pages=sum(len(document.pages) for document in collection.documents),
        pages_read=read,
        pages_without_text=tuple(without_text),
        chunks=chunks,
        chunks_read=chunks_read,
        left_out=tuple(left_out),
    )


def check_selection(collection: Collection, pages: PageSelection) -> None:
    """Refuse a selection of pages that selects none.

    Raises:
        UsageError: None of the documents has one of the pages.
    """
    counts = [len(document.pages) for document in collection.documents]
    if not any(number in pages for number in range(1, max(counts, default=0) + 1)):
        longest = _count(max(counts), "page")
        raise UsageError(f"no pages {pages}: the longest document has {longest}")


def has_text(collection: Collection, pages: PageSelection) -> bool:
    """Say whether any of the selected pages has text; without, no answer can be looked for."""
    return any(
        page.text.strip()
        for document in collection.documents
        for page in document.pages
        if page.index + 1 in pages
    )


def notes_on(documents: Sequence[Document]) -> list[str]:
    """Return what a user should know about the documents before trusting an answer."""
    return [note for document in documents for note in _notes(document)]


def _notes(document: Document) -> Iterator[str]:
    unit = "page" if document.pages and document.pages[0].number is not None else "part"
    pictures = sum(_reason(page, ALL_PAGES) == "no text layer" for page in document.pages)
    if pictures:
        how_to = " (--ocr reads such pages)" if document.media_type == PDF else ""
        what = "is a picture" if pictures == 1 else "are pictures"
        yield (
            f"{document.name}: {pictures} of {_count(len(document.pages), unit)} {what} without "
            f"a text layer and {'was' if pictures == 1 else 'were'} not read{how_to}"
        )
    undecoded = sum(page.text.count("\ufffd") for page in document.pages)
    if undecoded:
        yield (
            f"{document.name}: {_count(undecoded, 'character')} "
            f"{'is' if undecoded == 1 else 'are'} damaged and shown as \ufffd"
        )
    hidden = sum(len(page.hidden) for page in document.pages)
    if hidden:
        yield (
            f"{document.name}: {_count(hidden, 'piece')} of hidden text "
            f"{'was' if hidden == 1 else 'were'} left out "
            f"(see: lcagent docs verify {document.id[:12]})"
        )


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}{'' if number == 1 else 's'}"


def _reason(page: Page, selected: PageSelection) -> str | None:
    """Say why a page was not read; a blank page is read at a glance, a picture by OCR."""
    if page.index + 1 not in selected:
        return "not selected"
    was_recognised = page.problem == "no text layer" and page.is_ocr
    return None if page.problem in (None, "blank") or was_recognised else page.problem
