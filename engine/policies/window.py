"""Window: the first tokens and the last ones; the rest is forgotten.

Han et al., LM-Infinite, https://arxiv.org/abs/2308.16137: the distance to the first tokens is
capped where the window ends. Without init tokens it is the sliding window that some models have by
themselves (Mistral 7B, every second layer of Gemma).
"""

from dataclasses import dataclass

from torch import Tensor

from lcagent.engine.attention.merging import Merger
from lcagent.engine.attention.partial import Scoring, attend
from lcagent.engine.attention.patches import Shape
from lcagent.engine.policies.base import Remembered


@dataclass(frozen=True, slots=True)
class Window:
    """Sees `init_tokens` at the window's end, and the window."""

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
        """A window before the first query of a chunk, and the chunk."""
        return self.window_tokens + max(self.init_tokens, self.chunk_tokens)

    def see_distant(
        self, memory: Remembered, queries: Tensor, first: int, how: Scoring, merger: Merger
    ) -> None:
        """See the init tokens."""
        del first
        if self.init_tokens:
            far = memory.rotation.rotate_all_to(queries, self.window_tokens - 1)
            part = attend(far, memory.init_keys, memory.init_values, Shape.FULL, how)
            merger.add(part, 0, queries.shape[1])

    def settle(self, memory: Remembered) -> None:
        """Keep the init tokens and the window."""
        memory.fill_init()
        memory.tail.drop(len(memory.tail) - self.window_tokens)
