"""How results look: results on standard output, notes on standard error.

All that the command prints passes `_write`, which lets no document, reply or error control the
terminal.
"""

import json
import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TextIO

from lcagent.proofs import Proof, ProofCandidate, ProofNode
from lcagent.rendering import MARKS, place_in_words, sign, source_in_words
from lcagent.results import (
    Answer,
    Article,
    Citation,
    Claim,
    Coverage,
    Plan,
    Result,
    SearchResult,
    Summary,
    Usage,
)
from lcagent.visible_text import printable, printable_json, printable_piece

if TYPE_CHECKING:
    from lcagent.pipelines.documents import Verified


CLAIM_SIGNS = {"supported": "✓", "quoted": "? quoted, not confirmed:", "unsupported": "✗ no proof:"}
"""What stands before a statement once it is checked."""


def print_json(fields: Mapping[str, Any]) -> None:
    """Print one JSON object."""
    told = json.dumps(fields, ensure_ascii=not _is_utf8(), indent=2, default=str)
    print(printable_json(told))


def print_notes(notes: Iterable[str]) -> None:
    """Print what the user should know beside the result."""
    for note in notes:
        print_status(f"note: {note}")


def print_piece(text: str) -> None:
    """Print a piece of an answer as it arrives."""
    _write(printable_piece(text), sys.stdout, flush=True)


def print_status(text: str, *, begin: str = "", end: str = "\n") -> None:
    """Print on standard error: how far something is, or what went wrong.

    Args:
        begin, end: Of ours, such as what goes back to the beginning of the line.
    """
    _write(f"{begin}{printable(text)}{end}", sys.stderr, flush=True)


def print_answer(answer: Answer, shown: str = "") -> None:
    """Print an answer and where it stands; `shown` was printed of it, without references."""
    if shown:
        print_line("" if answer.outcome == "answered" else "\n")
    if answer.outcome == "answered" and answer.strategy == "quote":
        _print_quotes(answer)
    elif answer.outcome == "answered":
        _print_written(answer, shown)
    else:
        _print_wrapped(answer.answer, "")
        _print_nearest(answer.citations)
    if answer.proof is not None:
        _print_proof(answer, answer.proof)
    _print_coverage(answer.coverage)


def _print_written(answer: Answer, shown: str) -> None:
    """Print the text of a model with its references, and its citations."""
    if not shown:
        print_line(answer.answer)
    else:
        print_line("")
        for one in answer.claims:
            _print_wrapped(one.text, f"{CLAIM_SIGNS[one.status]} {_references(one)}")
    claimed = _claimed(answer)
    print_line("")
    _print_citations(
        (one for one in answer.citations if not answer.proof or one.id in claimed), answer
    )
    if answer.usage.calls or answer.usage.cached_calls:
        print_notes([in_figures(answer.usage)])


def _references(claim: Claim) -> str:
    return f"[{', '.join(claim.citations)}] " if claim.citations else ""


def _print_nearest(citations: Iterable[Citation]) -> None:
    """Print where the nearest passages stand, which prove nothing."""
    for citation in citations:
        print_line(f"[{citation.id}] {place_in_words(citation)}")


def print_article(article: Article, shown: str) -> None:
    """Print what of a text is not `shown` yet."""
    is_begun = bool(shown) and article.text.startswith(shown)
    print_line(article.text[len(shown) :] if is_begun else article.text)


def print_summary(summary: Summary, *, is_titled: bool = False) -> None:
    """Print a summary, where what it says stands, and what was not read."""
    if is_titled:
        print_line(f"# {', '.join(summary.documents)}\n")
    print_line(summary.text)
    print_line("")
    shows_quotes = summary.strategy != "extract"
    _print_citations(summary.citations, summary, shows_quotes=shows_quotes)
    _print_coverage(summary.coverage)


def _print_proof(answer: Answer, proof: Proof) -> None:
    """Print how an answer came about, and what was quoted on the way that no claim cites."""
    print_line("")
    for line in proof_lines(proof):
        print_line(line)
    claimed = _claimed(answer)
    _print_citations((one for one in answer.citations if one.id not in claimed), answer)


def _claimed(answer: Answer) -> set[str]:
    """Return the ids of the citations that claims rest on."""
    return {key for one in answer.claims for key in one.citations}


def _print_citations(
    citations: Iterable[Citation], result: Result, *, shows_quotes: bool = True
) -> None:
    for citation in citations:
        where = source_in_words(citation, result.model)
        print_line(f"[{citation.id}] {sign(citation, result.claims)} {where}")
        if citation.quote and shows_quotes:
            _print_wrapped(f"“{_on_one_line(citation.quote)}”", "    ")


def notes_on(result: Result, *, is_shown: bool) -> list[str]:
    """Return what to print beside a result; its length only where its text is shown."""
    notes = [*result.notes]
    if isinstance(result, Article | Summary) and is_shown:
        notes.append(length_in_words(result))
    has_calls = result.usage.calls or result.usage.cached_calls
    if isinstance(result, Article) or (isinstance(result, Summary) and has_calls):
        notes.append(in_figures(result.usage))
    return notes


def length_in_words(result: Result) -> str:
    """Return how long a text is and how long it was to be, in words."""
    assert isinstance(result, Article | Summary)
    length = f"{result.words:,} words of {result.target_words:,}"
    if isinstance(result, Summary):
        return length
    written = sum(1 for paragraph in result.plan if paragraph.words)
    paragraphs = f"{written} paragraph{'s' * (written != 1)}"
    return f"{length} in {paragraphs}, S_l {result.S_l:.1f}"


