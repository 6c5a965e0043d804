"""What search needs of a document before it can be searched: its chunks and their terms.

Computed once and stored; computed again when the rules that make them have changed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from lcagent.documents import Chunk, Document
from lcagent.retrieval import chunking
from lcagent.retrieval.embedding.base import Tokenizer
from lcagent.retrieval.search.terms import TERMS_VERSION, DocumentTerms, terms_of
from lcagent.storage.document_store import DocumentStore
from lcagent.storage.search_store import SearchStore


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A document that is ready to be searched."""

    document: Document
    chunks: list[Chunk]
    terms: DocumentTerms


@dataclass(frozen=True)
class Preparation:
    """Prepares documents through the store."""

    documents: DocumentStore
    search: SearchStore
    tokenizer: Tokenizer

    def prepare(self, document: Document) -> Prepared:
        """Return the document with its chunks and terms."""
        return Prepared(document, self._chunks(document), self.terms(document))

    def terms(self, document: Document) -> DocumentTerms:
        """Return the terms of the document, without its chunks where they are stored."""
        version = f"{TERMS_VERSION}+{self._chunker}"
        packed = self.search.load_terms(document.id, version)
        if packed is not None:
            return DocumentTerms.from_bytes(packed)
        terms = terms_of(document, self._chunks(document))
        self.search.save_terms(document.id, version, terms.to_bytes())
        return terms

    def problems_of(self, document: Document) -> Iterator[str]:
        """Yield what is wrong with what the store holds of a document."""
        if [page.index for page in document.pages] != list(range(len(document.pages))):
            yield "pages are missing"
        joined = [""] * len(document.pages)
        chunks = self.documents.load_chunks(self._chunker, document)
        for chunk in chunks:
            joined[chunk.span.page_index] += chunk.text
        if chunks and joined != [page.text for page in document.pages]:
            yield "its chunks do not join back to its text"

    @cached_property
    def _chunker(self) -> str:
        return chunking.chunker_id(self.tokenizer)

    def _chunks(self, document: Document) -> list[Chunk]:
        chunks = self.documents.load_chunks(self._chunker, document)
        if not chunks or chunks[-1].index + 1 != len(chunks):
            chunks = chunking.cut(document, self.tokenizer)
            self.documents.save_chunks(self._chunker, chunks)
        return chunks
