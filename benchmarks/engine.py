"""Speed and memory of the engine against full attention and the released InfLLM code.

    python benchmarks/engine.py                        # 8K, 32K and 128K tokens on one CPU thread
    python benchmarks/engine.py --long                 # also 64K against 1M; hours
    python benchmarks/engine.py --infllm-code FOLDER   # also a checkout of thunlp/InfLLM
    python benchmarks/engine.py --device cuda          # the rows of a GPU

The same random weights on all sides: a Llama of 4 layers of width 256, 8 heads and 2 key-value
heads, float32. Full attention is transformers with `sdpa`. Each figure comes from a process of its
own, so that its peak memory is its own; speed is in tokens per CPU second, and sides are compared
within one run only.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Final

from engine_sizes import SIZES
from measuring import run

SIDES = {"infllm": "infllm", "full": "full attention", "released": "released InfLLM"}
SIDE: Final = Path(__file__).with_name("engine_side.py")
ALLOWED_MB = 300
ALLOWED_SHARE = 1.25


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, nargs="+", default=[8192, 32768, 131072])
    parser.add_argument("--long", action="store_true", help="64K against 1M tokens")
    parser.add_argument("--decoded", type=int, default=32)
    parser.add_argument("--size", choices=SIZES, help="default: small on a CPU, 8b on a GPU")
    parser.add_argument("--memory", default="{}", help="fields of MemoryConfig, as JSON")
    parser.add_argument("--infllm-code", type=Path)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    options = parser.parse_args()
    if options.device == "cuda":
        print_device_rows(options)
        return
    given = ("--decoded", str(options.decoded), "--size", options.size or "small")
    given += ("--memory", options.memory)
    print_table(options.tokens, given, options.infllm_code)
    if options.long:
        print_long(given)


def print_table(lengths: list[int], given: tuple[str, ...], code: Path | None) -> None:
    """Print a row for each length and side, and under each length what is to be reached."""
    print("| tokens | side | prefill, tok/CPU s | decode, tok/CPU s | peak MB | KV + weights, MB |")
    print("|---|---|---|---|---|---|")
    for tokens in lengths:
        costs = {
            side: _print_row(side, tokens, (*given, *_code(side, code)))
            for side in SIDES
            if side != "released" or code is not None
        }
        _print_ratios(tokens, costs)


def print_long(given: tuple[str, ...]) -> None:
    """Print whether speed holds on a text 16 times as long."""
    short, long = (_print_row("infllm", tokens, given) for tokens in (1 << 16, 1 << 20))
    share = (short["prefill_s"] / short["tokens"]) / (long["prefill_s"] / long["tokens"])
    print(f"\ntokens per second at 1M over those at 64K: {share:.2f} (to reach: 0.9)")


def print_device_rows(options: argparse.Namespace) -> None:
    """Print the rows of a GPU; this process is the only one."""
    from engine_device import device_rows  # noqa: PLC0415 - imports torch

    for row in device_rows(SIZES[options.size or "8b"], "cuda", json.loads(options.memory)):
        print(row, flush=True)


def _print_row(side: str, tokens: int, given: tuple[str, ...]) -> dict[str, Any]:
    command = (sys.executable, str(SIDE), side, "--tokens", str(tokens), *given)
    took = run(command, OMP_NUM_THREADS="1")
    cost: dict[str, Any] = json.loads(took.output.splitlines()[-1])
    cost["peak_mb"] = took.peak_mb
    print(
        f"| {tokens:,} | {SIDES[side]} | {tokens / cost['prefill_s']:,.0f} | "
        f"{1 / cost['decode_s']:,.1f} | {took.peak_mb:,.0f} | "
        f"{cost['kv_mb'] + cost['weights_mb']:,.0f} |",
        flush=True,
    )
    return cost


def _print_ratios(tokens: int, costs: dict[str, dict[str, Any]]) -> None:
    ours = costs["infllm"]
    for side in (side for side in costs if side != "infllm"):
        peer = costs[side]
        prefill, decode = (peer[each] / ours[each] for each in ("prefill_s", "decode_s"))
        print(f"  {tokens:,}: prefill {prefill:.2f} x, decode {decode:.1f} x {SIDES[side]}")
    allowed = ALLOWED_SHARE * (ours["kv_mb"] + ours["weights_mb"]) + ALLOWED_MB
    print(
        f"  {tokens:,}: peak {ours['peak_mb']:,.0f} MB, to reach {allowed:,.0f}; "
        f"imports alone {ours['imports_mb']:,.0f}"
    )
    print(f"  {tokens:,}: second question {ours['again_s'] / ours['prefill_s']:.4f} of the first")


def _code(side: str, code: Path | None) -> tuple[str, ...]:
    return ("--infllm-code", str(code)) if side == "released" else ()


if __name__ == "__main__":
    main()
