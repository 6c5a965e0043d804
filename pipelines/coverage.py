"""How much of the sources a run has read, and what it left out and why."""

from collections.abc import Sequence

from lcagent.documents import Document, Page
from lcagent.errors import UsageError
from lcagent.pipelines.steps.state import UnreadState
from lcagent.results import Coverage, LeftOut
from lcagent.retrieval.library import Collection
from lcagent.selection import PageSelection


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
        raise UsageError(f"no pages {pages}: the longest document has {max(counts)} pages")


def notes_on(documents: Sequence[Document]) -> list[str]:
    """Return what a user should know about the documents before trusting an answer."""
    notes: list[str] = []
    for document in documents:
        pictures = sum(page.problem == "no text layer" for page in document.pages)
        if pictures:
            notes.append(
                f"{document.name}: {pictures} of {len(document.pages)} pages are pictures without "
                "a text layer and were not read (--ocr reads them)"
            )
        undecoded = sum(page.text.count("\ufffd") for page in document.pages)
        if undecoded:
            notes.append(f"{document.name}: {undecoded} characters are damaged and shown as \ufffd")
        hidden = sum(len(page.hidden) for page in document.pages)
        if hidden:
            notes.append(
                f"{document.name}: {hidden} pieces of hidden text were left out "
                f"(see: lcagent docs verify {document.id[:12]})"
            )
    return notes


def _reason(page: Page, selected: PageSelection) -> str | None:
    """Say why a page was not read; a blank page is read at a glance."""
    if page.index + 1 not in selected:
        return "not selected"
    return None if page.problem in (None, "blank") else page.problem
