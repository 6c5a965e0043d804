"""What a claim is by its citations: supported, quoted or unsupported.

A citation tells where its quote was found; with the sentence, the headings and the column heads
round it `evidence.py` says whether it says the claim.
"""

from collections.abc import Sequence
from dataclasses import replace

from lcagent.agents.evidence import is_said
from lcagent.agents.quote_context import QuoteInContext, evidence_at
from lcagent.documents import Document, Page
from lcagent.results import Citation, ClaimStatus
from lcagent.retrieval.search.analysis import document_language


class ClaimJudge:
    """Says of claims whether the quotes that they rest on say them."""

    def __init__(self, documents: Sequence[Document], question: str = "") -> None:
        self._documents = {document.id: document for document in documents}
        self._question = question
        self._languages: dict[str, str] = {}

    def status(self, claim: str, citations: Sequence[Citation]) -> ClaimStatus:
        """Return what a claim is that rests on some citations.

        A quote that stands on another page than the model named is no less said there.
        """
        found = [each for each in citations if each.status != "not_found"]
        if not found:
            return "unsupported"
        language = self._language(found[0].document_id)
        places = [self._in_context(each) for each in found]
        if any(is_said(claim, self._question, [place], language) for place in places):
            return "supported"
        if len(places) > 1 and is_said(claim, self._question, places, language):
            return "supported"
        return "quoted"

    def _language(self, document_id: str) -> str:
        if document_id not in self._languages:
            document = self._documents.get(document_id)
            known = document_language(document) if document is not None else None
            self._languages[document_id] = known or ""
        return self._languages[document_id]

    def _in_context(self, citation: Citation) -> QuoteInContext:
        page = self._page_of(citation)
        if page is None or citation.start is None or citation.end is None:
            return QuoteInContext(citation.quote)
        language = self._language(citation.document_id)
        place = evidence_at(page, citation.start, citation.end, language)
        return replace(place, quote=citation.quote)

    def _page_of(self, citation: Citation) -> Page | None:
        """Return the page of a citation; of parts that share a section, the one that has it."""
        document = self._documents.get(citation.document_id)
        if document is None or citation.start is None:
            return None
        start, first = citation.start, citation.quote.strip()[:1]
        pages = [
            page
            for page in document.pages
            if (page.number, page.section) == (citation.page, citation.section)
        ]
        return next((page for page in pages if page.text[start : start + 1] == first), None) or (
            pages[0] if pages else None
        )
