"""Families that were tested, and kinds of attention that the engine does not know."""

from typing import Any

TESTED_FAMILIES = frozenset(
    {
        *("llama", "mistral", "qwen2", "qwen3", "phi3", "gemma2", "gemma3_text"),
        *("gpt_oss", "olmo2", "glm4", "granite", "smollm3"),
    }
)
_LAYER_TYPES = {"full_attention", "sliding_attention"}


def unsupported_reason(config: Any) -> str | None:
    """Return what in a configuration the engine does not know, or None."""
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
