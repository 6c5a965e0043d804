"""Query heads that share a key-value head, seen as a group (Ainslie et al., arXiv 2305.13245)."""

from torch import Tensor


def grouped(states: Tensor, num_kv_heads: int) -> Tensor:
    """Return (num_heads, ...) as (num_kv_heads, num_heads / num_kv_heads, ...), by a view."""
    return states.reshape(num_kv_heads, -1, *states.shape[1:])
