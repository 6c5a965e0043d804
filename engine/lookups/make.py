"""From the name of a lookup to its index, and which lookup is the default."""

from dataclasses import replace

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
        case "auto":
            raise AssertionError("a reading begins with a lookup that was settled")


def with_lookup_settled(
    config: MemoryConfig, device: torch.device, dtype: torch.dtype
) -> MemoryConfig:
    """Replace the lookup "auto": all keys where that needs no copy of them, else their signs."""
    if config.lookup != "auto":
        return config
    is_free = are_keys_at_hand(config, device, dtype)
    return replace(config, lookup="exact" if is_free else "signs")
