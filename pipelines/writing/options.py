"""How a text is written."""

from pathlib import Path
from typing import TypedDict, Unpack

from lcagent.agents.write.article_plan import MAX_PARAGRAPH_WORDS, MIN_PARAGRAPH_WORDS
from lcagent.errors import UsageError
from lcagent.pipelines.options import ModelOptions, readable

FEWEST_FOR_A_TEXT, MOST_FOR_A_TEXT = 20, 1_000_000


class WriteOptions(ModelOptions, total=False):
    """How a text is written.

    Attributes:
        words: How long it should be; by default as the instruction says, else as planned.
        plan: A plan to write by, as `--plan-only` prints it; by default one is made.
        is_parallel: Write all paragraphs at the same time: faster, but none knows the others.
        plan_only: Make the plan, and stop.
        output: A file (.md, .html, .docx) that grows with the text.
        paragraph_words: The fewest and the most words of a paragraph.
    """

    words: int | None
    plan: str | None
    is_parallel: bool
    plan_only: bool
    output: str | Path | None
    paragraph_words: tuple[int, int]


class Assignment(TypedDict):
    """What is to be written; small enough to be saved after every step.

    Attributes:
        words: 0 where it is not known yet.
        plan: Of the user's; empty where one is to be made.
        output: An absolute path, or empty.
    """

    instruction: str
    words: int
    plan: str
    is_parallel: bool
    plan_only: bool
    output: str
    fewest_words: int
    most_words: int


def assignment_of(instruction: str, **options: Unpack[WriteOptions]) -> Assignment:
    """Return what is to be written.

    Raises:
        UsageError: The instruction or the plan is empty, or a number makes no sense.
    """
    instruction = readable(instruction).strip()
    if not instruction:
        raise UsageError("the instruction is empty")
    plan = options.get("plan")
    if plan is not None and not plan.strip():
        raise UsageError("the plan is empty")
    words = options.get("words")
    if words is not None and not FEWEST_FOR_A_TEXT <= words <= MOST_FOR_A_TEXT:
        raise UsageError(
            f"a text has {FEWEST_FOR_A_TEXT} to {MOST_FOR_A_TEXT:,} words, not {words:,}"
        )
    fewest, most = options.get("paragraph_words", (MIN_PARAGRAPH_WORDS, MAX_PARAGRAPH_WORDS))
    if not 10 <= fewest <= most:
        raise UsageError(f"a paragraph cannot have {fewest} to {most} words")
    output = options.get("output")
    return Assignment(
        instruction=instruction,
        words=words or 0,
        plan=readable(plan or ""),
        is_parallel=options.get("is_parallel", False),
        plan_only=options.get("plan_only", False),
        output="" if output is None else str(Path(output).absolute()),
        fewest_words=fewest,
        most_words=most,
    )
