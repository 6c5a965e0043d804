"""How documents are summarized."""

from pathlib import Path
from typing import Literal, TypedDict, Unpack

from lcagent.errors import UsageError
from lcagent.pipelines.options import ModelOptions, readable

By = Literal["chapters", "chunks"]

FEWEST_WORDS, MOST_WORDS, USUAL_WORDS = 20, 2_500, 400


class SummaryOptions(ModelOptions, total=False):
    """How documents are summarized.

    Attributes:
        words: How long the summary should be.
        focus: A question, or what else it should be about; by default everything.
        by: What a reader reads: "chapters" of the outline, or "chunks" of any pages.
        is_parallel: All parts are read at the same time, none knowing the notes of the others.
        output: A file (.md, .html, .docx) for the summary.
    """

    words: int | None
    focus: str | None
    by: str
    is_parallel: bool
    output: str | Path | None


class Order(TypedDict):
    """What is to be summarized how; small enough to be saved after every step."""

    words: int
    focus: str
    by: str
    is_parallel: bool
    output: str


def order_of(**options: Unpack[SummaryOptions]) -> Order:
    """Return what is to be summarized how.

    Raises:
        UsageError: A number makes no sense, or there is no such part.
    """
    words = options.get("words") or USUAL_WORDS
    if not FEWEST_WORDS <= words <= MOST_WORDS:
        raise UsageError(
            f"a summary has {FEWEST_WORDS} to {MOST_WORDS:,} words, not {words:,} "
            "(lcagent write --from DOC writes longer texts)"
        )
    by = options.get("by", "chapters")
    if by not in ("chapters", "chunks"):
        raise UsageError(f"documents are read by chapters or by chunks, not by {by!r}")
    output = options.get("output")
    return Order(
        words=words,
        focus=readable(options.get("focus") or "").strip(),
        by=by,
        is_parallel=options.get("is_parallel", False),
        output="" if output is None else str(Path(output).absolute()),
    )