def in_figures(usage: Usage) -> str:
    """Return what a run cost, in words."""
    cached = f" and {usage.cached_calls} cached" if usage.cached_calls else ""
    cost = "price not known" if usage.usd is None else f"${usage.usd:.4f}"
    tokens = f"{usage.prompt_tokens:,} + {usage.completion_tokens:,} tokens"
    calls = f"{usage.calls} call{'s' * (usage.calls != 1)}"
    return f"{calls}{cached}, {tokens}, {cost}"


def print_plan(plan: Plan, to: TextIO | None = None) -> None:
    """Print what a task will take."""
    stream = to or sys.stdout
    for line in plan.lines():
        _write(f"{printable(line)}\n", stream)


def width() -> int:
    """Return how many columns the terminal has."""
    return shutil.get_terminal_size((100, 24)).columns


def _print_quotes(answer: Answer) -> None:
    by_id = {citation.id: citation for citation in answer.citations}
    for number, claim in enumerate(answer.claims, 1):
        _print_wrapped(claim.text, first=f"{number}. ")
        cited = (by_id[key] for key in claim.citations)
        signed = (f"{MARKS[one.status]} {place_in_words(one)}" for one in cited)
        for line in dict.fromkeys(signed):
            print_line(f"   {line}")


def print_hits(result: SearchResult) -> None:
    """Print the passages of a search."""
    if not result.hits:
        print_line("Nothing in the documents matches.")
    for hit in result.hits:
        words = textwrap.shorten(_on_one_line(hit.text), 400, placeholder=" …")
        print_line(f"{hit.rank}. {place_in_words(hit)}  (score {hit.score:.2f})")
        _print_wrapped(words, "   ")
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
            print_line(f"  {kind}: {ranges(numbers)}")
    recognised = [page.index + 1 for page in document.pages if page.is_ocr]
    if recognised:
        print_line(f"  text recognised from pictures: {ranges(recognised)}")
    for page in document.pages:
        for hidden in page.hidden:
            words = textwrap.shorten(hidden.text, 120, placeholder=" …")
            print_line(f"  hidden text ({hidden.reason}) on {page.index + 1}: {words}")


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


def _on_one_line(text: str) -> str:
    # Imported here: `lcagent --help` prints too, and needs no numpy.
    from lcagent.retrieval.quotes.normalizing import on_one_line  # noqa: PLC0415

    return on_one_line(text)


def _print_wrapped(text: str, first: str) -> None:
    columns = min(100, width())
    for line in text.splitlines() or [""]:
        print_line(textwrap.fill(line, columns, initial_indent=first, subsequent_indent="   "))
        first = "   "


def print_line(text: str) -> None:
    """Print a line of a result."""
    _write(f"{printable(text)}\n", sys.stdout)


def ranges(numbers: Sequence[int]) -> str:
    """Return ascending page numbers shortly: "3-5, 9"."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)


def _is_utf8() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"


def _write(visible: str, stream: TextIO, *, flush: bool = False) -> None:
    """Write what is `printable`, as a terminal of this encoding can show it."""
    encoding = stream.encoding or "utf-8"
    print(visible.encode(encoding, "replace").decode(encoding), end="", file=stream, flush=flush)


NO_ANSWER = -100.0

KINDS = {
    "closed_book": "own knowledge",
    "open_book": "passages",
    "child_aggregating": "from below",
}
"""Where an answer is from, in the words of the screen."""

MEASURES = {
    "logprobs": "log-probability of its explanation",
    "samples": "logarithm of the share of samples that agree",
    "stated": "logarithm of the probability that the model states",
}


def proof_of(stored: Mapping[str, Any]) -> Proof:
    """Return a proof as it was stored with a run."""
    from pydantic import TypeAdapter  # noqa: PLC0415 -- `--help` must not wait for it

    return TypeAdapter(Proof).validate_python(stored)


def proof_lines(proof: Proof) -> Iterator[str]:
    """Yield the lines of the tree."""
    if not proof.nodes:
        return
    measures = dict.fromkeys(MEASURES[node.confidence] for node in proof.nodes)
    yield f"how it was found (* is taken; the number is the {' or the '.join(measures)}):"
    yield from _branch(proof, proof.nodes[0], "", "")
    yield from (f"! {flag}" for flag in proof.flags)


def _branch(proof: Proof, node: ProofNode, first: str, rest: str) -> Iterator[str]:
    yield f"{first}{node.asked}"
    below = [one for one in proof.nodes if one.parent == node.id]
    stem = f"{rest}{'│' if below else ' '}  "
    has_choice_below = sum(bool(one.below) for one in node.candidates) > 1
    for candidate in node.candidates:
        yield f"{stem}{'*' if candidate is node.taken else ' '} {_line(candidate)}"
        if candidate.below and has_choice_below:
            yield f"{stem}      of {'; '.join(_on_a_line(one.answer) for one in candidate.below)}"
        yield from (f"{stem}      ! {flag}" for flag in candidate.flags)
    yield from (f"{stem}! {flag}" for flag in node.flags)
    for one in below:
        is_last = one is below[-1]
        branch, further = ("└─ ", "   ") if is_last else ("├─ ", "│  ")
        yield from _branch(proof, one, f"{rest}{branch}", f"{rest}{further}")


def _line(candidate: ProofCandidate) -> str:
    score = "none" if candidate.score <= NO_ANSWER else f"{candidate.score:.2f}"
    cited = f" [{', '.join(candidate.evidence)}]" if candidate.evidence else ""
    answer = _on_a_line(candidate.answer)
    return f"{KINDS[candidate.kind]:13} {score:>6}  {answer}{cited}".rstrip()


def _on_a_line(answer: str) -> str:
    return " ".join(answer.split())
