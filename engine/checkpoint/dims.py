"""The dimensions of a model and how many parameters it has, by its config.json alone.

No weights, no torch and no transformers are needed. Keys that a configuration leaves out have the
defaults of its family in transformers. All families that the engine is tested with have the same
skeleton: embeddings, and layers of attention with grouped heads and of a gated network. They
differ in biases and norms.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from lcagent.engine.checkpoint.gguf_files import gguf_config, is_gguf, read_gguf
from lcagent.errors import ModelNotUsable

TESTED_FAMILIES = frozenset(
    {
        *("llama", "mistral", "qwen2", "qwen3", "phi3", "gemma2", "gemma3_text"),
        *("gpt_oss", "olmo2", "glm4", "granite", "smollm3"),
    }
)
KNOWN_FAMILIES = TESTED_FAMILIES | {"mixtral", "qwen3_moe"}
"""Whose parameters are counted exactly; others have about so many."""

BYTES_OF = {"float32": 4, "bfloat16": 2, "float16": 2, "float64": 8}
"""Types that models compute in, and the bytes of a number."""

_LAYER_TYPES = {"full_attention", "sliding_attention"}
_WRITERS = ("ForCausalLM", "ForConditionalGeneration", "LMHeadModel")
_NEEDED = ("hidden_size", "num_hidden_layers", "num_attention_heads", "vocab_size")
_TIED_FAMILIES = ("gemma", "smollm3", "cohere", "starcoder2")
_ALL_SLIDING = ("mistral", "phi3", "mixtral", "starcoder2")
_ONE_FULL_IN = {"gemma2": 2, "gemma3_text": 6, "gpt_oss": 2, "cohere2": 4}
"""Of so many layers the last sees all, where a configuration does not list its layers."""

_FOUR_NORMS = ("gemma2", "gemma3_text", "glm4")
_NORMS_PER_HEAD = ("qwen3", "qwen3_moe", "gemma3_text")
_BIASED_UNLESS_SAID = ("gpt_oss", "glm4")
_BIASED_BUT_FOR_OUTPUT = ("qwen2", "glm4")

_LEFT_OUT: dict[str, dict[str, int]] = {
    "gemma3_text": {
        "num_attention_heads": 8,
        "num_key_value_heads": 4,
        "head_dim": 256,
        "vocab_size": 262_208,
        "max_position_embeddings": 131_072,
        "sliding_window": 4_096,
    }
}
"""What published configurations leave out, as it is their family's default."""


@dataclass(frozen=True, slots=True)
class ModelDims:
    """What a model's KV cache and weights are computed from.

    Attributes:
        windows: For each layer how far it sees back by itself; None for all of the text.
        window_tokens: The longest text that it was trained for.
        dtype: What its weights are stored in.
        config: All that its configuration says of its text part.
    """

    family: str
    hidden_size: int
    intermediate_size: int
    num_heads: int
    num_kv_heads: int
    head_dim: int
    vocab_size: int
    is_tied: bool
    windows: tuple[int | None, ...]
    window_tokens: int
    dtype: str
    config: Mapping[str, Any]


def read_dims(source: Path) -> ModelDims:
    """Return the dimensions of a model, given its folder, its config.json or its GGUF file.

    Raises:
        ModelNotUsable: There is no configuration, or it is that of no model the engine can run.
        MissingExtra: What reads GGUF is not installed.
    """
    if is_gguf(source):
        return parse_dims(gguf_config(read_gguf(source)), str(source))
    path = source / "config.json" if source.is_dir() else source
    return parse_dims(read_json_object(path), str(path))


