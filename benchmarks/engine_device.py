"""The GPU rows of `engine.py`: shares of what the card can do, and a text of a million tokens.

The peak of matrix products and of memory traffic are measured on the same card first, so that a
share does not depend on what a data sheet promises. Weights are random, of the shape of an 8B
Llama, in bfloat16. The same code runs at a tiny shape on a CPU, where its figures mean nothing.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from engine_models import draw_tokens, make_model
from engine_sizes import Size

from lcagent.engine.adapters import AdaptedModel
from lcagent.engine.config import KVCacheConfig
from lcagent.engine.model_runner import SequenceState, decode, new_sequence_state, prefill_all

DECODED = 64


@dataclass(frozen=True, slots=True)
class Lengths:
    """How much is read, and how large the yardsticks are."""

    prefill: int = 1 << 16
    long: int = 1 << 20
    matrix: int = 8192
    copied: int = 1 << 30


def device_rows(
    size: Size, device: str, changes: dict[str, Any], lengths: Lengths = Lengths()
) -> Iterator[str]:
    """Measure and yield a line for each figure."""
    config = KVCacheConfig(**changes)
    peak, bandwidth = (
        measure_peak(device, lengths.matrix),
        measure_bandwidth(device, lengths.copied),
    )
    yield f"card: {_name(device)}; {peak / 1e12:.1f} TFLOP/s in bf16, {bandwidth / 1e9:.0f} GB/s"
    model = AdaptedModel(make_model(size, device, torch.bfloat16))
    read_text(model, size, config, 2 * config.plain_tokens, device)  # kernels are chosen once
    state, seconds = read_text(model, size, config, lengths.prefill, device)
    share = prefill_flops(size, config, lengths.prefill) / seconds / peak
    speed = f"{lengths.prefill / seconds:,.0f} tokens/s"
    yield f"prefill, {lengths.prefill:,} tokens: {speed}, {share:.2f} of the peak (0.5)"
    step_s = decode_s(model, state, device)
    share = decode_bytes(size, config) / bandwidth / step_s
    yield f"decode: {1 / step_s:,.1f} tokens/s, {share:.2f} of the bandwidth limit (0.6)"
    del state
    for store in ("model", "int8"):
        there = replace(config, place="cpu", store_dtype=store)
        state, seconds = read_text(model, size, there, lengths.long, device)
        step_s = decode_s(model, state, device)
        named = "bfloat16" if store == "model" else store
        yield (
            f"{lengths.long:,} tokens, {named} blocks in the computer's memory: prefill "
            f"{seconds:.1f} s (120), decode {1 / step_s:,.1f} tokens/s, {_peak_memory(device)}"
        )
        del state


def read_text(
    model: AdaptedModel, size: Size, config: KVCacheConfig, tokens: int, device: str
) -> tuple[SequenceState, float]:
    """Read random tokens; return the state and the seconds it took."""
    state = new_sequence_state(model, config)
    state.tokens = draw_tokens(tokens, size.vocabulary)
    return state, _seconds(lambda: prefill_all(model, state), device)


def decode_s(model: AdaptedModel, state: SequenceState, device: str) -> float:
    """Return the seconds of a decoded token, the mean of some."""
    decode(model, [state], [7], 1)
    work = lambda: [decode(model, [state], [7], 1) for _ in range(DECODED)]  # noqa: E731
    return _seconds(work, device) / DECODED


def prefill_flops(size: Size, config: KVCacheConfig, tokens: int) -> float:
    """Return what reading needs at least: products with weights, and with the keys in sight.

    Early tokens see less than a window; that they are counted as if they did favours nobody by
    more than the share of the first window in the text.
    """
    attention = 4 * size.hidden * seen_tokens(config)
    return float(tokens * size.num_layers * (2 * _layer_weights(size) + attention))


def decode_bytes(size: Size, config: KVCacheConfig) -> float:
    """Return what a decoded token must read in bfloat16: all weights, and the keys in sight."""
    weights = size.num_layers * _layer_weights(size) + size.vocabulary * size.hidden
    return float(2 * weights + seen_tokens(config) * size.kv_bytes(2))


def seen_tokens(config: KVCacheConfig) -> int:
    """Return how many tokens a query sees far from the beginning of a text."""
    return config.plain_tokens + config.looked_up_blocks * config.block_tokens


def measure_peak(device: str, width: int) -> float:
    """Return the best of ten square products in bfloat16, in operations per second."""
    left, right = (torch.randn(width, width, device=device).bfloat16() for _ in range(2))
    best = min(_seconds(lambda: left @ right, device) for _ in range(10))
    return 2.0 * width**3 / best


def measure_bandwidth(device: str, count: int) -> float:
    """Return the best of ten copies, in bytes read and written per second."""
    source = torch.zeros(count, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    best = min(_seconds(lambda: target.copy_(source), device) for _ in range(10))
    return 2.0 * count / best


def _layer_weights(size: Size) -> int:
    keys_and_values = 2 * size.num_kv_heads * size.head_dim
    return size.hidden * (2 * size.hidden + keys_and_values + 3 * size.inner)


def _seconds(work: Callable[[], object], device: str) -> float:
    """Time by the wall clock: a GPU works beside this process."""
    _wait(device)
    started = time.perf_counter()
    work()
    _wait(device)
    return time.perf_counter() - started


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def _name(device: str) -> str:
    return torch.cuda.get_device_name() if device == "cuda" else device


def _peak_memory(device: str) -> str:
    if device != "cuda":
        return "no GPU"
    return f"at most {torch.cuda.max_memory_allocated() / 1e9:.1f} GB on the GPU"
