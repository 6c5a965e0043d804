"""Streaming: the first tokens and the last ones, with positions inside the cache.

Xiao et al., StreamingLLM, https://arxiv.org/abs/2309.17453, section 3.2: what is kept stands
together as if nothing were missing, the first tokens right before the window.
"""

from dataclasses import dataclass

from torch import Tensor

from lcagent.engine.attention.merging import Merger
from lcagent.engine.attention.partial import Scoring, attend
from lcagent.engine.attention.patches import Shape
from lcagent.engine.policies.base import Remembered


@dataclass(frozen=True, slots=True)
class Streaming:
    """Sees `init_tokens` and the window, in order."""

    init_tokens: int
    window_tokens: int
    chunk_tokens: int
    is_bounded: bool = True
    has_blocks: bool = False
    is_in_order: bool = False

    @property
    def plain_tokens(self) -> int:
        """The longest text that is read as the model itself would."""
        return self.window_tokens + self.init_tokens

    @property
    def positions(self) -> int:
        """Init tokens, a window and a chunk."""
        return self.plain_tokens + self.chunk_tokens

    def see_distant(
        self, memory: Remembered, queries: Tensor, first: int, how: Scoring, merger: Merger
    ) -> None:
        """See the init tokens at positions 0, 1, ... of a cache whose last position is our own."""
        del first
        if not self.init_tokens:
            return
        far = memory.rotation.rotate_all_to(queries, self.plain_tokens - 1)
        keys = memory.rotation.rotate(memory.init_keys, 0)
        part = attend(far, keys, memory.init_values, Shape.FULL, how)
        merger.add(part, 0, queries.shape[1])

    def settle(self, memory: Remembered) -> None:
        """Keep the init tokens and the window."""
        memory.fill_init()
        memory.tail.drop(len(memory.tail) - self.window_tokens)
