"""From the name of a lookup to its index, and which lookup is the default."""

from dataclasses import replace

import torch

from lcagent.engine.block_store import are_keys_in_place
from lcagent.engine.config import KVCacheConfig
from lcagent.engine.lookups.block_index import BlockIndex
from lcagent.engine.lookups.bounds import BoundsIndex
from lcagent.engine.lookups.exact import ExactIndex, InPlaceKeyIndex
from lcagent.engine.lookups.representatives import RepresentativeIndex
from lcagent.engine.lookups.signs import SignIndex


def make_index(
    config: KVCacheConfig, num_heads: int, device: torch.device, dtype: torch.dtype
) -> BlockIndex:
    """Return an empty index for one layer of a model on `device` that computes in `dtype`."""
    match config.lookup:
        case "bounds":
            return BoundsIndex()
        case "exact":
            return InPlaceKeyIndex() if are_keys_in_place(config, device, dtype) else ExactIndex()
        case "exact-int8":
            return ExactIndex(is_int8=True)
        case "signs":
            return SignIndex()
        case "sum" | "vote":
            return RepresentativeIndex(num_heads, config.representatives, config.lookup == "vote")
        case "auto":
            raise AssertionError("a sequence begins with a lookup that was resolved")


def resolve_auto_lookup(
    config: KVCacheConfig, device: torch.device, dtype: torch.dtype
) -> KVCacheConfig:
    """Replace the lookup "auto": all keys where that needs no copy of them, else their signs."""
    if config.lookup != "auto":
        return config
    is_free = are_keys_in_place(config, device, dtype)
    return replace(config, lookup="exact" if is_free else "signs")
