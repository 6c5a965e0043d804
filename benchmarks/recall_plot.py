"""The plot of `recall.py`: recall against length, a line per way."""

from pathlib import Path

SOLID = ("infllm, bounds (default)", "infllm, sum (the paper's)", "window", "full")


def plot(found: dict[str, dict[int, float]], path: Path) -> None:
    """Draw the shares of right answers by multiples of the window."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - needed for drawing only

    figure = Figure(figsize=(9, 5), layout="constrained")
    axes = figure.add_subplot()
    for number, (name, shares) in enumerate(found.items()):
        axes.plot(
            list(shares),
            list(shares.values()),
            "-" if name in SOLID else "--",
            marker="osD^vPX*"[number % 8],
            color=f"C{number % 10}",
            linewidth=2.2 if name in SOLID else 1.2,
            label=name,
        )
    axes.set_xscale("log", base=2)
    axes.set_xticks([1, 8, 64, 512, 4096], ["1", "8", "64", "512", "4,096"])
    axes.set_ylim(-0.03, 1.03)
    axes.set_xlabel("length of the text, in windows of 256 tokens")
    axes.set_ylabel("pairs recalled")
    axes.grid(alpha=0.3)
    axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), fontsize=8)
    figure.savefig(path, dpi=120)
