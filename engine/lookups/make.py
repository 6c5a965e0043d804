"""From the name of a lookup to its index."""

import torch

from lcagent.engine.config import MemoryConfig
from lcagent.engine.lookups.base import BlockIndex
from lcagent.engine.lookups.bounds import Bounds
from lcagent.engine.lookups.exact import ExactKeys
from lcagent.engine.lookups.representatives import Representatives
from lcagent.engine.lookups.signs import Signs
from lcagent.engine.lookups.stored import StoredKeys
from lcagent.engine.store.slabs import are_keys_at_hand


def make_index(
    config: MemoryConfig, num_heads: int, device: torch.device, dtype: torch.dtype
) -> BlockIndex:
    """Return an empty index for one layer of a model on `device` that computes in `dtype`."""
    match config.lookup:
        case "bounds":
            return Bounds()
        case "exact":
            return StoredKeys() if are_keys_at_hand(config, device, dtype) else ExactKeys()
        case "exact-int8":
            return ExactKeys(is_int8=True)
        case "signs":
            return Signs()
        case "sum" | "vote":
            return Representatives(num_heads, config.representatives, config.lookup == "vote")
