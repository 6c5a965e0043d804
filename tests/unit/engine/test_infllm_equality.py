"""The engine equals a dense reference of the method, whatever the sizes."""

import pytest
import torch
from dense_infllm import DenseInfLLM
from tiny_models import draw_tokens, tiny

from lcagent.engine.adapters import AdaptedModel
from lcagent.engine.config import KVCacheConfig
from lcagent.engine.model_runner import decode, new_sequence_state, prefill_all

pytestmark = pytest.mark.slow

SIZES = {
    "sizes of one": (1, 1, 1, 1, 1, 1),
    "chunk longer than window": (3, 9, 4, 2, 16, 2),
    "chunk shorter than block": (4, 24, 8, 3, 5, 3),
    "no init tokens": (0, 13, 5, 2, 7, 2),
    "many blocks": (4, 10, 3, 4, 8, 1),
    "all blocks seen": (4, 16, 8, 50, 8, 2),
}


def _config(
    init: int, window: int, block: int, looked_up: int, chunk: int, reps: int
) -> KVCacheConfig:
    return KVCacheConfig(
        lookup="sum",
        init_tokens=init,
        window_tokens=window,
        block_tokens=block,
        looked_up_blocks=looked_up,
        chunk_tokens=chunk,
        representatives=reps,
    )


@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES.keys())
@pytest.mark.parametrize("num_kv_heads", [2, 6])
def test_sum_lookup_equals_the_dense_reference(sizes: tuple[int, ...], num_kv_heads: int) -> None:
    config = _config(*sizes)
    model = AdaptedModel(tiny(num_key_value_heads=num_kv_heads).double())
    theta = model.config.rope_parameters["rope_theta"]
    ours, dense = new_sequence_state(model, config), new_sequence_state(model, config)
    dense.cache.layers |= {n: DenseInfLLM(config, theta) for n in range(2)}  # type: ignore[dict-item]
    tokens = draw_tokens(75)
    for reading in (ours, dense):
        reading.tokens += tokens
    pairs = [(prefill_all(model, ours), prefill_all(model, dense))] + [
        (decode(model, [ours], [token], 1)[0], decode(model, [dense], [token], 1)[0])
        for token in draw_tokens(12, seed=1)
    ]
    assert max(float((got - wanted).abs().max()) for got, wanted in pairs) < 1e-5


def test_the_reference_does_forget() -> None:
    """A model that sees all gives other logits: the equality above is of something."""
    model = AdaptedModel(tiny().double())
    logits = []
    for config in (_config(4, 10, 3, 4, 8, 1), KVCacheConfig(policy="full")):
        reading = new_sequence_state(model, config)
        reading.tokens += draw_tokens(75)
        logits.append(prefill_all(model, reading))
    assert float((logits[0] - logits[1]).abs().max()) > 0.05
    assert torch.isfinite(logits[0]).all()
