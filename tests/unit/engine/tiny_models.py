"""Tiny random models of each family, for tests."""

from collections.abc import Callable
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel

VOCAB = 97
_SIZES: dict[str, Any] = {
    "vocab_size": VOCAB,
    "hidden_size": 48,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 6,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": 256,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
_HYBRID = {"layer_types": ["sliding_attention", "full_attention"], "sliding_window": 12}
FAMILIES: dict[str, dict[str, Any]] = {
    "llama": {},
    "mistral": {"sliding_window": None},
    "qwen2": {},
    "qwen3": {},
    "phi3": {"partial_rotary_factor": 0.5},
    "gemma2": {**_HYBRID, "query_pre_attn_scalar": 8, "attn_logit_softcapping": 2.0},
    "gemma3_text": {**_HYBRID, "query_pre_attn_scalar": 8},
    "gpt_oss": {**_HYBRID, "num_local_experts": 4, "num_experts_per_tok": 2},
    "olmo2": {},
    "glm4": {"partial_rotary_factor": 0.5},
    "granite": {"attention_multiplier": 0.3},
    "smollm3": {"no_rope_layers": [1, 0]},
}


def tiny(family: str = "llama", seed: int = 0, **changes: Any) -> PreTrainedModel:
    """Return a random model of two layers; its attention is far from uniform."""
    torch.manual_seed(seed)
    config = AutoConfig.for_model(family, **{**_SIZES, **FAMILIES.get(family, {}), **changes})
    model: PreTrainedModel = AutoModelForCausalLM.from_config(config, attn_implementation="eager")
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if weights.dim() > 1:
                weights.normal_(0, 0.25)
            elif "sinks" in name:
                weights.normal_(0, 1)
    return model.eval()


def draw_tokens(length: int, seed: int = 0) -> list[int]:
    """Return random tokens."""
    generator = torch.Generator().manual_seed(seed)
    drawn: list[int] = torch.randint(3, VOCAB, (length,), generator=generator).tolist()
    return drawn


def eager_logits(model: PreTrainedModel, tokens: list[int]) -> torch.Tensor:
    """Return the model's own logits of what follows the last token, by eager attention."""
    forward: Callable[..., Any] = model
    with torch.inference_mode():
        logits: torch.Tensor = forward(torch.tensor([tokens])).logits[0, -1].float()
    return logits
