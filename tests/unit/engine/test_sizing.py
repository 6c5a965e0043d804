"""What a model takes, compared with values computed by hand and with transformers' own models."""

from typing import Any

import pytest

from lcagent.engine.checkpoint.dims import KNOWN_FAMILIES, count_parameters, parse_dims
from lcagent.engine.sizing import FreeSpace, choose_weights_device, estimate_memory, footprint
from lcagent.errors import ModelNotUsable, UsageError

LLAMA_3_8B: dict[str, Any] = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "vocab_size": 128256,
    "max_position_embeddings": 8192,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
}
GEMMA_2: dict[str, Any] = {
    "model_type": "gemma2",
    "hidden_size": 2304,
    "intermediate_size": 9216,
    "num_hidden_layers": 26,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "head_dim": 256,
    "vocab_size": 256000,
    "sliding_window": 4096,
    "max_position_embeddings": 8192,
    "torch_dtype": "float32",
}
BIASED = {"mlp_bias": True, "attention_bias": True}
OF_SOME_FAMILIES: dict[str, dict[str, Any]] = {
    "llama": BIASED,
    "granite": BIASED,
    "smollm3": BIASED,
    "gpt_oss": {"num_local_experts": 4},
    "mixtral": {"num_local_experts": 4},
    "qwen3_moe": {"num_experts": 4, "moe_intermediate_size": 32},
}
GB = 10**9


def test_llama_3_8b_takes_what_it_is_known_to_take() -> None:
    model = footprint(parse_dims(LLAMA_3_8B))
    assert model.parameters == 8_030_261_248
    assert model.weights_bytes == 2 * 8_030_261_248
    assert model.token_bytes == 32 * 2 * 8 * 128 * 2 == 131_072
    assert model.memory_bytes(1_000_000) == 131_072_000_000
    assert footprint(parse_dims(LLAMA_3_8B), "float32").token_bytes == 262_144


def test_int8_halves_the_memory_but_for_the_scales_of_each_block() -> None:
    model = footprint(parse_dims(LLAMA_3_8B))  # which has blocks of 128 tokens
    scales_of_a_block = 32 * 2 * 8 * 128 * 4
    assert model.memory_bytes(128, is_int8=True) == 128 * 65_536 + scales_of_a_block


def test_heads_that_are_not_grouped_have_keys_of_their_own() -> None:
    alone = {key: value for key, value in LLAMA_3_8B.items() if key != "num_key_value_heads"}
    assert footprint(parse_dims(alone)).token_bytes == 4 * 131_072


def test_layers_that_forget_take_no_more_than_their_window() -> None:
    model = footprint(parse_dims(GEMMA_2))
    a_layer = 2 * 4 * 256 * 4
    assert parse_dims(GEMMA_2).windows == (4096, None) * 13
    assert model.token_bytes == 13 * a_layer
    assert model.memory_bytes(1_000) == 26 * 1_000 * a_layer
    assert model.memory_bytes(100_000) == 13 * (100_000 + 4_096) * a_layer


def test_layers_are_listed_or_follow_from_the_family() -> None:
    listed = {**LLAMA_3_8B, "layer_types": ["sliding_attention"] + ["full_attention"] * 31}
    assert parse_dims({**listed, "sliding_window": 64}).windows == (64, *[None] * 31)
    mistral = {**LLAMA_3_8B, "model_type": "mistral", "sliding_window": 4096}
    assert set(parse_dims(mistral).windows) == {4096}
    assert set(parse_dims({**mistral, "sliding_window": None}).windows) == {None}
    qwen = {**LLAMA_3_8B, "model_type": "qwen2", "sliding_window": 9, "max_window_layers": 30}
    assert set(parse_dims({**qwen, "use_sliding_window": False}).windows) == {None}
    assert parse_dims({**qwen, "use_sliding_window": True}).windows == (*[None] * 30, 9, 9)


def test_a_model_that_only_forgets_has_no_longest_text() -> None:
    mistral = {**LLAMA_3_8B, "model_type": "mistral", "sliding_window": 4096}
    assert footprint(parse_dims(mistral)).tokens_that_fit(GB) is None


