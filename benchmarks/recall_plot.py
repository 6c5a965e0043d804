"""The plot of `recall.py`: recall against length, a line for each way.

python benchmarks/recall_plot.py benchmarks/recall_results.json docs/recall.png
"""

import argparse
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

WINDOW = 256
NAMES = {1: "256\n(its window)", 8: "2K", 64: "16K", 512: "131K", 4096: "1M"}


@dataclass(frozen=True, slots=True)
class Line:
    """How a way is drawn: under which label, and whether it is one of the engine's lookups."""

    way: str
    label: str
    color: str
    marker: str
    is_dashed: bool = False


LINES = (
    Line("infllm, exact", "memory, compares every key", "#0b5394", "o"),
    Line("infllm, exact, 32 keys", "the same, 32 pairs in the text", "#6fa8dc", "o"),
    Line("infllm, signs", "memory, signs of the keys", "#8e44ad", "P"),
    Line("infllm, signs, 32 keys", "the same, 32 pairs in the text", "#c39bd3", "P"),
    Line("infllm, bounds", "memory, bounds of the keys", "#38761d", "s"),
    Line("infllm, vote of representatives", "memory, representative keys", "#e69138", "^"),
    Line("full attention", "full attention", "#cc0000", "D", is_dashed=True),
    Line("window", "the window alone", "#7f7f7f", "v", is_dashed=True),
)


def main() -> None:
    """Draw what was saved."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path)
    parser.add_argument("picture", type=Path)
    options = parser.parse_args()
    plot(json.loads(options.results.read_text(encoding="utf-8")), options.picture)


def plot(found: Mapping[str, Mapping[str, list[int]]], path: Path) -> None:
    """Draw the shares of right answers by the length of the text."""
    figure = Figure(figsize=(9.5, 4.4), layout="constrained")
    axes = figure.add_subplot()
    for line in LINES:
        if line.way in found:
            _draw(axes, line, found[line.way])
    axes.set_xscale("log", base=2)
    longest = max(int(times) for line in LINES for times in found.get(line.way, {"1": []}))
    drawn = {times: name for times, name in NAMES.items() if times <= longest}
    axes.set_xticks([WINDOW * times for times in drawn], list(drawn.values()))
    axes.minorticks_off()
    axes.set_ylim(-0.03, 1.06)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0 %", "25 %", "50 %", "75 %", "100 %"])
    axes.set_ylabel("pairs recalled")
    axes.set_xlabel("length of the text, in tokens")
    axes.set_title(
        "Pairs found again in a long text, by a model trained on 256 tokens (4 pairs in the text)",
        loc="left",
        fontsize=11,
    )
    axes.grid(axis="y", alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    figure.savefig(path, dpi=130)


def _draw(axes: Axes, line: Line, cells: Mapping[str, list[int]]) -> None:
    lengths = [WINDOW * int(times) for times in cells]
    shares = [right / asked for right, asked in cells.values()]
    style = "--" if line.is_dashed else "-"
    axes.plot(lengths, shares, style, marker=line.marker, color=line.color, lw=2, label=line.label)


if __name__ == "__main__":
    main()
