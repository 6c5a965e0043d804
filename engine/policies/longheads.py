"""LongHeads: each head looks up chunks of its own, which stand in order as one short text.

Lu et al., LongHeads, https://arxiv.org/abs/2402.10685, section 2. Positions are contiguous: init
tokens, looked-up blocks in the order of the text, then the whole tail. A chunk is represented as
the configured lookup does it, not by the paper's flag-token attention.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from lcagent.engine.attention.merging import Merger
from lcagent.engine.attention.partial import Scoring, attend
from lcagent.engine.attention.patches import Shape
from lcagent.engine.config import MemoryConfig
from lcagent.engine.policies.base import Remembered
from lcagent.engine.policies.looking_up import look_up


@dataclass(frozen=True, slots=True)
class LongHeads:
    """Looks blocks up per key-value head; all that is seen has a position of its own."""

    config: MemoryConfig
    is_bounded: bool = True
    has_blocks: bool = True
    is_in_order: bool = True

    @property
    def init_tokens(self) -> int:
        """First tokens that stay visible."""
        return self.config.init_tokens

    @property
    def window_tokens(self) -> int:
        """The whole tail: a window, less than a block, and the chunk that is read."""
        return self.config.window_tokens + self.config.block_tokens + self.config.chunk_tokens

    @property
    def plain_tokens(self) -> int:
        """The longest text that is read as the model itself would."""
        return self.config.plain_tokens

    @property
    def positions(self) -> int:
        """Init tokens, blocks, and a tail that may wait a chunk for its origin to move."""
        blocks = self.config.looked_up_blocks * self.config.block_tokens
        tail = self.window_tokens + self.config.chunk_tokens
        return max(self.init_tokens + blocks + tail, self.plain_tokens)

    def see_distant(
        self, memory: Remembered, queries: Tensor, first: int, how: Scoring, merger: Merger
    ) -> None:
        """See init tokens and looked-up blocks where they would stand in a text without gaps."""
        keys, values = [memory.init_keys], [memory.init_values]
        if len(memory.store):
            window_end = self.config.window_tokens - 1
            look_up(memory, memory.rotation.rotate_all_to(queries, window_end), how)
            keys.append(memory.selection.keys)
            values.append(memory.selection.values)
        kept = [part for part in keys if part.dim() == 3]
        if not kept:
            return
        together = memory.rotation.rotate(torch.cat(kept, dim=1), 0)
        seen = torch.cat([part for part in values if part.dim() == 3], dim=1)
        far = memory.rotation.rotate(queries, together.shape[1] + first)
        merger.add(attend(far, together, seen, Shape.FULL, how), 0, queries.shape[1])

    def settle(self, memory: Remembered) -> None:
        """Fill init, then form blocks."""
        memory.fill_init()
        memory.form_blocks()
