"""The open book of a question: passages looked up for it, as many as there is room for.

The paper shows the passages of the question itself and, for one with children, those of the
questions below it (Cao et al., https://arxiv.org/abs/2311.13982, section 3.3); its windows are
large enough for all of them. Here each passage gets an equal share of the room: a page that takes
no more is shown whole, of any other the passage alone.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from lcagent.agents.answering import LabelledPassage, make_source
from lcagent.agents.prompt_templates import fence
from lcagent.agents.token_budget import truncate_end
from lcagent.concurrency import gather
from lcagent.documents import Document, Passage, Span
from lcagent.retrieval.search.retriever import Retriever, VectorUse
from lcagent.selection import ALL_PAGES, PageSelection

MIN_PASSAGE_TOKENS = 64
"""Tokens; a passage that has to be cut to fewer says nothing any more."""


@dataclass(frozen=True, slots=True)
class RetrievalQuery:
    """Something to look up, and how many passages of it."""

    query: str
    top_k: int


class PassageRetriever(Protocol):
    """What passages can be looked up in."""

    async def retrieve(self, queries: Sequence[RetrievalQuery]) -> list[LabelledPassage]:
        """Return the best passages for each of the queries, none twice, labelled S1, S2, ..."""
        ...


@dataclass(frozen=True, slots=True)
class BudgetedRetriever:
    """Looks passages up in documents, as many as there is room for in a prompt.

    Attributes:
        documents: What `retriever` searches, by their ids.
        room: How many tokens of passages a question leaves room for.
        count: Counts the tokens of a text.
    """

    retriever: Retriever
    documents: Mapping[str, Document]
    room: Callable[[str], int]
    count: Callable[[str], int]
    pages: PageSelection = ALL_PAGES
    vectors: VectorUse = "stored"

    async def retrieve(self, queries: Sequence[RetrievalQuery]) -> list[LabelledPassage]:
        """Return the best passages for each of the queries; of a page found twice, the first."""
        found = await gather([self._search(query) for query in queries])
        first: dict[Span, Passage] = {}
        for passages in found:
            for passage in passages:
                first.setdefault(passage.span.page, passage)
        return await asyncio.to_thread(self._pack, list(first.values()), queries[0].query)

    async def _search(self, query: RetrievalQuery) -> tuple[Passage, ...]:
        found = await self.retriever.search(
            query.query, top_k=query.top_k, pages=self.pages, vectors=self.vectors
        )
        return found.passages

    def _pack(self, passages: Sequence[Passage], question: str) -> list[LabelledPassage]:
        """Return what fits; the best is shortened rather than left out."""
        left = self.room(question)
        share = left // max(1, len(passages))
        packed: list[LabelledPassage] = []
        for passage in passages:
            shown = self._label(len(packed) + 1, passage, share)
            if not packed and self._size(shown) > left:
                text = truncate_end(
                    shown.text, max(MIN_PASSAGE_TOKENS, left - MIN_PASSAGE_TOKENS), self.count
                )
                shown = LabelledPassage(shown.label, shown.page, text)
            if not packed or self._size(shown) <= left:
                left -= self._size(shown)
                packed.append(shown)
        return packed

    def _label(self, number: int, passage: Passage, share: int) -> LabelledPassage:
        document = self.documents[passage.span.document_id]
        whole = make_source(number, document, passage.page, passage.page.text)
        if self._size(whole) <= share:
            return whole
        return make_source(number, document, passage.page, passage.text)

    def _size(self, passage: LabelledPassage) -> int:
        return self.count(fence(passage.text, "passage")) + 1
