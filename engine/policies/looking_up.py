"""Choosing blocks for a chunk of queries and copying them beside the model."""

from torch import Tensor

from lcagent.engine.attention.partial import Scoring
from lcagent.engine.lookups.choosing import choose_blocks
from lcagent.engine.policies.base import Remembered


def look_up(memory: Remembered, far: Tensor, how: Scoring) -> None:
    """Make `memory.selection` what these queries need; a decoded token may keep the last choice.

    Shapes: far (num_heads, q_len, head_dim), turned to where distant keys are seen from. The mean
    of the queries stands for all of them (the paper's choice).
    """
    selection, config = memory.selection, memory.config
    is_decoding = far.shape[1] == 1
    selection.age += 1
    if not selection.blocks or not is_decoding or selection.age >= config.reselect_every:
        selection.choose(_choose(memory, far, how))
    selection.load(memory.store, memory.tail.keys, config.block_tokens)


def _choose(memory: Remembered, far: Tensor, how: Scoring) -> list[list[int]]:
    count = len(memory.store)
    if count <= memory.config.looked_up_blocks:
        return [list(range(count))]
    scores = memory.index.scores(far.mean(1), memory.store)
    num_kv_heads = memory.tail.keys.shape[0]
    is_vote = memory.index.is_vote
    return choose_blocks(scores, num_kv_heads, how.scale, memory.config, is_vote=is_vote)
