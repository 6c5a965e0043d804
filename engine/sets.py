"""Passages without an order: each is read as if it were the first, later tokens see all of them.

McIlroy-Young et al., Set-Based Prompting, https://arxiv.org/abs/2406.06581, section 3. Passages do
not see each other and stand at the same positions, so that what is said after them does not depend
on their order. Unlike the paper's, ours are put into one order first, which leaves no difference of
rounding either.
"""

from collections.abc import Sequence

import torch

from lcagent.engine.adapters import AdaptedModel
from lcagent.engine.layer import LayerMemory
from lcagent.engine.reading import Reading, read_all
from lcagent.errors import UsageError


@torch.inference_mode()
def read_set(model: AdaptedModel, reading: Reading, passages: Sequence[Sequence[int]]) -> None:
    """Read all of a reading's tokens, and passages (token ids) after them in no order.

    The text goes on behind the longest passage.

    Raises:
        UsageError: A passage has no tokens, nothing stands before them, or window and init tokens
            do not hold all.
    """
    total = len(reading.tokens) + sum(map(len, passages))
    if not all(passages) or not reading.tokens:
        raise UsageError("a passage of a set, or the text before it, has no tokens")
    if total > reading.config.plain_tokens:
        raise UsageError(
            f"a set with what stands before it has {total} tokens; window and init tokens hold "
            f"{reading.config.plain_tokens}"
        )
    ordered = sorted(list(passage) for passage in passages)
    read_all(model, reading)
    forks = [_read_alone(model, reading, passage) for passage in ordered]
    for number, layer in reading.memory.layers.items():
        _check_window(layer, total)
        for fork, passage in zip(forks, ordered, strict=True):
            layer.take_from(fork.memory.layers[number], len(passage))
        layer.tail.skip_positions(max(map(len, ordered), default=0))
    for passage in ordered:
        reading.tokens += passage
        reading.read += len(passage)


def _read_alone(model: AdaptedModel, reading: Reading, passage: list[int]) -> Reading:
    fork = reading.fork()
    fork.tokens += passage
    read_all(model, fork)
    return fork


def _check_window(layer: LayerMemory, total: int) -> None:
    if total > layer.policy.plain_tokens:
        raise UsageError(
            f"a set of {total} tokens does not fit into the window of "
            f"{layer.policy.plain_tokens} tokens that this model has in some layers"
        )
