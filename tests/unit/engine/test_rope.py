"""Keys that stand still, also where a family's tables carry a factor."""

import pytest
import torch
from tiny_models import draw_tokens, tiny

from lcagent.engine.adapters import AdaptedModel
from lcagent.engine.config import KVCacheConfig
from lcagent.engine.model_runner import new_sequence_state, prefill_all

SIZES = KVCacheConfig(
    init_tokens=4, window_tokens=16, block_tokens=4, chunk_tokens=8, looked_up_blocks=3
)
YARN = {"rope_type": "yarn", "rope_theta": 1e4, "factor": 4.0, "attention_factor": 1.25}
ROPES = {"yarn": (YARN, 1.25), "default": ({"rope_type": "default", "rope_theta": 1e4}, 1.0)}


@pytest.mark.parametrize("kind", ROPES)
def test_what_is_far_away_carries_the_factor_of_its_tables(kind: str) -> None:
    ropes, factor = ROPES[kind]
    model = AdaptedModel(tiny(rope_parameters=ropes))
    state = new_sequence_state(model, SIZES)
    state.tokens += draw_tokens(60)
    prefill_all(model, state)
    layer = state.cache.layers[0]
    keys = torch.randn(2, 5, 8, generator=torch.Generator().manual_seed(0))
    for token in range(5):
        at_0 = layer.rotation.rotate(keys[:, token : token + 1], 0)
        torch.testing.assert_close(layer.rotation.at_zero(keys)[:, token : token + 1], at_0)
    torch.testing.assert_close(layer.rotation.at_zero(keys), keys * factor)
    whole = new_sequence_state(model, KVCacheConfig(policy="full"))
    whole.tokens += state.tokens
    prefill_all(model, whole)
    first = whole.cache.layers[0].window.keys[:, :8]
    torch.testing.assert_close(layer.init_keys, first[:, :4] * factor)
    torch.testing.assert_close(layer.store.keys(0, torch.float32), first[:, 4:] * factor)
