"""The body of a text as far as it is written: its paragraphs under the headings of its plan."""

from lcagent.agents.citations import MarkNumbers, number_marks
from lcagent.agents.write.article_plan import PlannedParagraph
from lcagent.agents.write.paragraph_writer import NO_EVIDENCE
from lcagent.pipelines.writing.run import Recorded, WriteRun


def body_of(writing: WriteRun) -> tuple[str, MarkNumbers]:
    """Return the text as far as it is written, with numbers in the place of marks, and those."""
    numbers = MarkNumbers()
    parts: list[str] = []
    chapter = ""
    for planned, recorded in zip(writing.planned.plan.paragraphs, writing.finished(), strict=False):
        if planned.chapter and planned.chapter != chapter:
            parts.append(f"## {planned.chapter}")
        chapter = planned.chapter
        text = number_marks(recorded.written.text, numbers) or _gap(planned, recorded)
        parts.append(text)
    return "\n\n".join(part for part in parts if part), numbers


def _gap(planned: PlannedParagraph, recorded: Recorded) -> str:
    """Say in the text that a paragraph is missing for want of evidence."""
    if NO_EVIDENCE not in recorded.written.flags:
        return ""
    return f"*[Nothing was found in the sources on: {planned.point}]*"
