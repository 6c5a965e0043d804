"""How results look: results on standard output, notes on standard error."""

import json
import re
import shutil
import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lcagent.results import Answer, Citation, Coverage, Hit, SearchResult

if TYPE_CHECKING:
    from lcagent.pipelines.documents import Verified

_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_MARKS = {
    "exact": "✓",
    "fuzzy": "≈",
    "misattributed": "✗ on another page",
    "not_found": "✗ not found",
}


def print_json(fields: Mapping[str, Any]) -> None:
    """Print one JSON object."""
    print(json.dumps(fields, ensure_ascii=not _is_utf8(), indent=2, default=str))


def print_notes(notes: Iterable[str]) -> None:
    """Print what the user should know beside the result."""
    for note in notes:
        print(_showable(f"note: {note}", sys.stderr.encoding), file=sys.stderr)


def print_answer(answer: Answer) -> None:
    """Print an answer, each claim with where it stands."""
    if answer.abstained:
        print_line(answer.answer)
    by_id = {citation.id: citation for citation in answer.citations}
    for number, claim in enumerate(answer.claims, 1):
        _print_wrapped(claim.text, first=f"{number}. ")
        cited = (by_id[key] for key in claim.citations)
        for line in dict.fromkeys(f"{_MARKS[one.status]} {place(one)}" for one in cited):
            print_line(f"   {line}")
    _print_coverage(answer.coverage)


def print_hits(result: SearchResult) -> None:
    """Print the passages of a search."""
    if not result.hits:
        print_line("Nothing in the documents matches.")
    for hit in result.hits:
        print_line(f"{hit.rank}. {place(hit)}  (score {hit.score:.2f})")
        _print_wrapped(textwrap.shorten(" ".join(hit.text.split()), 400, placeholder=" …"), "   ")
    _print_coverage(result.coverage)


def print_verified(verified: "Verified") -> None:
    """Print what a check of a stored document found."""
    document = verified.document
    print_line(
        f"{document.id[:12]}  {document.name}  ({document.reader}, {len(document.pages)} pages)"
    )
    for problem in verified.problems:
        print_line(f"  FAULT: {problem}")
    for kind in ("no text layer", "unreadable", "blank"):
        numbers = [page.index + 1 for page in document.pages if page.problem == kind]
        if numbers:
            print_line(f"  {kind}: {_ranges(numbers)}")
    recognised = [page.index + 1 for page in document.pages if page.is_ocr]
    if recognised:
        print_line(f"  text recognised from pictures: {_ranges(recognised)}")
    for page in document.pages:
        for hidden in page.hidden:
            words = textwrap.shorten(hidden.text, 120, placeholder=" …")
            print_line(f"  hidden text ({hidden.reason}) on {page.index + 1}: {words}")


def place(source: Citation | Hit) -> str:
    """Say where something stands: document, page with its printed number, section."""
    parts = [source.document]
    if source.page is not None:
        printed = source.page_label
        is_same = printed is None or printed == str(source.page)
        parts.append(f"p. {source.page}" + ("" if is_same else f" (printed {printed})"))
    if source.section:
        parts.append(textwrap.shorten(source.section, 80, placeholder="…"))
    return ", ".join(parts)


def _print_coverage(coverage: Coverage) -> None:
    """Name what was not read; a complete reading needs no words."""
    for left_out in coverage.left_out[:10]:
        where = left_out.document
        if left_out.page is not None:
            where += f", p. {left_out.page}"
        elif left_out.section is not None:
            where += f", {left_out.section}"
        print_notes([f"not read: {where}: {left_out.reason}"])
    if len(coverage.left_out) > 10:
        print_notes([f"not read: {len(coverage.left_out) - 10} more (see --json)"])


def _print_wrapped(text: str, first: str) -> None:
    width = min(100, shutil.get_terminal_size((100, 24)).columns)
    for line in text.splitlines() or [""]:
        print_line(textwrap.fill(line, width, initial_indent=first, subsequent_indent="   "))
        first = "   "


def print_line(text: str) -> None:
    """Print a line of a result."""
    print(_showable(text, sys.stdout.encoding))


def _is_utf8() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"


def _showable(text: str, encoding: str | None) -> str:
    """Return the text as a terminal of this encoding can show it, and without what controls one.

    A document may hold escape sequences that rewrite what stands on the screen.
    """
    encoding = encoding or "utf-8"
    return _CONTROLS.sub("\ufffd", text).encode(encoding, "replace").decode(encoding)


def _ranges(numbers: Sequence[int]) -> str:
    """Write ascending page numbers shortly: "3-5, 9"."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)
