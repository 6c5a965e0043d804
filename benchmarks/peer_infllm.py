"""The released InfLLM code on a CPU, as a peer of `engine.py`.

https://github.com/thunlp/InfLLM, Apache-2.0, in a folder of its own. It asks for CUDA by name and
for an old transformers. A copy of its attention is made in which `cuda` is replaced, and the layers
of today's Llama are called around it. In its favour, logits are computed for the last token only.
"""

import importlib
import re
import sys
import tempfile
from contextlib import nullcontext
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from lcagent.engine.config import KVCacheConfig

PACKAGE = "released_attention"
TOKENS_PER_CALL = 4096  # its own command line's choice
_EDITS = (
    (r"device\s*=\s*['\"]cuda['\"]", "device='cpu'"),
    (r"\.pin_memory\(\)", ""),
    (r"assert _t\.is_cuda", "pass"),
    (r"torch\.cuda\.", "torch.peer_without_cuda."),
)


class ReleasedInfLLM:
    """Reads with the released code; a new text needs a new object."""

    def __init__(self, model: Any, config: KVCacheConfig, code: Path) -> None:
        released = _load(code)
        self._model = model
        theta = model.config.rope_parameters["rope_theta"]
        self._rope = released.RotaryEmbeddingESM(model.config.head_dim, theta, 1.0)
        self._attend = released.inf_llm_forward(
            n_local=config.window_tokens,
            n_init=config.init_tokens,
            topk=config.looked_up_blocks,
            block_size=config.block_tokens,
            max_cached_block=2 * config.looked_up_blocks,
            exc_block_size=config.chunk_tokens,
            repr_topk=config.representatives,
            fattn=False,
            async_global_stream=False,
        )
        self._past: list[Any] = [None] * model.config.num_hidden_layers

    def read(self, tokens: list[int]) -> Tensor:
        """Read on and return the logits of the next token; the last of a text is read alone."""
        cuts = [*range(0, len(tokens) - 1, TOKENS_PER_CALL), len(tokens) - 1, len(tokens)]
        for start, end in pairwise(cuts):
            if start < end:
                hidden = self._layers(torch.tensor([tokens[start:end]]))
        logits: Tensor = self._model.lm_head(self._model.model.norm(hidden[:, -1:]))
        return logits[0, -1]

    def _layers(self, tokens: Tensor) -> Tensor:
        config = self._model.config
        sizes = (config.head_dim, config.num_attention_heads, config.num_key_value_heads)
        hidden: Tensor = self._model.model.embed_tokens(tokens)
        for number, layer in enumerate(self._model.model.layers):
            attention = layer.self_attn
            weights = (attention.q_proj, attention.k_proj, attention.v_proj, attention.o_proj)
            normed = layer.input_layernorm(hidden)
            out, self._past[number] = self._attend(
                None, normed, normed, self._rope, True, self._past[number], *weights, *sizes
            )
            hidden = hidden + out
            hidden = hidden + layer.mlp(layer.post_attention_layernorm(hidden))
        return hidden


class _Nothing:
    """Stands for streams and events."""

    def wait_stream(self, other: object) -> None:
        """Wait for nothing."""

    def record(self, stream: object) -> None:
        """Record nothing."""

    def wait(self) -> None:
        """Wait for nothing."""


class _WithoutCuda:
    Stream = Event = current_stream = _Nothing

    @staticmethod
    def stream(stream: object) -> nullcontext[None]:
        """Run in no stream."""
        del stream
        return nullcontext()


def _load(code: Path) -> ModuleType:
    """Import an edited copy of `inf_llm/attention`."""
    torch.peer_without_cuda = _WithoutCuda  # type: ignore[attr-defined]
    copy = Path(tempfile.mkdtemp(prefix="released-infllm-"))
    source = code / "inf_llm" / "attention"
    for path in source.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        for found, put in _EDITS:
            text = re.sub(found, put, text)
        target = copy / PACKAGE / path.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    sys.path.insert(0, str(copy))
    package = importlib.import_module(f"{PACKAGE}.inf_llm")
    package.RotaryEmbeddingESM = importlib.import_module(f"{PACKAGE}.rope").RotaryEmbeddingESM
    return package
