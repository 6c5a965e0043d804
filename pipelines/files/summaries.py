"""A summary as it stands in a file: its text, and the list of what it cites."""

from lcagent.pipelines.files.source_list import source_list
from lcagent.texts import Summary


def as_markdown(summary: Summary) -> str:
    """Return a summary with its list of sources."""
    heading = f"# {', '.join(summary.documents)}"
    return f"{heading}\n\n{summary.text}{source_list(summary.citations)}"
