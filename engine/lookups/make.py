"""From the name of a lookup to its index."""

from lcagent.engine.config import MemoryConfig
from lcagent.engine.lookups.base import BlockIndex
from lcagent.engine.lookups.bounds import Bounds
from lcagent.engine.lookups.exact import ExactKeys
from lcagent.engine.lookups.representatives import Representatives


def make_index(config: MemoryConfig, num_heads: int) -> BlockIndex:
    """Return an empty index for one layer."""
    match config.lookup:
        case "bounds":
            return Bounds()
        case "exact" | "exact-int8":
            return ExactKeys(is_int8=config.lookup == "exact-int8")
        case "sum" | "vote":
            return Representatives(num_heads, config.representatives, config.lookup == "vote")
