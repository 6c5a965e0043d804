"""InfLLM: blocks of the past, looked up, all at the distance where the window ends.

Xiao et al., InfLLM, https://arxiv.org/abs/2402.04617, section 3. Init tokens, looked-up blocks and
the remainder (tokens between blocks and window) have no order among themselves. Unlike the released
code, a query sees a token of the remainder only once that token left the query's own window.
"""

from dataclasses import dataclass

from torch import Tensor

from lcagent.engine.attention.merging import Merger
from lcagent.engine.attention.partial import Scoring, attend
from lcagent.engine.attention.patches import Shape, distant_patches
from lcagent.engine.config import MemoryConfig
from lcagent.engine.policies.base import Remembered
from lcagent.engine.policies.looking_up import look_up


@dataclass(frozen=True, slots=True)
class InfLLM:
    """Looks blocks up with the mean query of each chunk."""

    config: MemoryConfig
    is_bounded: bool = True
    has_blocks: bool = True
    is_in_order: bool = False

    @property
    def init_tokens(self) -> int:
        """First tokens that stay visible."""
        return self.config.init_tokens

    @property
    def window_tokens(self) -> int:
        """Keys at true distances."""
        return self.config.window_tokens

    @property
    def plain_tokens(self) -> int:
        """The longest text that is read as the model itself would."""
        return self.config.plain_tokens

    @property
    def positions(self) -> int:
        """A window before the first query of a chunk, and the chunk."""
        return self.window_tokens + max(self.init_tokens, self.config.chunk_tokens)

    def see_distant(
        self, memory: Remembered, queries: Tensor, first: int, how: Scoring, merger: Merger
    ) -> None:
        """See init tokens, looked-up blocks and the remainder, all at one distance."""
        far = memory.rotation.rotate_all_to(queries, self.window_tokens - 1)
        count = queries.shape[1]
        if self.init_tokens:
            part = attend(far, memory.init_keys, memory.init_values, Shape.FULL, how)
            merger.add(part, 0, count)
        if len(memory.store):
            look_up(memory, far, how)
            chosen = memory.selection
            merger.add(attend(far, chosen.keys, chosen.values, Shape.FULL, how), 0, count)
        for patch in distant_patches(first, first + count, 0, self.window_tokens):
            keys = memory.rotation.still(memory.tail.keys[:, patch.left : patch.right])
            values = memory.tail.values[:, patch.left : patch.right]
            rows = far[:, patch.top - first : patch.bottom - first]
            merger.add(attend(rows, keys, values, patch.shape, how), patch.top - first, count)

    def settle(self, memory: Remembered) -> None:
        """Fill init, then form blocks."""
        memory.fill_init()
        memory.form_blocks()