def test_tied_embeddings_count_once() -> None:
    tied = count_parameters(parse_dims({**LLAMA_3_8B, "tie_word_embeddings": True}))
    assert tied == 8_030_261_248 - 128_256 * 4_096
    assert parse_dims(GEMMA_2).is_tied  # by the default of its family
    assert count_parameters(parse_dims(GEMMA_2)) == 2_614_341_888


@pytest.mark.parametrize("family", sorted(KNOWN_FAMILIES))
def test_parameters_are_those_of_the_model_that_transformers_makes(family: str) -> None:
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    sizes: dict[str, Any] = {
        "hidden_size": 48,
        "intermediate_size": 64,
        "num_hidden_layers": 3,
        "num_attention_heads": 6,
        "num_key_value_heads": 2,
        "head_dim": 8,
        "vocab_size": 97,
        "pad_token_id": 0,
        **OF_SOME_FAMILIES.get(family, {}),
    }
    config = transformers.AutoConfig.for_model(family, **sizes)
    with torch.device("meta"):
        model = transformers.AutoModelForCausalLM.from_config(config)
    assert count_parameters(parse_dims(config.to_dict())) == model.num_parameters()


def test_what_a_published_configuration_leaves_out_is_the_default_of_its_family() -> None:
    transformers = pytest.importorskip("transformers")
    told = {"hidden_size": 2560, "intermediate_size": 10240, "num_hidden_layers": 34}
    told |= {"sliding_window": 1024, "model_type": "gemma3_text"}  # type: ignore[dict-item]
    dims = parse_dims({"model_type": "gemma3", "text_config": told})
    full = transformers.Gemma3TextConfig(**told).to_dict()
    assert (dims.num_heads, dims.num_kv_heads) == (
        full["num_attention_heads"],
        full["num_key_value_heads"],
    )
    assert (dims.head_dim, dims.vocab_size) == (full["head_dim"], full["vocab_size"])
    assert dims.window_tokens == full["max_position_embeddings"]
    assert dims.windows == parse_dims(full).windows


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"model_type": "deepseek_v3", "kv_lora_rank": 512}, "multi-head latent attention"),
        ({"layer_types": ["linear_attention"] * 32}, "linear_attention"),
        ({"num_kv_shared_layers": 4}, "shares keys and values"),
        ({"model_type": "t5", "is_encoder_decoder": True}, "cannot run t5: its model has an enc"),
        ({"architectures": ["BertForMaskedLM"], "model_type": "bert"}, "does not write text"),
        ({"model_type": "mamba", "num_attention_heads": None}, "no num_attention_heads"),
        ({"model_type": None}, "no model_type"),
    ],
)
def test_a_model_that_the_engine_cannot_run_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ModelNotUsable, match=says):
        parse_dims({**LLAMA_3_8B, **changes})


def test_a_type_that_no_model_computes_in_is_refused() -> None:
    with pytest.raises(UsageError, match="int4"):
        footprint(parse_dims(LLAMA_3_8B), "int4")


def test_what_fits_is_counted_beside_the_weights() -> None:
    model = footprint(parse_dims(LLAMA_3_8B))
    room = FreeSpace(memory_bytes=100 * GB, disk_bytes=200 * GB, gpu_bytes=80 * GB)
    gpu, cpu, disk = estimate_memory(model, 1_000_000, room)
    assert (gpu.store, gpu.free_bytes) == ("gpu", 80 * GB - model.weights_bytes)
    assert gpu.tokens == (80 * GB - model.weights_bytes) // 131_072
    assert (cpu.fits, cpu.fits_int8, disk.fits) == (False, True, True)


def test_weights_that_are_too_large_for_the_gpu_are_in_memory() -> None:
    model = footprint(parse_dims(LLAMA_3_8B))
    small = FreeSpace(memory_bytes=10 * GB, disk_bytes=GB, gpu_bytes=8 * GB)
    assert choose_weights_device(model, small) == "cpu"
    _, cpu, _ = estimate_memory(model, 1, small)
    assert (cpu.free_bytes, cpu.tokens, cpu.fits) == (10 * GB - model.weights_bytes, 0, False)
    assert [fit.store for fit in estimate_memory(model, 1, FreeSpace(GB, GB))] == ["cpu", "disk"]
