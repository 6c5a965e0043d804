"""Every tested family reads as it would by itself, as long as the text is short."""

import pytest
import torch
from tiny_models import FAMILIES, draw_tokens, eager_logits, tiny
from transformers import AutoConfig

from lcagent.engine.adapters import AdaptedModel, refuse_unsupported
from lcagent.engine.checkpoint.dims import TESTED_FAMILIES
from lcagent.engine.config import KVCacheConfig
from lcagent.engine.model_runner import decode, new_sequence_state, prefill_all
from lcagent.engine.policies.policy import UNBOUNDED
from lcagent.errors import ModelNotUsable

SIZES = KVCacheConfig(
    init_tokens=8, window_tokens=40, block_tokens=4, chunk_tokens=7, looked_up_blocks=2
)
ROPES = {
    "yarn": {
        "rope_type": "yarn",
        "rope_theta": 1e4,
        "factor": 4.0,
        "original_max_position_embeddings": 64,
    },
    "linear": {"rope_type": "linear", "rope_theta": 1e4, "factor": 2.0},
    "llama3": {
        "rope_type": "llama3",
        "rope_theta": 1e4,
        "factor": 4.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 64,
    },
    "dynamic": {"rope_type": "dynamic", "rope_theta": 1e4, "factor": 2.0},
}
pytestmark = pytest.mark.filterwarnings("ignore")


def test_the_tiny_models_are_of_the_tested_families() -> None:
    assert set(FAMILIES) == TESTED_FAMILIES


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_equals_its_own_eager_attention(family: str) -> None:
    model, tokens = tiny(family), draw_tokens(44)
    wanted = [eager_logits(model, tokens[:end]) for end in (5, 40, 43, 44)]
    adapted = AdaptedModel(model)
    reading = new_sequence_state(adapted, SIZES)
    for end, logits in zip((5, 40), wanted, strict=False):
        reading = new_sequence_state(adapted, SIZES)
        reading.tokens += tokens[:end]
        torch.testing.assert_close(prefill_all(adapted, reading), logits, atol=1e-4, rtol=0)
    decode(adapted, [reading], tokens[40:41], 2)
    decode(adapted, [reading], tokens[41:42], 2)
    for end, logits in zip((43, 44), wanted[2:], strict=True):
        got = decode(adapted, [reading], tokens[end - 1 : end], 2)[0]
        torch.testing.assert_close(got, logits, atol=1e-4, rtol=0)


@pytest.mark.parametrize("kind", ROPES)
def test_scaled_positions_equal_eager_attention(kind: str) -> None:
    model, tokens = tiny(rope_parameters=ROPES[kind]), draw_tokens(44)
    wanted = eager_logits(model, tokens)
    adapted = AdaptedModel(model)
    reading = new_sequence_state(adapted, SIZES)
    reading.tokens += tokens
    torch.testing.assert_close(prefill_all(adapted, reading), wanted, atol=1e-4, rtol=0)


@pytest.mark.parametrize("family", ["llama", "gemma2", "gpt_oss", "smollm3"])
def test_full_equals_eager_attention_on_long_texts(family: str) -> None:
    model, tokens = tiny(family), draw_tokens(150)
    wanted = eager_logits(model, tokens)
    adapted = AdaptedModel(model)
    reading = new_sequence_state(adapted, KVCacheConfig(policy="full", chunk_tokens=16))
    reading.tokens += tokens
    torch.testing.assert_close(prefill_all(adapted, reading), wanted, atol=1e-4, rtol=0)
    assert reading.cache.layers[1].policy.plain_tokens == UNBOUNDED


def test_a_model_gets_its_own_attention_back() -> None:
    model, tokens = tiny(), draw_tokens(20)
    wanted = eager_logits(model, tokens)
    AdaptedModel(model).detach()
    assert torch.equal(eager_logits(model, tokens), wanted)


@pytest.mark.parametrize(
    ("family", "changes", "reason"),
    [
        ("deepseek_v3", {"kv_lora_rank": 8}, "MLA"),
        ("gpt2", {}, "rotary"),
        ("llama", {"layer_types": ["linear_attention", "full_attention"]}, "linear_attention"),
        ("llama", {"num_kv_shared_layers": 1}, "shares keys"),
    ],
)
def test_unknown_attention_is_refused(family: str, changes: dict[str, object], reason: str) -> None:
    model = tiny()
    if family == "gpt2":
        del model.model.rotary_emb
    model.config.update({**changes, "model_type": family})
    with pytest.raises(ModelNotUsable, match=reason):
        refuse_unsupported(model)


def test_llama4_is_refused_by_its_layers() -> None:
    config = AutoConfig.for_model("llama4_text")
    model = tiny()
    model.config.update({"model_type": "llama4_text", "layer_types": config.layer_types})
    with pytest.raises(ModelNotUsable, match="other kinds"):
        refuse_unsupported(model)
