"""A model made by hand that recalls without fail: what followed a word, the last time it stood.

Two layers of a Llama without any training. In the first, each token looks at the one before it; in
the second, at the tokens that stood after itself (Olsson et al., induction heads,
https://arxiv.org/abs/2209.11895). Only `WORDS` can be asked for, and only they are replied; where
anything else followed, the reply ends. So a wrong reply is always a fault of the engine.
"""

import random
import shutil
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

from lcagent.engine.config import KVCacheConfig

TOKENIZER = Path(__file__).parents[3] / "examples" / "recall-model"
WORDS = (" baksha", " bavsha", " bavthe", " dekthe", " devvik", " devzor")
VOCAB, END = 512, 257
HEAD_DIM = 64
TURNING, STILL = 8, 10
"""Pairs of channels before the first turn with the position, from the second on hardly at all."""
CODE = HEAD_DIM // 2 - STILL
SHARPNESS = 60.0
NOISE_WORDS = [
    f" {first}n{last}" for first in ("ba", "de", "fi", "go") for last in ("sha", "the", "vik")
]
NOISE = "".join(random.Random(0).choices(NOISE_WORDS, k=120))  # noqa: S311
BOOK = f"{NOISE} KEY baksha bavsha bavthe{NOISE} KEY dekthe devvik devzor{NOISE}"
MEMORY = KVCacheConfig(
    init_tokens=8, window_tokens=128, block_tokens=16, chunk_tokens=64, looked_up_blocks=8
)


def save_recalling(folder: Path, seed: int = 0) -> None:
    """Write the model, with the tokenizer of the trained one."""
    folder.mkdir()
    for path in TOKENIZER.glob("*token*"):
        shutil.copy(path, folder)
    shutil.copy(TOKENIZER / "chat_template.jinja", folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    words = [token for word in WORDS for token in tokenizer.encode(word, add_special_tokens=False)]
    assert len(words) == len(WORDS)
    assert tokenizer.eos_token_id == END
    model = LlamaForCausalLM(_configuration())
    with torch.no_grad():
        _fill(model, words, seed)
    model.save_pretrained(folder)


def _configuration() -> LlamaConfig:
    return LlamaConfig(
        vocab_size=VOCAB,
        hidden_size=3 * HEAD_DIM,
        intermediate_size=8,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=HEAD_DIM,
        max_position_embeddings=256,
        rope_parameters={"rope_type": "default", "rope_theta": 1e12},
        attention_bias=True,
        tie_word_embeddings=False,
        bos_token_id=256,
        eos_token_id=END,
        pad_token_id=258,
    )


def _fill(model: Any, words: list[int], seed: int) -> None:
    """Of the hidden size, a third is the token, one the token before, one the reply."""
    for name, weights in model.named_parameters():
        if "norm" not in name:
            weights.zero_()
    codes = _codes(words, seed)
    own, before, reply = (slice(start, start + HEAD_DIM) for start in (0, HEAD_DIM, 2 * HEAD_DIM))
    model.model.embed_tokens.weight[:, own] = codes
    model.lm_head.weight[:, reply] = torch.nn.functional.normalize(codes, dim=1)
    model.lm_head.weight[:, reply][[word for word in range(VOCAB) if word not in {*words, END}]] = 0
    first, second = (layer.self_attn for layer in model.model.layers)
    at_0, at_1 = _pair_channels(0.0), _pair_channels(1.0)
    first.k_proj.bias[:] = at_0
    first.q_proj.bias[:] = at_1.repeat(2) * SHARPNESS * HEAD_DIM**0.5
    _copy(first.v_proj.weight, own)
    first.o_proj.weight[before] = torch.eye(HEAD_DIM).repeat(1, 2) / 2
    still = torch.diag(_still_channels())
    second.k_proj.weight[:, before] = still
    second.q_proj.weight[:, own] = still.repeat(2, 1) * SHARPNESS
    _copy(second.v_proj.weight, own)
    second.o_proj.weight[reply] = torch.eye(HEAD_DIM).repeat(1, 2) * 4


def _codes(words: list[int], seed: int) -> Tensor:
    """Return a code for each token: one for each word, and one for all others, as long.

    The code of the others lies in a channel that no query asks for.
    """
    generator = torch.Generator().manual_seed(seed)
    codes = torch.zeros(VOCAB, HEAD_DIM)
    codes[:, 0] = 1
    for word in words:
        code = torch.randn(HEAD_DIM, generator=generator) * _still_channels()
        codes[word] = code / code.norm()
    return codes


def _still_channels() -> Tensor:
    pair = (torch.arange(HEAD_DIM // 2) >= STILL).float()
    return pair.repeat(2)


def _pair_channels(position: float) -> Tensor:
    """Return what, when turned, fits best to itself `position` places further back."""
    angles = -position * 1e12 ** (-torch.arange(0, HEAD_DIM, 2) / HEAD_DIM)
    used = (torch.arange(HEAD_DIM // 2) < TURNING).float()
    return torch.cat([angles.cos() * used, angles.sin() * used])


def _copy(weights: Tensor, source: slice) -> None:
    weights[:, source] = torch.eye(HEAD_DIM)
