"""How a text is written: the options of AgentWrite."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from lcagent.errors import UsageError
from lcagent.fields import option
from lcagent.tasks import MethodOptions

FEWEST_FOR_A_TEXT, MOST_FOR_A_TEXT = 20, 1_000_000
FEWEST_OF_A_PARAGRAPH = 10


def parse_word_range(text: str) -> tuple[int, int]:
    """Return the fewest and the most words that are written like "200-1000".

    Raises:
        UsageError: They are written otherwise.
    """
    fewest, _, most = text.partition("-")
    if not (fewest.strip().isdigit() and most.strip().isdigit()):
        raise UsageError(f'words of a paragraph are written like "200-1000", not {text!r}')
    return int(fewest), int(most)


@dataclass(frozen=True)
class WriteOptions(MethodOptions):
    """How a text is written.

    Bai et al., LongWriter, https://arxiv.org/abs/2408.07055, section 3.1: first a plan, then
    paragraph by paragraph.

    Attributes:
        words: How long it should be; by default as the instruction says, else as planned.
        plan: A plan to write by, as `--plan-only` prints it; by default one is made.
        plan_only: Make the plan, and stop.
        output: A file (.md, .html, .docx) that grows with the text; made absolute.
        is_parallel: Write all paragraphs at the same time: faster, but none knows the others.
        paragraph_words: The fewest and the most words of a paragraph.
        may_overwrite: Another file of that name is replaced, unless it is one of the sources.
    """

    method: ClassVar[str] = "write"

    words: int | None = option(
        None,
        "How long it should be.",
        metavar="N",
        minimum=FEWEST_FOR_A_TEXT,
        maximum=MOST_FOR_A_TEXT,
    )
    plan_only: bool = option(False, "Print the plan, to be edited, and stop.")
    plan: str | None = option(None, "Write by this plan.", metavar="FILE", is_file=True)
    output: str | None = option(
        None,
        "A file that grows with the text.",
        flags=("-o", "--output"),
        metavar="FILE.md|.html|.docx",
    )
    is_parallel: bool = option(
        False,
        "Write all paragraphs at the same time: faster, less coherent.",
        flags=("--parallel",),
    )
    paragraph_words: tuple[int, int] = option(
        (200, 1000), "Fewest and most words of each.", metavar="N-N", parse=parse_word_range
    )
    may_overwrite: bool = option(
        False, "Replace the file of --output even if lcagent did not write it.", flags=("--force",)
    )

    def __post_init__(self) -> None:
        """Make the output absolute, and refuse what makes no sense.

        Raises:
            UsageError: The plan is empty, or a number makes no sense.
        """
        if self.output is not None:
            object.__setattr__(self, "output", str(Path(self.output).absolute()))
        super().__post_init__()
        if self.plan is not None and not self.plan.strip():
            raise UsageError("the plan is empty")
        fewest, most = self.paragraph_words
        if not FEWEST_OF_A_PARAGRAPH <= fewest <= most:
            raise UsageError(f"a paragraph cannot have {fewest} to {most} words")
