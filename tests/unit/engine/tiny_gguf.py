"""Tiny random models in GGUF files, written by the package `gguf` as llama.cpp's converter does."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from gguf import MODEL_ARCH_NAMES, GGMLQuantizationType, GGUFWriter, get_tensor_name_map, quantize
from tiny_models import tiny
from tokenizers import pre_tokenizers
from transformers import PreTrainedModel

TOKENS = [
    *sorted(pre_tokenizers.ByteLevel.alphabet()),
    *("<s>", "</s>", "<|im_start|>", "<|im_end|>", "<think>", "ab", "12"),
]
VOCAB = 288
CONTROL, USER_DEFINED = 3, 4
TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def tiny_of(family: str, **changes: Any) -> PreTrainedModel:
    """Return a model with room for the vocabulary."""
    sizes = {"hidden_size": 96, "intermediate_size": 64, "num_attention_heads": 8}
    return tiny(family, vocab_size=VOCAB, **sizes, **changes)


def values_of(model: PreTrainedModel, architecture: str) -> dict[str, Any]:
    """Return what a file says of a model."""
    config: Any = model.config
    own = {
        "block_count": config.num_hidden_layers,
        "context_length": config.max_position_embeddings,
        "embedding_length": config.hidden_size,
        "feed_forward_length": config.intermediate_size,
        "attention.head_count": config.num_attention_heads,
        "attention.head_count_kv": config.num_key_value_heads,
        "attention.key_length": config.head_dim,
        "attention.layer_norm_rms_epsilon": float(config.rms_norm_eps),
        "rope.freq_base": float(config.rope_parameters["rope_theta"]),
    }
    tokens = TOKENS + [f"<spare{number}>" for number in range(VOCAB - len(TOKENS))]
    kinds = [1] * 256 + [CONTROL] * 4 + [USER_DEFINED] + [1] * 2 + [CONTROL] * (VOCAB - 263)
    return {
        **{f"{architecture}.{key}": value for key, value in own.items()},
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "smollm",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": kinds,
        "tokenizer.ggml.merges": ["a b", "1 2"],
        "tokenizer.ggml.bos_token_id": 256,
        "tokenizer.ggml.eos_token_id": 259,
        "tokenizer.ggml.add_bos_token": False,
        "tokenizer.chat_template": TEMPLATE,
    }


def tensors_of(model: PreTrainedModel, architecture: str) -> dict[str, Any]:
    """Return weights by the names that the format has for them."""
    config: Any = model.config
    numbers = {name: number for number, name in MODEL_ARCH_NAMES.items()}
    names = get_tensor_name_map(numbers[architecture], config.num_hidden_layers)
    found: dict[str, Any] = {}
    for name, weights in model.state_dict().items():
        array = weights.numpy()
        if architecture == "llama" and (".q_proj." in name or ".k_proj." in name):
            is_query = ".q_proj." in name
            heads = config.num_attention_heads if is_query else config.num_key_value_heads
            halves = array.reshape(heads, 2, array.shape[0] // heads // 2, *array.shape[1:])
            array = halves.swapaxes(1, 2).reshape(array.shape)
        named = names.get_name(name, try_suffixes=(".weight", ".bias"))
        assert named is not None
        found[named] = np.ascontiguousarray(array)
    return found


def write_gguf(
    path: Path,
    architecture: str,
    values: dict[str, Any],
    tensors: dict[str, Any],
    kind: GGMLQuantizationType | None = None,
) -> Path:
    """Write a file; matrices are quantised to `kind`."""
    writer = GGUFWriter(path, architecture)
    for key, value in values.items():
        match value:
            case bool():
                writer.add_bool(key, value)
            case int():
                writer.add_uint32(key, value)
            case float():
                writer.add_float32(key, value)
            case str():
                writer.add_string(key, value)
            case _:
                writer.add_array(key, value)
    for name, array in tensors.items():
        if kind is not None and array.ndim > 1:
            writer.add_tensor(name, quantize(array, kind), raw_dtype=kind)
        else:
            writer.add_tensor(name, array)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def save_tiny(
    path: Path, architecture: str = "llama", kind: GGMLQuantizationType | None = None, **values: Any
) -> PreTrainedModel:
    """Write a random model, and return it; a value of None is left out of the file."""
    model = tiny_of(architecture)
    told = {**values_of(model, architecture), **values}
    told = {key: value for key, value in told.items() if value is not None}
    with torch.no_grad():
        write_gguf(path, architecture, told, tensors_of(model, architecture), kind)
    return model
