"""The shape of a model, read from its config.json alone: no weights, no torch, no transformers.

Keys that a configuration leaves out have the defaults of its family in transformers.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from lcagent.engine.refusals import unsupported_reason
from lcagent.errors import ModelNotUsable

_WRITERS = ("ForCausalLM", "ForConditionalGeneration", "LMHeadModel")
_NEEDED = ("hidden_size", "num_hidden_layers", "num_attention_heads", "vocab_size")
_TIED_FAMILIES = ("gemma", "smollm3", "cohere", "starcoder2")
_ALL_SLIDING = ("mistral", "phi3", "mixtral", "starcoder2")
_ONE_FULL_IN = {"gemma2": 2, "gemma3_text": 6, "gpt_oss": 2, "cohere2": 4}
"""Of so many layers the last sees all, where a configuration does not list its layers."""

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
class Shape:
    """What a model's memory and weights are computed from.

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


def read_shape(source: Path) -> Shape:
    """Return the shape of a model, given its folder or its config.json.

    Raises:
        ModelNotUsable: There is no configuration, or it is that of no model the engine can run.
    """
    path = source / "config.json" if source.is_dir() else source
    return shape_of(_config(path), str(path))


def shape_of(told: Mapping[str, Any], name: str = "config.json") -> Shape:
    """Return the shape that a configuration describes.

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
    return Shape(
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


def _config(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelNotUsable(f"{path.parent} is no model: it has no {path.name}") from error
    except (OSError, ValueError) as error:
        raise ModelNotUsable(f"{path} cannot be read: {error}") from error
    if not isinstance(found, dict):
        raise ModelNotUsable(f"{path} does not hold an object")
    return found
