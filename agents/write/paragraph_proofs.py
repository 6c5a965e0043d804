"""Proofs for the statements of a paragraph that its writer gave no mark, put behind them as marks.

As for an answer, the program looks for the sentence that says a statement (`support.py`). What no
sentence says stays without a mark.
"""

from collections.abc import Sequence

import regex

from lcagent.agents.answering import LabelledPassage
from lcagent.agents.marks import split_claims
from lcagent.agents.support import SourcePage, find_support
from lcagent.retrieval.quotes.normalizing import on_one_line
from lcagent.retrieval.search.layout import is_heading


def add_proofs(
    text: str, sources: Sequence[LabelledPassage], pages: Sequence[str]
) -> tuple[str, tuple[str, ...]]:
    """Return a paragraph with a mark behind each statement that a page says, and their quotes.

    Args:
        sources: What the writer was shown.
        pages: The texts of their pages, in the same order.
    """
    shown = [SourcePage(source.page, page) for source, page in zip(sources, pages, strict=True)]
    labels = {source.page: source.label for source in sources}
    quotes: list[str] = []
    for each in reversed(split_claims(text)):
        if each.marks or each.offered or is_heading(each.text.lstrip("# ") or "#"):
            continue
        for found in find_support(each.text, "", shown):
            quote = on_one_line(found.text)
            if not _ENDS_A_MARK.search(quote):
                mark = f' [{labels[found.page]} "{quote}"]'
                text = text[: each.end] + mark + text[each.end :]
                quotes.append(quote)
    return text, tuple(reversed(quotes))


_ENDS_A_MARK = regex.compile(r'["\[\]“”„«»]')
