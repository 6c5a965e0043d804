"""Answering from passages in one call: the answer first, its proofs afterwards.

A model is asked plainly. What its statements rest on is looked up by program (`agents/support.py`),
because a small model that is to copy quotes in the same breath answers nothing right, and one that
is told how to decline declines (docs/decisions/0017). Only a model that is known to give marks is
asked for them. The same for retrieved passages and for a whole text that fits the window. The
question comes last: models find more in a long context that way.

A tree of questions does not use `pack_passages`: its passages come from several queries, so each
has an equal share of the room, and they stay in the order of the queries.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from lcagent.agents.prompt_templates import Prompt, fence
from lcagent.agents.replies import NOT_FOUND
from lcagent.agents.token_budget import CountTokens, truncate_end
from lcagent.documents import Document, Page, Passage, Span
from lcagent.models.chat_model import ChatModel, OnText, Reply, Request
from lcagent.selection import ALL_PAGES, PageSelection

PASSAGES_WITH_NEIGHBOURS = 3
"""How many of the best passages are shown with the pages before and after them."""

PASSAGE_FRAME_TOKENS = 100
"""What the fence and the header of a passage take, at most about."""


@dataclass(frozen=True)
class ReaderPrompt(Prompt):
    """What a model is shown: passages, then the question."""

    template: ClassVar[str] = "answering/reader.md"

    question: str
    sources: tuple[str, ...]


@dataclass(frozen=True)
class CitingReaderPrompt(Prompt):
    """The same for a model that copies quotes and gives marks, as its profile says."""

    template: ClassVar[str] = "answering/citing_reader.md"

    question: str
    sources: tuple[str, ...]
    not_found: str = NOT_FOUND


@dataclass(frozen=True, slots=True)
class LabelledPassage:
    """A passage as the model is shown it, and the page it stands on."""

    label: str
    page: Span
    text: str


def reader_prompt(
    question: str,
    sources: Sequence[LabelledPassage],
    *,
    gives_marks: bool = False,
    is_joined: bool = False,
) -> Prompt:
    """Return the prompt that a model answers best; by default the plain one.

    Args:
        is_joined: The sources have no labels and are shown as one text.
    """
    texts = tuple(source.text for source in sources)
    if gives_marks:
        return CitingReaderPrompt(question, texts)
    return ReaderPrompt(question, ("\n\n".join(texts),) if is_joined else texts)


async def answer_from_sources(
    prompt: Prompt, *, model: ChatModel, max_tokens: int, on_text: OnText | None = None
) -> Reply:
    """Return the model's reply, as it is, and the probabilities of its tokens if there are any."""
    request = Request(
        prompt.messages(), max_tokens=max_tokens, wants_logprobs=True, purpose="reader"
    )
    return await model.complete(request, on_text)


def all_pages_as_sources(
    documents: Sequence[Document], pages: PageSelection
) -> list[LabelledPassage]:
    """Return all selected pages that have text, in the order of the documents."""
    found = [
        (document, page)
        for document in documents
        for page in document.pages
        if page.index + 1 in pages and page.text.strip()
    ]
    return [
        make_source(number, document, page, page.text)
        for number, (document, page) in enumerate(found, 1)
    ]


def pack_passages(
    passages: Sequence[Passage],
    documents: Mapping[str, Document],
    budget_tokens: int,
    count: CountTokens,
    pages: PageSelection = ALL_PAGES,
) -> list[LabelledPassage]:
    """Choose what fits of the passages, the best first; return it in the order of the documents.

    A passage comes with its whole page where that fits, else alone, shortened if it is the best. In
    what room is left come the pages before and after the best passages.

    Args:
        passages: Best first.
        documents: By their ids, in the order in which they are to be shown.
        pages: Those that neighbours may be taken from.
    """
    chosen: dict[Span, str] = {}
    left = budget_tokens
    # Numbers follow from the order of the documents and are not known yet: one stands for all.
    for document, page, texts in (*_hits(passages, documents), *_near(passages, documents, pages)):
        ref = Span(document.id, page.index)
        for text in texts if ref not in chosen else ():
            size = (
                count(fence(make_source(len(passages), document, page, text).text, "passage")) + 1
            )
            if size <= left:
                chosen[ref] = text
                left -= size
                break
    if not chosen and passages:
        best = passages[0]
        text = truncate_end(best.text, max(0, budget_tokens - PASSAGE_FRAME_TOKENS), count)
        chosen[Span(best.span.document_id, best.page.index)] = text
    order = {document_id: place for place, document_id in enumerate(documents)}
    in_order = sorted(chosen, key=lambda ref: (order[ref.document_id], ref.page_index))
    return [
        make_source(number, documents[ref.document_id], _page(documents, ref), chosen[ref])
        for number, ref in enumerate(in_order, 1)
    ]


_Candidate: TypeAlias = tuple[Document, Page, tuple[str, ...]]
"""A page, and the texts that may be shown of it, the one wanted most first."""


def _hits(passages: Sequence[Passage], documents: Mapping[str, Document]) -> Iterator[_Candidate]:
    for passage in passages:
        document = documents[passage.span.document_id]
        yield document, passage.page, (passage.page.text, passage.text)


def _near(
    passages: Sequence[Passage], documents: Mapping[str, Document], pages: PageSelection
) -> Iterator[_Candidate]:
    for passage in passages[:PASSAGES_WITH_NEIGHBOURS]:
        document = documents[passage.span.document_id]
        for index in (passage.page.index + 1, passage.page.index - 1):
            if 0 <= index < len(document.pages) and index + 1 in pages:
                page = document.pages[index]
                yield document, page, (page.text,) if page.text.strip() else ()


def _page(documents: Mapping[str, Document], ref: Span) -> Page:
    return documents[ref.document_id].pages[ref.page_index]


def make_source(number: int, document: Document, page: Page, text: str) -> LabelledPassage:
    """Return a text of a page as the model is shown it, with its label and place."""
    label = f"S{number}"
    where = f"p. {page.number}" if page.number is not None else page.section or ""
    header = " | ".join(filter(None, (label, document.name, where)))
    return LabelledPassage(label, Span(document.id, page.index), f"{header}\n{text}")
