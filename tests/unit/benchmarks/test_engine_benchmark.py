"""The benchmarks of the engine run: the same code at a tiny shape."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from engine_device import Lengths, decode_bytes, device_rows, prefill_flops
from engine_models import draw_tokens, make_model, weight_bytes
from engine_side import measure
from engine_sizes import SIZES
from peer_infllm import ReleasedInfLLM

from lcagent.engine.config import KVCacheConfig

pytestmark = pytest.mark.slow

BENCHMARK = Path(__file__).parents[3] / "benchmarks" / "engine.py"
TINY = SIZES["tiny"]
SMALL_MEMORY: dict[str, Any] = {
    "window_tokens": 32,
    "init_tokens": 4,
    "block_tokens": 8,
    "chunk_tokens": 16,
    "looked_up_blocks": 4,
}
STAND_IN_ROPE = """
import torch

class RotaryEmbeddingESM:
    def __init__(self, dim, base, distance_scale):
        self.speeds = base ** (-torch.arange(0, dim, 2, device="cuda") / dim)

    def turn(self, states, first):
        angles = torch.arange(first, first + states.shape[2])[:, None] * self.speeds
        cos, sin = (torch.cat([each, each], -1) for each in (angles.cos(), angles.sin()))
        left, right = states.chunk(2, -1)
        return states * cos + torch.cat([-right, left], -1) * sin
"""
STAND_IN_ATTENTION = """
import torch

def inf_llm_forward(n_local, n_init, topk, block_size, max_cached_block, exc_block_size, fattn,
                    repr_topk, async_global_stream):
    def forward(self, query, key_value, rope, use_cache, past, q, k, v, o, dim, heads, kv_heads):
        with torch.cuda.stream(None):
            torch.cuda.current_stream().wait_stream(None)
        n = query.shape[1]
        new = [
            weights(query).view(1, n, count, dim).transpose(1, 2).pin_memory()
            for weights, count in ((q, heads), (k, kv_heads), (v, kv_heads))
        ]
        first = 0 if past is None else past[0].shape[2]
        keys, values = rope.turn(new[1], first), new[2]
        if past is not None:
            keys, values = (torch.cat(pair, 2) for pair in zip(past, (keys, values)))
        mask = torch.arange(first + n)[None] <= torch.arange(first, first + n)[:, None]
        out = torch.nn.functional.scaled_dot_product_attention(
            rope.turn(new[0], first), keys, values, attn_mask=mask, enable_gqa=True
        )
        return o(out.transpose(1, 2).reshape(1, n, -1)), (keys, values)

    return forward
"""


def test_the_rows_of_a_gpu_run_at_a_tiny_shape() -> None:
    lengths = Lengths(prefill=256, long=512, matrix=64, copied=1 << 12)
    rows = list(device_rows(TINY, "cpu", SMALL_MEMORY, lengths))
    assert [row.split(":")[0].split(",")[0] for row in rows[:3]] == ["card", "prefill", "decode"]
    assert "512 tokens, bfloat16 blocks" in rows[3]
    assert "512 tokens, int8 blocks" in rows[4]


@pytest.mark.parametrize("side", ["infllm", "full"])
def test_a_side_is_measured(side: str) -> None:
    cost = measure(side, TINY, 128, 2, KVCacheConfig(**SMALL_MEMORY))
    assert cost.prefill_s > 0
    assert cost.decode_s > 0
    assert (cost.again_s is None) == (side == "full")


def test_the_command_prints_a_row_for_each_side() -> None:
    arguments = ["--tokens", "128", "--size", "tiny", "--decoded", "2"]
    command = [sys.executable, str(BENCHMARK), *arguments, "--memory", json.dumps(SMALL_MEMORY)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "| 128 | infllm |" in printed
    assert "| 128 | full attention |" in printed
    assert "second question" in printed


def test_weights_are_counted_as_the_model_has_them() -> None:
    model = make_model(TINY, "cpu", torch.bfloat16)
    config = KVCacheConfig(**SMALL_MEMORY)
    seen = config.plain_tokens + config.looked_up_blocks * config.block_tokens
    without_keys = decode_bytes(TINY, config) - seen * TINY.kv_bytes(2)
    embedding = 2 * TINY.vocabulary * TINY.hidden
    norms = 2 * TINY.hidden * (2 * TINY.num_layers + 1)
    assert without_keys == weight_bytes(model) - embedding - norms


def test_operations_are_those_of_products_with_weights_and_keys() -> None:
    config = KVCacheConfig(**SMALL_MEMORY)
    one = prefill_flops(TINY, config, 1)
    assert prefill_flops(TINY, config, 100) == 100 * one
    assert one > 2 * TINY.num_layers * 4 * TINY.hidden**2


def test_all_sides_read_the_same_model_and_text() -> None:
    first, second = (make_model(TINY, "cpu", torch.float32) for _ in range(2))
    assert all(map(torch.equal, first.parameters(), second.parameters()))
    assert draw_tokens(5, 100) == draw_tokens(5, 100)
    assert draw_tokens(5, 100) != draw_tokens(5, 100, seed=1)


def test_released_code_is_called_as_it_wants_to_be(tmp_path: Path) -> None:
    attention = tmp_path / "inf_llm" / "attention"
    attention.mkdir(parents=True)
    (attention / "__init__.py").touch()
    (attention / "rope.py").write_text(STAND_IN_ROPE)
    (attention / "inf_llm.py").write_text(STAND_IN_ATTENTION)
    model, text = make_model(TINY, "cpu", torch.float32), draw_tokens(40, TINY.vocabulary)
    peer = ReleasedInfLLM(model, KVCacheConfig(**SMALL_MEMORY), tmp_path)
    with torch.inference_mode():
        wanted = model(input_ids=torch.tensor([text])).logits[0, -1]
        torch.testing.assert_close(peer.read(text), wanted, atol=1e-4, rtol=0)
