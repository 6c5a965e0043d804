"""The table of `recall.py`: a row for each way, a column for each length."""

from collections.abc import Mapping

LENGTHS = {
    "1": "in the window",
    "8": "8 x (2K)",
    "64": "64 x (16K)",
    "512": "512 x (131K)",
    "4096": "4,096 x (1M)",
}
"""Lengths in windows of 256 tokens, and as they are called."""


def table(found: Mapping[str, Mapping[str, list[int]]]) -> str:
    """Return the shares of right answers as a Markdown table."""
    lines = [f"| | {' | '.join(LENGTHS.values())} |", f"|---|{'---|' * len(LENGTHS)}"]
    for name, cells in found.items():
        shares = (_cell(cells.get(times)) for times in LENGTHS)
        lines.append(f"| {name} | {' | '.join(shares)} |")
    return "\n".join(lines)


def _cell(counts: list[int] | None) -> str:
    if counts is None:
        return ""
    right, asked = counts
    return f"{right / asked:.2f} of {asked}"
