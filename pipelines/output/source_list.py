"""The list of sources at the end of a text: where each quote stands, and whether it does."""

import textwrap
from collections.abc import Sequence

from lcagent.results import Citation

HEADING = "## Sources"
LONGEST_QUOTE = 300

_DOUBTS = {
    "misattributed": " (found on this page, not on the one cited)",
    "not_found": " (these words were not found in the sources)",
}


def source_list(citations: Sequence[Citation]) -> str:
    """Return the list of sources as it follows a text of Markdown; nothing without any."""
    if not citations:
        return ""
    return "\n\n".join(["", HEADING, *(_source(citation) for citation in citations)])


def _source(citation: Citation) -> str:
    where = [citation.document or "no such source"]
    if citation.page is not None:
        where.append(f"p. {citation.page}")
    elif citation.section:
        where.append(citation.section)
    quote = textwrap.shorten(" ".join(citation.quote.split()), LONGEST_QUOTE, placeholder="…")
    said = f": “{quote}”" if quote else ""
    return f"[{citation.id}] {', '.join(where)}{said}{_DOUBTS.get(citation.status, '')}"
