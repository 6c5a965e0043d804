"""Sizes of the memory that suit a model's own window."""

from typing import Any

from lcagent.engine.config import MemoryConfig

PAPER_WINDOW = 4096


def default_memory(model_config: Any) -> MemoryConfig:
    """Return half the model's window as the window, and the paper's sizes where they fit.

    Attributes of `model_config`: max_position_embeddings.
    """
    longest = int(getattr(model_config, "max_position_embeddings", None) or 2 * PAPER_WINDOW)
    window = min(PAPER_WINDOW, max(8, longest // 2))
    return MemoryConfig(
        window_tokens=window,
        init_tokens=min(128, max(1, longest // 32)),
        block_tokens=min(128, max(4, longest // 16)),
        chunk_tokens=min(512, max(4, longest // 4)),
        looked_up_blocks=16 if longest >= PAPER_WINDOW else 8,
    )