def parse_dims(told: Mapping[str, Any], name: str = "config.json") -> ModelDims:
    """Return the dimensions that a configuration describes.

    Raises:
        ModelNotUsable: The engine cannot run such a model.
    """
    given: dict[str, Any] = {**told, **told.get("text_config", {})}
    family = given.get("model_type")
    if not isinstance(family, str):
        raise ModelNotUsable(f"{name} names no model_type")
    config = {**_LEFT_OUT.get(family, {}), **given}
    _refuse(told, config, family, name)
    heads = int(config["num_attention_heads"])
    return ModelDims(
        family=family,
        hidden_size=int(config["hidden_size"]),
        intermediate_size=int(config.get("intermediate_size") or 4 * config["hidden_size"]),
        num_heads=heads,
        num_kv_heads=int(config.get("num_key_value_heads") or heads),
        head_dim=int(config.get("head_dim") or config["hidden_size"] // heads),
        vocab_size=int(config["vocab_size"]),
        is_tied=bool(config.get("tie_word_embeddings", family.startswith(_TIED_FAMILIES))),
        windows=_windows(config, family),
        window_tokens=int(config.get("max_position_embeddings") or 8192),
        dtype=str(config.get("dtype") or config.get("torch_dtype") or "float32"),
        config=config,
    )


def unsupported_reason(config: Any) -> str | None:
    """Return what in a configuration (an object with its keys) the engine does not know, or None.

    The reason reads on from "its model".
    """
    if getattr(config, "is_encoder_decoder", False):
        return "has an encoder"
    if getattr(config, "kv_lora_rank", None):
        return "has multi-head latent attention (MLA)"
    if getattr(config, "num_kv_shared_layers", 0):
        return "shares keys and values between layers"
    strange = set(getattr(config, "layer_types", None) or ()) - _LAYER_TYPES
    if strange or "llama4" in str(config.model_type):
        return f"has layers of other kinds ({', '.join(sorted(map(str, strange))) or 'chunked'})"
    return None


def count_parameters(dims: ModelDims) -> int:
    """Return the number of parameters; tied embeddings count once."""
    embeddings = dims.vocab_size * dims.hidden_size
    layer = _attention(dims) + _network(dims) + _norms(dims)
    return embeddings * (1 if dims.is_tied else 2) + len(dims.windows) * layer + dims.hidden_size


def read_json_object(path: Path) -> dict[str, Any]:
    """Return the object in a file of a checkpoint.

    Raises:
        ModelNotUsable: There is no such file, or it holds something else.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelNotUsable(f"{path.parent} is no model: it has no {path.name}") from error
    except (OSError, ValueError) as error:
        raise ModelNotUsable(f"{path} cannot be read: {error}") from error
    if not isinstance(found, dict):
        raise ModelNotUsable(f"{path} does not hold an object")
    return found


def _refuse(told: Mapping[str, Any], config: dict[str, Any], family: str, name: str) -> None:
    architectures = told.get("architectures") or ()
    reason = unsupported_reason(SimpleNamespace(**config))
    if reason is None and architectures and not str(architectures[0]).endswith(_WRITERS):
        reason = f"({architectures[0]}) does not write text"
    if reason is not None:
        raise ModelNotUsable(f"the engine cannot run {family}: its model {reason}")
    missing = [key for key in _NEEDED if not isinstance(config.get(key), int) or not config[key]]
    if missing:
        raise ModelNotUsable(f"{name} describes no model that the engine knows: no {missing[0]}")


def _windows(config: dict[str, Any], family: str) -> tuple[int | None, ...]:
    layers, window = int(config["num_hidden_layers"]), config.get("sliding_window")
    if config.get("layer_types"):
        kinds = [kind == "sliding_attention" for kind in config["layer_types"]]
    elif family in _ONE_FULL_IN:
        every = int(config.get("sliding_window_pattern") or _ONE_FULL_IN[family])
        kinds = [bool((number + 1) % every) for number in range(layers)]
    elif family in _ALL_SLIDING:
        kinds = [True] * layers
    else:
        first = int(config.get("max_window_layers") or 0)
        kinds = [bool(config.get("use_sliding_window")) and n >= first for n in range(layers)]
    return tuple(int(window) if is_sliding and window else None for is_sliding in kinds)


def _attention(dims: ModelDims) -> int:
    queries = dims.num_heads * dims.head_dim
    keys = dims.num_kv_heads * dims.head_dim
    weights = dims.hidden_size * (2 * queries + 2 * keys)
    sinks = dims.num_heads if dims.family == "gpt_oss" else 0
    is_biased = dims.config.get("attention_bias", dims.family in _BIASED_UNLESS_SAID)
    if dims.family != "qwen2" and not is_biased:
        return weights + sinks
    on_output = 0 if dims.family in _BIASED_BUT_FOR_OUTPUT else dims.hidden_size
    return weights + sinks + queries + 2 * keys + on_output


def _network(dims: ModelDims) -> int:
    told, hidden = dims.config, dims.hidden_size
    experts = int(told.get("num_local_experts") or told.get("num_experts") or 0)
    width = int((experts and told.get("moe_intermediate_size")) or dims.intermediate_size)
    biases = 2 * width + hidden if told.get("mlp_bias") or dims.family == "gpt_oss" else 0
    network = 3 * hidden * width + biases
    if not experts:
        return network
    router = hidden * experts + (experts if dims.family == "gpt_oss" else 0)
    return experts * network + router


def _norms(dims: ModelDims) -> int:
    norms = (4 if dims.family in _FOUR_NORMS else 2) * dims.hidden_size
    if dims.family in _NORMS_PER_HEAD:
        norms += 2 * dims.head_dim
    if dims.family == "olmo2":
        norms += (dims.num_heads + dims.num_kv_heads) * dims.head_dim
    return norms
