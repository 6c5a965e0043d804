"""Llamas with random weights, for measuring: what they say means nothing, what they cost does."""

import torch
from engine_sizes import Size
from transformers import LlamaConfig, LlamaForCausalLM


def make_model(size: Size, device: str, dtype: torch.dtype) -> LlamaForCausalLM:
    """Return a model with random weights, the same in every process on the same device."""
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=size.vocabulary,
        hidden_size=size.hidden,
        intermediate_size=size.inner,
        num_hidden_layers=size.num_layers,
        num_attention_heads=size.num_heads,
        num_key_value_heads=size.num_kv_heads,
        max_position_embeddings=8192,
        attn_implementation="sdpa",
        dtype=dtype,
    )
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)  # an 8B model is never held in float32
    try:
        with torch.device(device):
            return LlamaForCausalLM(config).eval()
    finally:
        torch.set_default_dtype(before)


def weight_bytes(model: torch.nn.Module) -> int:
    """Return the bytes of all weights."""
    return sum(each.numel() * each.element_size() for each in model.parameters())


def draw_tokens(count: int, vocabulary: int, seed: int = 0) -> list[int]:
    """Return random tokens."""
    generator = torch.Generator().manual_seed(seed)
    drawn: list[int] = torch.randint(3, vocabulary, (count,), generator=generator).tolist()
    return drawn
