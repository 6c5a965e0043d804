"""How documents are summarized."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from lcagent.errors import UsageError
from lcagent.fields import option
from lcagent.tasks import MethodOptions

FEWEST_WORDS, MOST_WORDS = 20, 2_500


@dataclass(frozen=True)
class SummarizeOptions(MethodOptions):
    """How documents are summarized.

    Attributes:
        words: How long the summary should be.
        by: What a worker reads: chapters of the outline, or chunks of any pages.
        is_parallel: All parts are read at the same time, none knowing the notes of the others.
        output: A file (.md, .html, .docx) for the summary; made absolute.
        may_overwrite: Another file of that name is replaced, unless it is one of the sources.
    """

    method: ClassVar[str] = "summarize"

    words: int = option(400, "How long it should be.", metavar="N")
    by: str = option(
        "chapters",
        "Read chapter by chapter, or as much as fits.",
        metavar="chapters|chunks",
        choices=("chapters", "chunks"),
    )
    is_parallel: bool = option(False, "Read all parts at the same time.", flags=("--parallel",))
    output: str | None = option(
        None,
        "A file for the summary.",
        flags=("-o", "--output"),
        metavar="FILE.md|.html|.docx",
    )
    may_overwrite: bool = option(
        False, "Replace the file of --output even if lcagent did not write it.", flags=("--force",)
    )

    def __post_init__(self) -> None:
        """Make the output absolute, and refuse what makes no sense.

        Raises:
            UsageError: A number makes no sense, or there is no such part.
        """
        if self.output is not None:
            object.__setattr__(self, "output", str(Path(self.output).absolute()))
        super().__post_init__()
        if not FEWEST_WORDS <= self.words <= MOST_WORDS:
            raise UsageError(
                f"a summary has {FEWEST_WORDS} to {MOST_WORDS:,} words, not {self.words:,} "
                "(lcagent write --from DOC writes longer texts)"
            )
